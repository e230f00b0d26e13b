"""Where a path that code opens lies in the function's package."""

from posixpath import dirname, join, normpath, relpath
from typing import Final

from lambdalint.facts.expressions import CallOf, Env, Expression, Joined, Literal, Name, walk
from lambdalint.facts.guards import Guard, GuardKind

TASK_ROOT: Final = "/var/task"

_FILE: Final = Name("__file__")
_JOINS: Final = ("os.path.join", "pathlib.Path", "pathlib.PosixPath", "pathlib.PurePosixPath")
_SAME: Final = ("os.fspath", "os.path.abspath", "os.path.normpath", "os.path.realpath", "str")
_HERE: Final = ("os.getcwd", "pathlib.Path.cwd")
_CAUGHT: Final = frozenset(("BaseException", "Exception", "FileNotFoundError", "IOError", "OSError"))


def package_path(path: Expression, module: str) -> str | None:
    """*path* relative to the package's root, as code of *module*, itself given so, opens it.

    ``None`` where it is not known or lies elsewhere; it begins with ``..`` where the module's own place leads out of
    the package.  Lambda starts functions in the root.
    """
    found = _absolute(path, f"{TASK_ROOT}/{module}")
    if found is None or "://" in found or "\0" in found:
        return None
    whole = normpath(join(TASK_ROOT, found))
    beside = whole.startswith(f"{dirname(TASK_ROOT)}/") and any(part == _FILE for part in walk(path))
    return relpath(whole, TASK_ROOT) if beside or whole.startswith(f"{TASK_ROOT}/") else None


def expects_absence(guard: Guard) -> bool:
    """Whether the code deals with a file that is not there, or may be for a developer's machine."""
    return guard.kind in (GuardKind.ENV, GuardKind.VERSION) or (
        guard.kind is GuardKind.TRY and not _CAUGHT.isdisjoint(guard.names)
    )


def _absolute(path: Expression, file: str) -> str | None:
    match path:
        case Literal(str(value)):
            return value
        case Name() if path == _FILE:
            return file
        case Env("LAMBDA_TASK_ROOT"):
            return TASK_ROOT
        case CallOf(name) if name in _HERE:
            return TASK_ROOT
        case CallOf(name, args) if name in _JOINS and args:
            found = [_absolute(each, file) for each in args]
            return None if None in found else join(*(each for each in found if each is not None))
        case CallOf("os.path.dirname", (only,)):
            inner = _absolute(only, file)
            return None if inner is None else dirname(inner)
        case CallOf(name, (only,)) if name in _SAME:
            return _absolute(only, file)
        case Joined(parts):
            texts = [_absolute(each, file) for each in parts]
            return None if None in texts else "".join(each for each in texts if each is not None)
        case _:
            return None
