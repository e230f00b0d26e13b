"""An index on loopback that lists only the files a target can load, for a resolver that cannot be told so."""

import json
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self

from lambdalint.errors import LambdalintError
from lambdalint.packager.choice import legal
from lambdalint.packager.index import File, Indexes
from lambdalint.packager.target import Target


class LegalIndex:
    """Serves what *indexes* know, less the files that do not fit *target*.

    Files themselves stay where they are: the list links to them, with their credentials, so the path holds a secret
    that other users of the machine do not know.  *error* is what the first failed question raised.
    """

    def __init__(self, indexes: Indexes, target: Target) -> None:
        self.error: LambdalintError | None = None
        self.asked: set[str] = set()
        self.indexes = indexes
        self._target = target
        self._secret = secrets.token_urlsafe(16)
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """The index's address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self._secret}/simple/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def page(self, name: str) -> bytes | None:
        """The list of a distribution's files; ``None`` when it has none, or nobody can say."""
        try:
            files = self.indexes.files(name)
        except LambdalintError as error:
            with self._lock:
                self.error = self.error or error
            return None
        with self._lock:
            self.asked.add(name)
        rows = [self._row(file) for file in legal(files, self._target)]
        return json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": rows}).encode() if files else None

    def _row(self, file: File) -> dict[str, Any]:
        row: dict[str, Any] = {
            "filename": file.filename,
            "url": self.indexes.web.with_credentials(file.url),
            "hashes": {"sha256": file.sha256} if file.sha256 else {},
            "yanked": file.yanked,
            "core-metadata": file.metadata,
        }
        optional = {"requires-python": file.requires_python, "size": file.size, "upload-time": file.uploaded}
        return row | {key: value for key, value in optional.items() if value is not None}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Answers are small and written at once; without this each would wait for the client's acknowledgement.
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                prefix, _, name = self.path.strip("/").rpartition("/")
                body = index.page(name) if prefix == f"{index._secret}/simple" else None
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler
