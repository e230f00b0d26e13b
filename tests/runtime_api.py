"""A function started under AWS's own client in this very environment, for one event."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from lambdalint.packager.boot.runtime_api import Message, RuntimeApi, Told


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


def invoked(root: Path, handler: str, event: object, *, timeout_s: float = 30) -> Any:
    """What *handler*, unpacked at *root*, answers to *event*; an error that it reports is an ``AssertionError``."""
    told = outcome(root, handler, event, timeout_s=timeout_s)
    assert told.what == "answer", f"the function did not answer: {told}"
    return json.loads(told.body)


def outcome(
    root: Path, handler: str, event: object, *, timeout_s: float = 30, variables: Mapping[str, str] | None = None
) -> Outcome:
    """What becomes of *event* with *handler*, unpacked at *root*, and these *variables* in its environment."""
    answers: list[Message] = []
    done = Event()

    def hear(message: Message) -> None:
        if message.told is not Told.READY:
            answers.append(message)
            done.set()

    with RuntimeApi([json.dumps(event).encode()], hear, timeout_s=900) as api:
        environment = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
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
    if not answers:
        return Outcome("exit" if process.returncode >= 0 else "silence", b"", output.decode(errors="replace"))
    return Outcome(answers[0].told.value, answers[0].body, output.decode(errors="replace"))
