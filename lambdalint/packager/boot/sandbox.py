"""Keeping code that nobody vouches for from the machine it is tried on, as far as the machine lets us.

With mount namespaces, which root has and most kernels give everybody, the child gets a root of its own: the system's
folders and the artifact's, all read-only, and an empty ``/tmp``.  Nothing of the user's is in it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.errors import Refused
from lambdalint.model.boot import Isolation
from lambdalint.packager.bytecode import Interpreter

#: The user and group that the child runs as when we are root: nobody's, who owns nothing.
NOBODY: Final = 65534

_TOOLS: Final = ("unshare", "sh", "mount", "mkdir", "chroot", "setpriv", "env")
_SEARCHED: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
_ASK_MAX_S: Final = 20

# Arguments: the new root, the folders for /var/task, /opt, /var/runtime, /var/lang (may be empty) and of the starter,
# the megabytes of /tmp, the descriptor to tell on, "--", what drops privileges, and the command itself.
_SCRIPT: Final = r"""
set -e
root=$1 task=$2 layers=$3 runtime=$4 lang=$5 starter=$6 room=$7 tell=$8
shift 8
mount -t tmpfs -o mode=755,nosuid tmpfs "$root"
bound() { mkdir -p "$root$2"; mount --bind "$1" "$root$2"; mount -o remount,bind,ro "$root$2" 2>/dev/null || "$3"; }
for each in /usr /bin /sbin /lib /lib32 /lib64 /etc /nix; do
  if [ -L "$each" ]; then ln -s "$(readlink "$each")" "$root$each"; elif [ -d "$each" ]; then
    mkdir "$root$each"; mount --rbind "$each" "$root$each"; mount -o remount,bind,ro "$root$each" 2>/dev/null || :
  fi
done
bound "$task" /var/task false
bound "$layers" /opt false
bound "$runtime" /var/runtime false
bound "$starter" /var/rapid false
if [ -n "$lang" ]; then bound "$lang" /var/lang :; fi
mkdir "$root/proc" "$root/dev" "$root/tmp"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o "mode=1777,nosuid,nodev,size=${room}m" tmpfs "$root/tmp"
for each in null zero full random urandom; do
  : >"$root/dev/$each"; mount --bind "/dev/$each" "$root/dev/$each"
done
ln -s /proc/self/fd "$root/dev/fd"; ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"; ln -s /proc/self/fd/2 "$root/dev/stderr"
mount -o remount,bind,ro,nosuid "$root"
if [ "$tell" -ge 0 ]; then echo s >"/proc/self/fd/$tell"; fi
exec chroot "$root" "$@"
"""
_DROP: Final = ("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all")
_DROPPED: Final = {
    Isolation.NAMESPACES: (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *_DROP),
    # The user of a namespace without another one to become: who is not root for the kernel has no privileges to keep.
    Isolation.USER_NAMESPACE: ("--securebits=+noroot,+noroot_locked", *_DROP),
}


@dataclass(frozen=True, slots=True)
class Folders:
    """Where things lie on this machine, or as the child sees them."""

    task: Path
    layers: Path
    runtime: Path
    starter: Path


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How the child is started: *isolation* holds, and *folders*, *python* are as the child sees them.

    *prefix* goes before the command, and *popen* to ``subprocess.Popen``.
    """

    isolation: Isolation
    folders: Folders
    python: str
    prefix: tuple[str, ...] = ()
    popen: Mapping[str, object] = field(default_factory=dict)

    @property
    def has_root(self) -> bool:
        """Whether the child has a root of its own."""
        return self.isolation in _DROPPED

    def command(self, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """What to run so that *command* runs inside, with nothing but *environment*.

        The variables are set last: those that say what to load are for the child, and not for what makes its room.
        """
        if not self.has_root:
            return list(command)
        return [*self.prefix, "env", "-i", *(f"{name}={value}" for name, value in environment.items()), *command]


_SEEN: Final = Folders(Path("/var/task"), Path("/opt"), Path("/var/runtime"), Path("/var/rapid"))


def sandbox(python: Interpreter, here: Folders, root: Path, tell: int) -> Sandbox:
    """The best that this machine has; *root* is an empty folder to build in, *tell* the child's descriptor to tell on.

    Raises:
        Refused: we are root, and can be nobody else here.
    """
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    lang, executable = _prefix(python)
    if executable is not None and sys.platform == "linux" and all(_tool(name) for name in _TOOLS):
        kind = Isolation.NAMESPACES if is_root else Isolation.USER_NAMESPACE
        made = Sandbox(kind, _SEEN, executable, _prefixed(kind, here, lang, root, tell))
        if _works(Sandbox(kind, _SEEN, executable, _prefixed(kind, here, lang, root, -1))):
            return made
    if not is_root:
        return Sandbox(Isolation.PERMISSIONS, here, python.path)
    closed = next((place for place in (Path(python.path), *_all(here)) if not _is_open(place)), None)
    if closed is not None:
        raise Refused(
            f"the artifact would run as root: mount namespaces do not work here, and only root gets to {closed}",
            hint="run lambdalint as another user",
        )
    identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    return Sandbox(Isolation.USER, here, python.path, popen=identity)


def _all(folders: Folders) -> tuple[Path, ...]:
    """All of the folders."""
    return folders.task, folders.layers, folders.runtime, folders.starter


def _prefixed(kind: Isolation, here: Folders, lang: str, root: Path, tell: int) -> tuple[str, ...]:
    unshare = [str(_tool("unshare")), "--mount", "--pid", "--fork", "--kill-child"]
    if kind is Isolation.USER_NAMESPACE:
        unshare += ["--user", "--map-root-user"]
    else:
        unshare += ["--propagation", "private"]
    room = limit("ephemeral", "default_mb")
    places = [str(root), str(here.task), str(here.layers), str(here.runtime), lang, str(here.starter)]
    return (
        *unshare,
        str(_tool("sh")),
        "-c",
        f"PATH={_SEARCHED}\n{_SCRIPT}",
        "sh",
        *places,
        str(room),
        str(tell),
        "setpriv",
        *_DROPPED[kind],
        "--",
    )


def _works(made: Sandbox) -> bool:
    variables = {"PATH": "/bin", "LD_LIBRARY_PATH": "/var/lang/lib"}
    question = made.command([made.python, "-S", "-s", "-c", "import os; os.listdir('/var/task')"], variables)
    try:
        done = subprocess.run(  # noqa: S603
            question,
            env={"PATH": _SEARCHED},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASK_MAX_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _tool(name: str) -> str | None:
    return shutil.which(name, path=_SEARCHED)


def _prefix(python: Interpreter) -> tuple[str, str | None]:
    """The folder to show as ``/var/lang``, empty for a system's own Python, and the interpreter as the child sees it.

    There is no such interpreter when it lies outside its own installation.
    """
    question = "import os, sys; print(sys.base_prefix); print(os.path.realpath(sys.executable))"
    try:
        done = subprocess.run(  # noqa: S603
            [python.path, "-I", "-S", "-c", question], capture_output=True, timeout=_ASK_MAX_S, check=True, text=True
        )
        prefix, executable = done.stdout.splitlines()
    except (OSError, ValueError, subprocess.SubprocessError):
        return "", None
    if Path(executable).is_relative_to("/usr"):
        return "", executable
    if not Path(executable).is_relative_to(prefix):
        return "", None
    return prefix, str(Path("/var/lang") / Path(executable).relative_to(prefix))


def _is_open(place: Path) -> bool:
    """Whether everybody gets to *place*."""
    real = place.resolve()
    return all(each.stat().st_mode & 0o001 for each in (*real.parents, real))
