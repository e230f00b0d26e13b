"""A package index on loopback, with wheels and source distributions made on the spot."""

import base64
import hashlib
import io
import json
import tarfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self

from lambdalint.model.function import Code, CodeKind, Function
from lambdalint.model.places import Span
from lambdalint.model.template import Dialect, Resource
from lambdalint.model.values import Known


@dataclass(frozen=True)
class Made:
    """A file of a distribution."""

    filename: str
    data: bytes
    metadata: bytes = b""
    requires_python: str | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def wheel(
    name: str,
    version: str,
    tag: str = "py3-none-any",
    files: Mapping[str, str | bytes] | None = None,
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    executable: Sequence[str] = (),
    record: Mapping[str, str] | None = None,
    licence: str | None = None,
) -> Made:
    """A wheel of *files*, by default one module of its name; *record* replaces the hashes that RECORD states."""
    module = name.replace("-", "_").lower()
    info = f"{module}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"License: {licence}"] if licence else []
    metadata = "\n".join([*lines, "", ""]).encode()
    content = {f"{module}.py": f"version = {version!r}\n"} if files is None else dict(files)
    members = {path: text.encode() if isinstance(text, str) else text for path, text in content.items()}
    members[f"{info}/METADATA"] = metadata
    members[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    rows = [f"{path},{(record or {}).get(path) or hashed(data)},{len(data)}" for path, data in members.items()]
    members[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in members.items():
            entry = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100755 if path in executable else 0o100644) << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return Made(f"{module}-{version}-{tag}.whl", out.getvalue(), metadata, requires_python)


def sdist(name: str, version: str, files: Mapping[str, str | bytes] | None = None) -> Made:
    """A source distribution of *files*, by default with nothing to build."""
    content = {"PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", **(files or {})}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, text in content.items():
            data = text.encode() if isinstance(text, str) else text
            info = tarfile.TarInfo(f"{name}-{version}/{path}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return Made(f"{name}-{version}.tar.gz", out.getvalue())


#: Builds the wheel that lies in the source distribution; compiles what is to be compiled, if there is a compiler.
_BACKEND = """\
import os, pathlib, shutil, subprocess, sys, sysconfig, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    print("the backend of", os.getcwd())
    if pathlib.Path("fails").exists():
        sys.exit("nothing works")
    name = pathlib.Path("wheel.name").read_text()
    if not pathlib.Path("module.c").exists():
        shutil.copy("wheel.zip", os.path.join(folder, name))
        return name
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    subprocess.run([os.environ["CC"], "-march=native", "-shared", "-o", "module" + suffix, "module.c"], check=True)
    name = name.replace("PLATFORM", sysconfig.get_platform().replace("-", "_"))
    shutil.copy("wheel.zip", os.path.join(folder, name))
    with zipfile.ZipFile(os.path.join(folder, name), "a") as archive:
        archive.write("module" + suffix)
    return name
"""


def buildable(
    name: str, version: str, built: Made, more: Mapping[str, str | bytes] | None = None, filename: str | None = None
) -> Made:
    """A source distribution that builds *built*, by itself and without a network."""
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    files: dict[str, str | bytes] = {"pyproject.toml": project, "backend.py": _BACKEND, "wheel.zip": built.data}
    files |= {"wheel.name": filename or built.filename, **(more or {})}
    return sdist(name, version, files)


def hashed(data: bytes) -> str:
    """A hash as RECORD states it."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


@dataclass
class FakeIndex:
    """Serves what was added, as JSON or HTML.

    *failing* maps a part of a path to the status that it is answered with, *slow_s* to how long it takes; *asked* are
    the paths that were asked for.
    """

    html: bool = False
    user: str | None = None
    failing: dict[str, int] = field(default_factory=dict)
    slow_s: dict[str, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    projects: dict[str, dict[str, Made]] = field(default_factory=dict)

    def add(self, *files: Made) -> Self:
        for file in files:
            name = file.filename.removesuffix(".tar.gz").partition("-")[0].replace("_", "-").lower()
            self.projects.setdefault(name, {})[file.filename] = file
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/simple"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, authorization: str | None) -> tuple[int, str, bytes]:
        self.asked.append(path)
        if self.user is not None and authorization != f"Basic {base64.b64encode(self.user.encode()).decode()}":
            return 401, "text/plain", b""
        for part, seconds in self.slow_s.items():
            if part in path:
                time.sleep(seconds)
        for part, status in self.failing.items():
            if part in path:
                return status, "text/plain", b"no"
        kind, _, name = path.strip("/").partition("/")
        if kind == "simple" and name in self.projects:
            return 200, *self._page(name)
        for files in self.projects.values():
            if name in files:
                return 200, "application/octet-stream", files[name].data
            if name.removesuffix(".metadata") in files:
                return 200, "text/plain", files[name.removesuffix(".metadata")].metadata
        return 404, "text/plain", b""

    def _page(self, name: str) -> tuple[str, bytes]:
        files = self.projects[name].values()
        if self.html:
            links = "".join(
                f'<a href="../../files/{file.filename}#sha256={file.sha256}"'
                + (f' data-requires-python="{file.requires_python}"' if file.requires_python else "")
                + f">{file.filename}</a><br>"
                for file in files
            )
            return "text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
        rows = [
            {
                "filename": file.filename,
                "url": f"../../files/{file.filename}",
                "hashes": {"sha256": file.sha256},
                "size": len(file.data),
                "core-metadata": file.filename.endswith(".whl"),
                "requires-python": file.requires_python,
            }
            for file in files
        ]
        document = {"meta": {"api-version": "1.1"}, "name": name, "files": rows}
        return "application/vnd.pypi.simple.v1+json", json.dumps(document).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                status, kind, body = index.answer(self.path, self.headers.get("Authorization"))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler


def function(
    name: str = "Orders",
    runtime: str = "python3.11",
    architecture: str = "x86_64",
    root: str = "src",
    kind: CodeKind = CodeKind.FOLDER,
    path: str | None = None,
) -> Function:
    """A function as a template would declare it."""
    span = Span.whole("template.yaml")
    return Function(
        name=name,
        span=span,
        template="template.yaml",
        dialect=Dialect.SAM,
        resource=Resource(name=name, type="AWS::Serverless::Function", properties={}, span=span, extent=span),
        runtime=Known(runtime, span),
        handler=Known("app.handler", span),
        architectures=Known((Known(architecture, span),), span),
        code=Code(kind, span, root if path is None else path, root),
    )
