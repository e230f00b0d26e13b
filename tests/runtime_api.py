"""Lambda's runtime API on loopback, for one function started under AWS's own client."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the runtime's client told about one event: *what* is "answer", "invocation error", "init error" or "exit".

    *body* is what it sent, *error* the type of the error in it; *output* all that the process printed.
    """

    what: str
    body: bytes
    output: str

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["errorType"]) if self.what.endswith("error") else ""


_PATHS = {"/init/error": "init error", "/response": "answer", "/error": "invocation error"}


def invoked(root: Path, handler: str, event: object, *, timeout_s: float = 30) -> Any:
    """What *handler*, unpacked at *root*, answers to *event*; an error that it reports is an ``AssertionError``."""
    told = outcome(root, handler, event, timeout_s=timeout_s)
    assert told.what == "answer", f"the function did not answer: {told}"
    return json.loads(told.body)


def outcome(
    root: Path, handler: str, event: object, *, timeout_s: float = 30, variables: Mapping[str, str] | None = None
) -> Outcome:
    """What becomes of *event* with *handler*, unpacked at *root*, and these *variables* in its environment."""
    answers: list[tuple[str, bytes]] = []
    done = Event()
    given = iter([json.dumps(event).encode()])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = next(given, None)
            if body is None:
                done.wait(timeout_s)  # as Lambda does: no event, no answer
                return
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
            self.send_header("Lambda-Runtime-Trace-Id", "Root=1-0-0")
            self.send_header("Lambda-Runtime-Deadline-Ms", "9999999999999")
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:1:function:f")
            self.send_header("Content-Type", "application/json")  # awslambdaric 4 crashes without it
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answers.append((self.path, body))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            done.set()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """The client is killed while it waits for the next event."""

    server = Server(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    environment = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}",
        "LAMBDA_TASK_ROOT": str(root),
        "_HANDLER": handler,
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(root),
        **(variables or {}),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", handler],
        env=environment,
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + timeout_s
        while not done.wait(0.1) and process.poll() is None and time.monotonic() < deadline:
            pass
    finally:
        process.kill()
        output, _ = process.communicate()
        server.shutdown()
        server.server_close()
    if not answers:
        return Outcome("exit" if process.returncode >= 0 else "silence", b"", output.decode(errors="replace"))
    path, body = answers[0]
    what = next(what for end, what in _PATHS.items() if path.endswith(end))
    return Outcome(what, body, output.decode(errors="replace"))
