"""Starting what is in an image, away from this machine: in a container of crun, or else in a root of its own.

Both run what nobody vouches for.  No program of the image is used to make the room, and none of its variables is set
before the room is made.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lambdalint.errors import Refused
from lambdalint.model.boot import Isolation
from lambdalint.packager.boot.process import child_processes, process_name

#: Lambda's own user owns nothing and is nobody here: one in the range that systems keep for such.
USER: Final = 993
GROUP: Final = 990

_SEARCHED: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
_ASK_MAX_S: Final = 20
_NAMESPACES: Final = ("--mount", "--pid", "--fork", "--kill-child")
_STARTERS: Final = ("unshare", "crun")

# crun wants one hierarchy of control groups: it gets one in a namespace of its own, whatever the machine has.
# Arguments: where crun keeps its state, and the bundle.
_CRUN: Final = r"""
set -e
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec crun --root "$1" --cgroup-manager=disabled run --bundle "$2" "lambdalint-$$"
"""

# Arguments: the root, the megabytes of /tmp, and what to become.
_CHROOT: Final = r"""
set -e
root=$1 room=$2
shift 2
mount --bind "$root" "$root"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o "mode=1777,nosuid,nodev,size=${room}m" tmpfs "$root/tmp"
mount -t tmpfs -o mode=755,nosuid,size=64k tmpfs "$root/dev"
for each in null zero full random urandom; do
  : >"$root/dev/$each"; mount --bind "/dev/$each" "$root/dev/$each"
done
ln -s /proc/self/fd "$root/dev/fd"; ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"; ln -s /proc/self/fd/2 "$root/dev/stderr"
mount -o remount,bind,ro,nosuid,nodev "$root"
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Program:
    """What an image runs, in *folder*; the first of *arguments* is looked for in the *environment*'s ``PATH``."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str


@dataclass(frozen=True, slots=True)
class Container:
    """How a program is started in *root*; *isolation* holds, and *ready* is a file that is written just before."""

    isolation: Isolation
    command: tuple[str, ...]
    root: Path
    ready: Path

    def begun(self) -> float | None:
        """When the program was started, by the monotonic clock; ``None`` when it was not."""
        try:
            said = self.ready.stat()
        except FileNotFoundError:
            return None
        return time.monotonic() - (time.time() - said.st_mtime) if said.st_size else None

    def processes(self, pid: int) -> Iterator[int]:
        """The program's processes, of what was started as *pid*."""
        todo = [pid] if self.begun() is not None else []
        while todo:
            each = todo.pop()
            if not process_name(each).startswith(_STARTERS):
                yield each
            todo += child_processes(each) or []

    def end(self) -> None:
        """End what is left of the program, where no namespace has gone with it."""
        if self.isolation is not Isolation.CHROOT:
            return
        for place in Path("/proc").glob("[0-9]*/root"):
            with suppress(OSError):
                if place.readlink() == self.root:
                    os.kill(int(place.parent.name), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Place:
    """Where things lie on this machine: the *scratch* folder, which is ours, and in it the image's *root*.

    *room_mb* is what ``/tmp`` holds.
    """

    scratch: Path
    root: Path
    room_mb: int

    @property
    def ready(self) -> Path:
        """What is written just before the program is started."""
        return self.scratch / "ready"


def container(program: Program, place: Place) -> Container:
    """The best that this machine has to run *program* in.

    Raises:
        Refused: it has nothing.
    """
    if sys.platform != "linux":
        raise Refused("an image is started on Linux only", hint="run lambdalint there")
    is_root = os.geteuid() == 0
    if is_root and _has("crun", "unshare", "sh", "mount") and _crun_works(place):
        return _by_crun(program, place)
    kind = Isolation.NAMESPACES if is_root else Isolation.USER_NAMESPACE
    if _has("unshare", "sh", "mount", "ln"):
        script = _unshared(kind, _CHROOT, str(place.root), str(place.room_mb))
        if _works([*script, str(_tool("sh")), "-c", ":"]):
            return Container(kind, (*script, *_entering(program, place, kind)), place.root, place.ready)
    if is_root and _works([sys.executable, "-I", "-S", "-c", f"import os; os.chroot({str(place.root)!r})"]):
        return Container(Isolation.CHROOT, _entering(program, place, Isolation.CHROOT), place.root, place.ready)
    who = "crun and chroot do not work here" if is_root else "only root or a user with namespaces may do so"
    raise Refused(f"the image cannot be started: {who}", hint="run lambdalint as root, where mounting is allowed")


def _by_crun(program: Program, place: Place) -> Container:
    bundle = place.scratch / "bundle"
    # crun takes it for a failure when a hook does not read what it is told.
    hook = {
        "path": _tool("sh"),
        "args": ["sh", "-c", 'cat >"$1"', "sh", str(place.ready)],
        "env": [f"PATH={_SEARCHED}"],
    }
    document = _bundle(program, place.root, place.room_mb)
    _write_bundle(bundle, {**document, "hooks": {"createContainer": [hook]}})
    return Container(Isolation.CONTAINER, _crun(bundle, place), place.root, place.ready)


def _crun_works(place: Place) -> bool:
    """Whether crun runs a program of this machine in a root that shows its folders."""
    bundle, root = place.scratch / "probe", place.scratch / "probe-root"
    root.mkdir()
    mounts = []
    for each in ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/nix"):
        inside = root / each.lstrip("/")
        if Path(each).is_symlink():
            inside.symlink_to(Path(each).readlink())
        elif Path(each).is_dir():
            inside.mkdir()
            mounts.append({"destination": each, "type": "bind", "source": each, "options": ["rbind", "ro"]})
    for name in ("proc", "dev", "tmp"):
        (root / name).mkdir()
    program = Program((str(_tool("sh")), "-c", ":"), {"PATH": _SEARCHED}, "/")
    document = _bundle(program, root, place.room_mb)
    _write_bundle(bundle, {**document, "mounts": [*document["mounts"], *mounts]})
    return _works(_crun(bundle, place))


def _bundle(program: Program, root: Path, room_mb: int) -> dict[str, Any]:
    """The configuration of a container with nothing in it but the root and what every program needs.

    Source: https://github.com/opencontainers/runtime-spec/blob/main/config.md
    """
    nothing: list[str] = []
    sets = ("bounding", "effective", "inheritable", "permitted", "ambient")
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": USER, "gid": GROUP},
            "args": list(program.arguments),
            "env": [f"{name}={value}" for name, value in program.environment.items()],
            "cwd": program.folder,
            "capabilities": dict.fromkeys(sets, nothing),
            "noNewPrivileges": True,
        },
        "root": {"path": str(root), "readonly": True},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "nodev", "noexec"]},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
            {
                "destination": "/tmp",  # noqa: S108
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["nosuid", "nodev", "mode=1777", f"size={room_mb}m"],
            },
        ],
        # No namespace of the network: the Runtime API is on loopback.
        "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}]},
    }


def _write_bundle(folder: Path, document: Mapping[str, object]) -> None:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(document))


def _crun(bundle: Path, place: Place) -> tuple[str, ...]:
    state = place.scratch / f"{bundle.name}-state"
    return _unshared(Isolation.CONTAINER, _CRUN, str(state), str(bundle))


def _unshared(kind: Isolation, script: str, *arguments: str) -> tuple[str, ...]:
    own = ["--user", "--map-root-user"] if kind is Isolation.USER_NAMESPACE else ["--propagation", "private"]
    if kind is Isolation.CONTAINER:
        own.append("--mount-proc")
    run = f"PATH={_SEARCHED}\n{script}"
    return (str(_tool("unshare")), *_NAMESPACES, *own, str(_tool("sh")), "-c", run, "sh", *arguments)


def _entering(program: Program, place: Place, kind: Isolation) -> tuple[str, ...]:
    said = place.scratch / "program.json"
    document = {
        "arguments": program.arguments,
        "environment": dict(program.environment),
        "folder": program.folder,
    }
    said.write_text(json.dumps(document))
    user, group = (-1, -1) if kind is Isolation.USER_NAMESPACE else (USER, GROUP)
    enter = Path(__file__).parent / "enter.py"
    arguments = (enter, place.root, said, place.ready, user, group)
    return (sys.executable, "-I", "-S", *map(str, arguments))


def _works(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603
            command,
            env={"PATH": _SEARCHED},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASK_MAX_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _has(*names: str) -> bool:
    return all(_tool(name) for name in names)


def _tool(name: str) -> str | None:
    return shutil.which(name, path=_SEARCHED)
