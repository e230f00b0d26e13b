"""Projects of the user's own that others depend on, built to wheels by their own build backend."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from lambdalint.errors import Refused
from lambdalint.packager.choice import why_no_tag
from lambdalint.packager.target import Target
from lambdalint.packager.times import EARLIEST_S, VARIABLE, source_date_epoch
from lambdalint.packager.uv import own_words, uv_binary
from lambdalint.readers.tree import Tree

_MAX_S: Final = 600

#: What backends and tools make, and read from elsewhere.
_MADE: Final = frozenset(("__pycache__", "node_modules", "build", "dist", "venv"))


def built_wheel(folder: Path, name: str, scratch: Path, target: Target) -> Path:
    """The wheel of the project in *folder*, called *name* in messages.

    Raises:
        Refused: it does not build, or builds for this machine and not for *target*.
    """
    out = Path(tempfile.mkdtemp(dir=scratch, prefix="built-"))
    command = [uv_binary(), "build", "--wheel", "--out-dir", str(out), "--python", sys.executable, "--color", "never"]
    try:
        done = subprocess.run(  # noqa: S603
            [*command, str(folder)],
            # A time of their own would make every wheel another one.
            env={**os.environ, VARIABLE: str(source_date_epoch(os.environ) or EARLIEST_S)},
            capture_output=True,
            timeout=_MAX_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"{name} cannot be built: {error}", hint=f"does `uv build --wheel {name}` work?") from error
    wheels = sorted(out.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        words = own_words(done.stderr.decode(errors="replace")).replace(str(folder), name)
        raise Refused(f"{name} cannot be built:\n{words}", hint=f"does `uv build --wheel {name}` work?")
    if target.rank(wheels[0].name) is None:
        raise Refused(
            f"{name} builds {wheels[0].name}, which does not fit {target}: {why_no_tag([wheels[0].name], target)}",
            hint="only pure Python projects can be built here for another machine",
        )
    return wheels[0]


def look_at(tree: Tree, folder: str) -> None:
    """Have *tree* know the files of the project in *folder*, which a build backend reads behind its back."""
    waiting = [folder]
    while waiting:
        inside = waiting.pop()
        for name in tree.names(inside):
            path = f"{inside}/{name}" if inside else name
            if name.startswith(".") or name in _MADE or tree.is_link(path):
                continue
            if tree.is_folder(path):
                waiting.append(path)
            else:
                tree.on_disk(path)
