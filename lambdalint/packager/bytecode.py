"""Bytecode that needs no check against its source, for files that never change once they are unpacked.

Ordinary ``.pyc`` files name their source's time, which a ZIP does not keep, so Python ignores them.  Those of PEP 552
with the *unchecked* flag are always used.  Code objects differ between minor versions of Python, so only an interpreter
of the target's own can make them.
"""

import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, TypeVar

from lambdalint.packager.pack import RawMember
from lambdalint.readers.disk import is_file
from lambdalint.store import home

#: Where Lambda unpacks a function, and layers: tracebacks show it.
TASK_ROOT: Final = "/var/task/"
LAYERS_ROOT: Final = "/opt/"

K = TypeVar("K")

_MIN_BATCH: Final = 20
_MAX_SOURCE_BYTES: Final = 16 * 1024 * 1024
_BATCH_MAX_S: Final = 600
_ASK_MAX_S: Final = 20
_TEST_FOLDERS: Final = frozenset(("test", "tests"))
_LENGTHS: Final = struct.Struct("<II")

# Runs under every Python from 3.8 on.  A file's path and source come in, its bytecode or an empty answer goes out.
_COMPILER: Final = """\
import sys, struct, _imp
from importlib._bootstrap_external import _code_to_hash_pyc
lengths, one = struct.Struct("<II"), struct.Struct("<I")
Code = type((lambda: 0).__code__)

# Whether a string of one character is interned shows in the result, and must not depend on the files compiled before.
characters = [sys.intern(chr(number)) for number in range(256)]

def hold(item, held):
    # marshal flags strings that anything else refers to, which depends on what the process did before: refer to all.
    held.append(item)
    if isinstance(item, Code):
        for name in ("co_names", "co_varnames", "co_freevars", "co_cellvars", "co_consts"):
            for part in getattr(item, name):
                hold(part, held)
        held += [item.co_filename, item.co_name, getattr(item, "co_qualname", "")]
    elif isinstance(item, (tuple, frozenset)):
        for part in item:
            hold(part, held)

def compiled(source, path):
    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    held = []
    hold(code, held)
    if any(isinstance(item, frozenset) for item in held):
        # Sets are copied if one of their strings was interned before (3.13), so once more, now that all of them are.
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
        hold(code, held)
    return bytes(_code_to_hash_pyc(code, _imp.source_hash(%d, source), False))

reader, writer = sys.stdin.buffer, sys.stdout.buffer
while True:
    head = reader.read(lengths.size)
    if len(head) < lengths.size:
        break
    name, size = lengths.unpack(head)
    path, source = reader.read(name).decode("utf-8", "surrogateescape"), reader.read(size)
    try:
        made = compiled(source, path)
    except (SyntaxError, ValueError, UnicodeError, RecursionError, MemoryError, OverflowError):
        made = b""
    writer.write(one.pack(len(made)))
    writer.write(made)
writer.flush()
"""
# The key of PEP 552's hash: `importlib._bootstrap_external._RAW_MAGIC_NUMBER` of the interpreter that compiles.
_KEY: Final = "int.from_bytes(__import__('importlib.util').util.MAGIC_NUMBER, 'little')"

#: Changes with the way of compiling, for caches of what it made.
FINGERPRINT: Final = hashlib.sha256(_COMPILER.encode()).hexdigest()[:16]


class Bytecode(Enum):
    """Which modules get bytecode: none, those that a start leads to, or all."""

    NONE = "none"
    CLOSURE = "closure"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that can compile for a target; *version* is exact, ``3.13.1``, *cache_tag* as in ``cpython-313``.

    *root* is the folder in which the modules that it compiles will lie.
    """

    path: str
    version: str
    cache_tag: str
    root: str = TASK_ROOT


@dataclass(frozen=True, slots=True)
class Compiled:
    """Bytecode of the files that compile, and the paths of those that do not."""

    members: tuple[RawMember, ...]
    failed: tuple[str, ...] = ()


def interpreter(python: tuple[int, int], environment: Mapping[str, str]) -> Interpreter | None:
    """An interpreter of that minor version: the running one, one on ``PATH``, pyenv's, or one that uv installed."""
    if sys.version_info[:2] == python and sys.implementation.name == "cpython":
        return Interpreter(sys.executable, ".".join(map(str, sys.version_info[:3])), str(sys.implementation.cache_tag))
    for path in _candidates(python, environment):
        found = _asked(path, python)
        if found is not None:
            return found
    return None


def takes_bytecode(path: str) -> bool:
    """Whether a file is a module worth compiling; tests that come with distributions are not."""
    return path.endswith(".py") and not _TEST_FOLDERS & set(path.split("/")[:-1])


def bytecode_path(path: str, by: Interpreter) -> str:
    """Where Python looks for the bytecode of the module at *path*."""
    folder, _, name = path.rpartition("/")
    return f"{folder}{'/' if folder else ''}__pycache__/{name.removesuffix('.py')}.{by.cache_tag}.pyc"


def compiled(groups: Mapping[K, Iterable[RawMember]], by: Interpreter, jobs: int) -> dict[K, Compiled]:
    """The bytecode of each group of sources; the same source gives the same bytecode, whatever is compiled with it."""
    listed = [
        (key, source) for key, sources in groups.items() for source in sources if len(source.data) <= _MAX_SOURCE_BYTES
    ]
    jobs = max(1, min(jobs, len(listed) // _MIN_BATCH))
    batches = [[source for _, source in listed[start::jobs]] for start in range(jobs)]
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        answers = list(pool.map(lambda batch: _compile(batch, by), batches))
    members: dict[K, list[RawMember]] = {key: [] for key in groups}
    failed: dict[K, list[str]] = {key: [] for key in groups}
    for place, (key, source) in enumerate(listed):
        data = answers[place % jobs][place // jobs]
        if data:
            members[key].append(RawMember(bytecode_path(source.path, by), data))
        else:
            failed[key].append(source.path)
    return {
        key: Compiled(tuple(sorted(members[key], key=lambda member: member.path)), tuple(sorted(failed[key])))
        for key in groups
    }


def _compile(batch: Sequence[RawMember], by: Interpreter) -> list[bytes]:
    """The bytecode of each source of *batch*, empty where there is none."""
    if not batch:
        return []
    request = b"".join(_framed(source, by.root) for source in batch)
    try:
        done = subprocess.run(  # noqa: S603
            [by.path, "-S", "-s", "-B", "-W", "ignore", "-c", _COMPILER.replace("%d", _KEY)],
            input=request,
            capture_output=True,
            timeout=_BATCH_MAX_S,
            # Nothing of the user's environment may show in the result: not the hash seed, not PYTHONOPTIMIZE.
            env={"PYTHONHASHSEED": "0", "PATH": os.defpath, **_loader_variables()},
            cwd=Path(os.sep).resolve(),
            check=False,
        )
        answer = done.stdout
    except (OSError, subprocess.TimeoutExpired):
        answer = b""
    offset, found = 0, []
    for _ in batch:
        # A compiler that dies of one file leaves the ones after it without bytecode, no worse.
        size = int.from_bytes(answer[offset : offset + 4], "little")
        data = answer[offset + 4 : offset + 4 + size]
        offset += 4 + size
        found.append(data if len(data) == size else b"")
    return found


def _framed(source: RawMember, root: str) -> bytes:
    path = (root + source.path).encode("utf-8", "surrogateescape")
    return _LENGTHS.pack(len(path), len(source.data)) + path + source.data


def _loader_variables() -> dict[str, str]:
    """What an interpreter may need to start at all."""
    names = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
    return {name: os.environ[name] for name in names if name in os.environ}


def _candidates(python: tuple[int, int], environment: Mapping[str, str]) -> Iterator[str]:
    minor = f"{python[0]}.{python[1]}"
    own = Path(environment.get("HOME") or home() or os.sep)
    pyenv = Path(environment.get("PYENV_ROOT") or own / ".pyenv")
    on_path = shutil.which(f"python{minor}", path=environment.get("PATH"))
    if on_path is not None and not Path(on_path).is_relative_to(pyenv / "shims"):
        yield on_path
    data = Path(environment.get("XDG_DATA_HOME") or own / ".local" / "share")
    managed = Path(environment.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    for folder, pattern in ((pyenv / "versions", f"{minor}.*"), (managed, f"cpython-{minor}.*")):
        try:
            places = sorted(folder.glob(pattern), key=_release, reverse=True)
        except OSError:
            continue  # another user's
        for place in places:
            if is_file(place / "bin" / f"python{minor}"):
                yield str(place / "bin" / f"python{minor}")


def _release(place: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", place.name)[:3])


def _asked(path: str, python: tuple[int, int]) -> Interpreter | None:
    """The interpreter at *path* if it runs and is a final release of that minor version of CPython."""
    question = "import sys; print(sys.implementation.cache_tag, sys.version_info[3], *sys.version_info[:3])"
    try:
        done = subprocess.run(  # noqa: S603
            [path, "-I", "-S", "-c", question], capture_output=True, timeout=_ASK_MAX_S, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    words = done.stdout.split()
    if len(words) != 5 or words[0] != f"cpython-{python[0]}{python[1]}" or words[1] != "final":
        return None
    return Interpreter(path, ".".join(words[2:]), words[0])
