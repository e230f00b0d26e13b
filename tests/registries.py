"""Registries to try a client on: the real one, one behind a wire that breaks, and one that does what it is told."""

import re
import shutil
import socket
import socketserver
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

#: The password is ``secret``.
HTPASSWD = "ann:$2b$04$Opxkd6F1/oLsOUQvnnnEBuuVqkJ2GdbMV4vI4xAGjixMGPG90IBES\n"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def docker_registry(folder: Path, *, password: bool = False) -> Iterator[str]:
    """The registry that Docker Hub runs on, empty; gives ``HOST:PORT``."""
    program = shutil.which("docker-registry")
    assert program, "docker-registry is missing; apt-get install docker-registry"
    port = free_port()
    lines = [
        "version: 0.1",
        "log: {level: error}",
        f"storage: {{filesystem: {{rootdirectory: {folder / 'blobs'}}}}}",
        f"http: {{addr: '127.0.0.1:{port}'}}",
    ]
    if password:
        (folder / "htpasswd").write_text(HTPASSWD)
        lines.append(f"auth: {{htpasswd: {{realm: orders, path: {folder / 'htpasswd'}}}}}")
    (folder / "registry.yml").write_text("\n".join(lines))
    with subprocess.Popen(
        [program, "serve", str(folder / "registry.yml")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the registry does not start")


@contextmanager
def breaking_wire(to: str, after_bytes: int, times: int) -> Iterator[str]:
    """A wire to *to* that breaks its first *times* connections once a client has sent *after_bytes* on them."""
    left = [times]
    host, port = to.split(":")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            client: socket.socket = self.request
            with socket.create_connection((host, int(port))) as server:
                back = Thread(target=self._copy, args=(server, client), daemon=True)
                back.start()
                sent = 0
                while data := _received(client):
                    sent += len(data)
                    if left[0] and sent > after_bytes:
                        left[0] -= 1
                        return
                    server.sendall(data)

        def _copy(self, source: socket.socket, target: socket.socket) -> None:
            try:
                while data := _received(source):
                    target.sendall(data)
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(1 << 16)
    except OSError:
        return b""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What to answer; *cut_to* closes the connection after so many bytes of the body."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_to: int | None = None


@dataclass
class Obedient:
    """A server that answers by its *script*, and remembers what it was *asked*."""

    script: Callable[[Asked], Reply]
    asked: list[Asked] = field(default_factory=list)
    host: str = ""

    def count(self, method: str, pattern: str = "") -> int:
        return sum(each.method == method and bool(re.search(pattern, each.path)) for each in self.asked)


@contextmanager
def obedient(script: Callable[[Asked], Reply]) -> Iterator[Obedient]:
    """A server on loopback that answers by *script*."""
    known = Obedient(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, dict(self.headers), body)
            known.asked.append(asked)
            reply = known.script(asked)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in reply.headers:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body[: reply.cut_to])
            if reply.cut_to is not None:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            return

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH"):
        setattr(Handler, f"do_{method}", Handler._answer)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        known.host = f"127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield known
        server.shutdown()
