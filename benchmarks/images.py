"""A function on a base that the registry has: ``lambdalint package --kind image`` against ``buildah build`` and push.

Both reach the registry through a wire that counts.  What is copied is the same tree, laid out beforehand: dependencies
in a layer below the code, as people write their Dockerfiles who care about pushes.  Ours plans and judges it besides.
"""

import json
import re
import shutil
import socket
import socketserver
import subprocess
import sysconfig
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Lock, Thread
from typing import Final

from benchmarks import projects
from benchmarks.measure import Case, CommandFailed
from benchmarks.packaging import edit, package
from benchmarks.table import Row
from tests.registries import docker_registry

ROUNDS: Final = 3

#: What a base weighs besides its interpreter, unpacked: with it, about as much as AWS's own.
_SYSTEM_BYTES: Final = 250_000_000

_BASE: Final = """\
FROM scratch
ADD system.tar /
ADD python.tar /usr/local/
ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime
"""
_REQUEST: Final = re.compile(rb"^(?:GET|HEAD|POST|PUT|PATCH) /\S* HTTP/1\.1\r$", re.MULTILINE)

_DOCKERFILE: Final = """\
FROM {host}/base@{digest}
COPY dependencies/ /var/task/
COPY source/ /var/task/
CMD ["app.handler"]
"""


@dataclass(slots=True)
class Wire:
    """A way to the registry, and what went over it in both directions."""

    host: str = ""
    transferred: int = 0
    requests: int = 0
    lock: Lock = field(default_factory=Lock)

    def carries(self, data: bytes) -> None:
        with self.lock:
            self.transferred += len(data)
            self.requests += len(_REQUEST.findall(data))


@dataclass(frozen=True, slots=True)
class Pushed:
    """What one build and its push took."""

    wall_s: float
    transferred_mb: float
    requests: int


@dataclass(frozen=True, slots=True)
class Builder:
    """*build* is given where the registry is and a name for the image; *forget* loses all that was kept, *edit* changes
    one line."""

    build: Callable[[str, str], Case]
    forget: Callable[[], object]
    edit: Callable[[], object]


def appended(folder: Path) -> Iterator[Row]:
    """A function with pandas, the first time and again after one line is edited."""
    for tool in ("buildah", "docker-registry"):
        if shutil.which(tool) is None:
            raise CommandFailed(f"{tool} is missing; apt-get install {tool}")
    (folder / "registry").mkdir()
    with docker_registry(folder / "registry") as registry:
        digest, base_mb = _pushed_base(folder / "base", registry)
        ours, theirs = _lambdalint(folder, digest), _buildah(folder, digest)
        rounds = [(_round(ours, registry, f"ours{n}"), _round(theirs, registry, f"theirs{n}")) for n in range(ROUNDS)]
    other = f"{_version()} build + push"
    for place, work in enumerate((f"image on {base_mb:.0f} MB, first push", "image, one line edited")):
        mine, others = ([each[side][place] for each in rounds] for side in (0, 1))
        for unit, figure, title in _FIGURES:
            yield Row(f"{work}{title}", median(map(figure, mine)), unit, other, median(map(figure, others)))


_FIGURES: Final[Sequence[tuple[str, Callable[[Pushed], float], str]]] = (
    ("s", lambda pushed: pushed.wall_s, ""),
    ("MB", lambda pushed: pushed.transferred_mb, ", over the wire"),
    ("requests", lambda pushed: pushed.requests, ", over the wire"),
)


def _round(builder: Builder, registry: str, name: str) -> tuple[Pushed, Pushed]:
    """The first push, and the one after an edit; whoever pushes has not met this registry before."""
    builder.forget()
    with _counting(registry) as wire:
        case = builder.build(wire.host, name)
        first = _measured(case, wire)
        builder.edit()
        return first, _measured(case, wire)


def _measured(case: Case, wire: Wire) -> Pushed:
    before, requests = wire.transferred, wire.requests
    cost = case.run()
    return Pushed(cost.wall_s, (wire.transferred - before) / 1_000_000, wire.requests - requests)


def _lambdalint(folder: Path, digest: str) -> Builder:
    """Wheels are at hand, as the other one's tree is."""
    project = projects.reports(folder / "ours")
    package(project).run()

    def build(host: str, name: str) -> Case:
        return package(project, "--kind", "image", "--base", f"{host}/base@{digest}", "--to", f"{host}/{name}:1")

    blobs = project.with_name(f"{project.name}-cache") / "blobs"
    return Builder(build, lambda: shutil.rmtree(blobs, ignore_errors=True), edit(project / "src" / "app.py"))


def _buildah(folder: Path, digest: str) -> Builder:
    project = projects.reports(folder / "theirs")
    package(project, "--kind", "dir").run()
    context = folder / "context"
    listed = json.loads((project / "dist" / "Main.json").read_text("utf-8"))
    for entry in listed["entries"]:
        part = "source" if re.match(r"(?:__pycache__/)?app\.", entry["path"]) else "dependencies"
        place = context / part / entry["path"]
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / "dist" / "Main" / entry["path"], place)
    store = folder / "store"

    def build(host: str, name: str) -> Case:
        (context / "Dockerfile").write_text(_DOCKERFILE.format(host=host, digest=digest), "utf-8")
        image = f"{host}/{name}:1"
        return Case(
            (
                (*_tool(store), "build", "--layers", "--tls-verify=false", "--quiet", "--tag", image, "."),
                (*_tool(store), "push", "--tls-verify=false", "--quiet", image),
            ),
            context,
        )

    return Builder(build, lambda: shutil.rmtree(store, ignore_errors=True), edit(context / "source" / "app.py"))


def _pushed_base(folder: Path, registry: str) -> tuple[str, float]:
    """The digest of a base that is in the registry now, and its size there in MB."""
    folder.mkdir()
    _pack(folder / "system.tar", Path(f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}"), "usr/lib/", _SYSTEM_BYTES)
    _pack(folder / "python.tar", Path(sysconfig.get_path("stdlib")), f"lib/{projects.runtime()}/", 1 << 40)
    (folder / "Dockerfile").write_text(_BASE, "utf-8")
    image, digest_file = f"{registry}/base:1", folder / "digest"
    for command in (
        (*_tool(folder / "store"), "build", "--layers", "--quiet", "--tag", image, str(folder)),
        (*_tool(folder / "store"), "push", "--tls-verify=false", "--quiet", "--digestfile", digest_file, image),
    ):
        subprocess.run(command, check=True, capture_output=True)
    packed = sum(path.stat().st_size for path in (folder.parent / "registry").rglob("data"))
    return digest_file.read_text().strip(), packed / 1_000_000


def _pack(target: Path, source: Path, prefix: str, most_bytes: int) -> None:
    """The files of *source* up to *most_bytes*, but what is installed into it."""
    packed = 0
    with tarfile.open(target, "w") as archive:
        for path in sorted(source.rglob("*")):
            inside = path.relative_to(source)
            if path.is_file() and not path.is_symlink() and inside.parts[0] not in ("site-packages", "dist-packages"):
                packed += path.stat().st_size
                if packed > most_bytes:
                    return
                archive.add(path, f"{prefix}{inside.as_posix()}")


def _tool(store: Path) -> tuple[str | Path, ...]:
    """buildah with a store of its own, in whatever form it likes best here."""
    return ("buildah", "--root", store / "root", "--runroot", store / "run")


def _version() -> str:
    said = subprocess.run(["buildah", "--version"], capture_output=True, text=True, check=True).stdout
    return f"buildah {said.split()[2]}"


@contextmanager
def _counting(to: str) -> Iterator[Wire]:
    """A wire to the registry at *to*, on a port of its own."""
    host, port = to.split(":")
    wire = Wire()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            client: socket.socket = self.request
            with socket.create_connection((host, int(port))) as server:
                back = Thread(target=_carry, args=(server, client, wire), daemon=True)
                back.start()
                _carry(client, server, wire)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        wire.host = f"127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield wire
        server.shutdown()


def _carry(source: socket.socket, target: socket.socket, wire: Wire) -> None:
    try:
        while data := source.recv(1 << 16):
            wire.carries(data)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # one end has hung up
