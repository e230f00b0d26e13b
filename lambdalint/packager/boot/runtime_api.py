"""Lambda's Runtime API on loopback, for one function that is started under AWS's own client.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Final, Self

from lambdalint.aws.limits import limit

#: What a function may answer with.
MAX_BODY_BYTES: Final = limit("payload", "response", "max_bytes")

ARN: Final = "arn:aws:lambda:us-east-1:123456789012:function:"

_PREFIX: Final = "/2018-06-01/runtime"
_MAX_LINE: Final = 1024
_IDLE_S: Final = 60


class Told(Enum):
    """What the client tells."""

    READY = "asks for an event"
    ANSWER = "answer"
    ERROR = "invocation error"
    INIT_ERROR = "init error"


@dataclass(frozen=True, slots=True)
class Message:
    """One request of the client; *index* is the event that it is about, *at* when it came, by the monotonic clock."""

    told: Told
    index: int
    at: float
    body: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class RuntimeApi:
    """Serves *events* one after the other, and then lets the client wait, as Lambda does while nothing happens.

    *hear* gets each message before the client gets its answer, so that it stands still meanwhile.
    """

    events: Sequence[bytes]
    hear: Callable[[Message], None]
    function: str = "function"
    timeout_s: float = 3
    _served: int = 0
    _told: set[int] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    _closing: Event = field(default_factory=Event)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def address(self) -> str:
        """What belongs into ``AWS_LAMBDA_RUNTIME_API``."""
        assert self._server is not None, "the server runs inside `with` only"
        return f"127.0.0.1:{self._server.server_address[1]}"

    def next_event(self) -> int | None:
        """The index of the event to serve, after everybody heard of it; ``None`` when there is none left."""
        with self._lock:
            index = self._served
            if index <= len(self.events):
                self.hear(Message(Told.READY, index, time.monotonic()))
                self._served += 1
        if index < len(self.events):
            return index
        self._closing.wait()
        return None

    def take(self, path: str, body: bytes) -> bool:
        """Hear what was posted to *path*; ``False`` when it belongs to no event at hand."""
        with self._lock:
            index = self._served - 1
            told = {
                f"{_PREFIX}/init/error": Told.INIT_ERROR if index < 0 else None,
                f"{_PREFIX}/invocation/{request_id(index)}/response": Told.ANSWER,
                f"{_PREFIX}/invocation/{request_id(index)}/error": Told.ERROR,
            }.get(path)
            if told is None or index in self._told:
                return False
            self._told.add(index)
            self.hear(Message(told, max(index, 0), time.monotonic(), body))
        return True

    def headers(self, index: int) -> dict[str, str]:
        """What the client is told about an event."""
        now = time.time()
        return {
            "Lambda-Runtime-Aws-Request-Id": request_id(index),
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(now):08x}-{index:024x};Sampled=0",
            "Lambda-Runtime-Deadline-Ms": str(int((now + self.timeout_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN + self.function,
            "Content-Type": "application/json",  # awslambdaric 4 crashes without it
        }


def request_id(index: int) -> str:
    """The id of the event with this index, in the form that Lambda's have, counted from 1."""
    return f"00000000-0000-4000-8000-{index + 1:012x}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client is killed while it waits for the next event."""


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _IDLE_S
        # Head and body are written one after the other: waiting for more would add 40 ms to every event.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            if self.path != f"{_PREFIX}/invocation/next":
                self._reply(404, {"errorType": "NotFound", "errorMessage": "no such path"})
                return
            index = api.next_event()
            if index is None:
                self.close_connection = True
                return
            self.send_response(200)
            for name, value in api.headers(index).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(api.events[index])))
            self.end_headers()
            self.wfile.write(api.events[index])

        def do_POST(self) -> None:
            body = self._body()
            if body is None:
                self.close_connection = True
                message = f"the answer has more than the {MAX_BODY_BYTES:,} bytes that Lambda takes"
                # Lambda itself tells this to the caller: the client ends with what it gets for an answer.
                told = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
                api.take(self.path.replace("/response", "/error"), json.dumps(told).encode())
                self._reply(413, {"errorType": "RequestEntityTooLarge", "errorMessage": message})
            elif api.take(self.path, body):
                self._reply(202, {"status": "OK"})
            else:
                self._reply(400, {"errorType": "InvalidRequestID", "errorMessage": "no such invocation"})

        def _body(self) -> bytes | None:
            """What was sent; ``None`` when it is too much."""
            if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                return self._chunks()
            length = self.headers.get("Content-Length", "0")
            left = int(length) if length.isdecimal() and len(length) < 20 else 0
            if left <= MAX_BODY_BYTES:
                return self.rfile.read(left)
            # A client that is still sending would see a broken connection instead of the answer.
            while left > 0 and (piece := self.rfile.read(min(left, 1 << 20))):
                left -= len(piece)
            return None

        def _chunks(self) -> bytes | None:
            kept, size = [], 0
            while line := self.rfile.readline(_MAX_LINE):
                try:
                    count = int(line.split(b";")[0], 16)
                except ValueError:
                    break
                if count <= 0:
                    break
                size += count
                if size > 4 * MAX_BODY_BYTES:
                    return None
                chunk = self.rfile.read(count)
                if size <= MAX_BODY_BYTES:
                    kept.append(chunk)
                self.rfile.readline(_MAX_LINE)
            while (line := self.rfile.readline(_MAX_LINE)) and line.strip():
                """Trailers: an error in the middle of a stream is told in them, and again in the output."""
            return b"".join(kept) if size <= MAX_BODY_BYTES else None

        def _reply(self, status: int, document: dict[str, str]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    return Handler
