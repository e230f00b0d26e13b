"""An index on loopback that lists only the files a target can load, for a resolver that cannot be told so."""

import json
import secrets
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from packaging.version import Version

from lambdalint.errors import LambdalintError
from lambdalint.packager.choice import Pin, legal
from lambdalint.packager.index import File, Indexes
from lambdalint.packager.target import Target
from lambdalint.packager.wheel import metadata_of


def sources(name: str, files: Iterable[File], target: Target, pinned: frozenset[tuple[str, Version]]) -> list[File]:
    """The source distributions that may be built: of what has no wheel for *target*, or of versions in *pinned*."""
    wheels = {file.version for file in legal(files, target) if not file.yanked}
    found = {}
    for file in files:
        if file.is_wheel or not file.filename.endswith((".tar.gz", ".zip")) or not target.admits(file.requires_python):
            continue
        version = file.version
        if version is not None and (not wheels or ((name, version) in pinned and version not in wheels)):
            found[version] = file
    return list(found.values())


class LegalIndex:
    """Serves what *indexes* know, less the files that do not fit *target*.

    Files themselves stay where they are: the list links to them, with their credentials, so the path holds a secret
    that other users of the machine do not know.  *error* is what the first failed question raised.

    With *build*, source distributions are listed as the wheels that they would build, and are built once their
    metadata is asked for: those of a distribution that has no wheel for the target at all, and of the versions in
    *pinned*, pairs of a name and a version.
    """

    def __init__(
        self,
        indexes: Indexes,
        target: Target,
        build: Callable[[Pin], Pin] | None = None,
        pinned: frozenset[tuple[str, Version]] = frozenset(),
    ) -> None:
        self.error: LambdalintError | None = None
        self.asked: set[str] = set()
        self.indexes = indexes
        self._build = build
        self._pinned = pinned
        self._sources: dict[str, Pin] = {}
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
        if self._build is not None:
            rows += [self._built_row(name, file) for file in sources(name, files, self._target, self._pinned)]
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

    def _built_row(self, name: str, file: File) -> dict[str, Any]:
        filename = f"{name.replace('-', '_')}-{file.version}-py3-none-any.whl"
        pin = Pin(name, str(file.version), file.filename, file.url, file.sha256, file.size)
        with self._lock:
            self._sources[filename] = pin
        base = self.url.removesuffix("simple/")
        row = self._row(file) | {"filename": filename, "url": f"{base}built/{filename}", "hashes": {}}
        return row | {"core-metadata": True}

    def metadata(self, filename: str) -> bytes | None:
        """The metadata of the wheel that a source distribution builds."""
        pin = self._sources.get(filename)
        if pin is None or self._build is None:
            return None
        try:
            return metadata_of(Path(url2pathname(urlsplit(self._build(pin).url).path)))
        except LambdalintError as error:
            with self._lock:
                self.error = self.error or error
            return None

    def body(self, path: str) -> bytes | None:
        """What lies at *path*; ``None`` when nothing does, or whoever asks does not know the secret."""
        prefix, _, name = path.strip("/").rpartition("/")
        if prefix == f"{self._secret}/simple":
            return self.page(name)
        if prefix == f"{self._secret}/built" and name.endswith(".metadata"):
            return self.metadata(unquote(name).removesuffix(".metadata"))
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Answers are small and written at once; without this each would wait for the client's acknowledgement.
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                body = index.body(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler
