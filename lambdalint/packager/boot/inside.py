"""What runs in the child, before the runtime's client and under the target's own Python, from 3.8 on.

It tells by lines on a descriptor of its own what the function opens (``r``), compiles (``c``) and tries to write
(``w``).  It imports nothing but what every interpreter has loaded: all else would show in the import times.
"""

# ruff: noqa: PTH100, PTH110, PTH118, PTH119, S108, SIM105, UP031

import errno
import os
import sys

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MAX_SEEN = 20000
_MAX_LINE = 2000


def _watch(descriptor: int, own: "tuple[str, ...]", writable: "tuple[str, ...]", refuses: bool) -> None:
    """Tell what is opened outside the folders *own*; with *refuses*, let nothing be written outside *writable*."""
    seen: set[str] = set()

    def tell(kind: str, path: str) -> None:
        key = kind + path
        if key in seen or len(seen) >= _MAX_SEEN:
            return
        seen.add(key)
        if kind == "r" and not os.path.exists(path):
            return
        line = (kind + path.replace("\\", "\\\\").replace("\n", "\\n")).encode("utf-8", "surrogateescape")
        try:
            os.write(descriptor, line[:_MAX_LINE] + b"\n")
        except OSError:
            pass  # nobody listens any more

    def absolute(path: object) -> "str | None":
        if not isinstance(path, (str, bytes, os.PathLike)):
            return None
        try:
            return os.path.abspath(os.fsdecode(path))
        except (TypeError, ValueError, OSError):
            return None

    def reads(given: object) -> None:
        path = absolute(given)
        if path is not None and not path.startswith(own):
            tell("r", path)

    def writes(given: object, makes: bool, exists: bool) -> None:
        """Refuse what *makes* the file or needs it; where one *exists* or not, it may fail for that instead."""
        path = absolute(given)
        if path is None or (path + "/").startswith(writable):
            return
        there = os.path.lexists(path)
        if (makes and there and not exists) or (not there and not makes):
            return
        parent, name = os.path.split(path)
        if name != "__pycache__" and os.path.basename(parent) != "__pycache__":
            tell("w", path)
        if refuses:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    def opened(args: "tuple[object, ...]") -> None:
        flags = args[2] if isinstance(args[2], int) else 0
        if flags & _WRITING:
            writes(args[0], bool(flags & os.O_CREAT), True)
        else:
            reads(args[0])

    def compiled(args: "tuple[object, ...]") -> None:
        name = args[1]
        if isinstance(name, str) and name.endswith(".py") and not name.startswith(own):
            tell("c", name)

    def made(args: "tuple[object, ...]") -> None:
        writes(args[0], True, False)

    def changed(args: "tuple[object, ...]") -> None:
        writes(args[0], False, True)

    def linked(args: "tuple[object, ...]") -> None:
        writes(args[1], True, False)

    def renamed(args: "tuple[object, ...]") -> None:
        writes(args[0], False, True)
        writes(args[1], True, True)

    def imported(args: "tuple[object, ...]") -> None:
        if isinstance(args[1], str):
            reads(args[1])

    heard = {
        "open": opened,
        "compile": compiled,
        "import": imported,
        "os.mkdir": made,
        "os.link": linked,
        "os.symlink": linked,
        "os.rename": renamed,
        "os.remove": changed,
        "os.rmdir": changed,
        "os.truncate": changed,
        "os.chmod": changed,
        "os.chown": changed,
        "os.utime": changed,
    }

    def hook(event: str, args: "tuple[object, ...]") -> None:
        hears = heard.get(event)
        if hears is not None:
            hears(args)

    sys.addaudithook(hook)


def main() -> None:
    descriptor, refuses, mark, handler, runtime, layers = sys.argv[1:7]
    task = os.environ["LAMBDA_TASK_ROOT"]
    os.set_inheritable(int(descriptor), False)
    own_library = [part for part in sys.path[1:] if part not in os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    sys.path[:] = [*own_library, runtime]
    import site  # without -S its names would be there, with it the packages of this machine

    site.setquit()
    site.setcopyright()
    site.sethelper()
    from awslambdaric.__main__ import main as run

    version = "python%d.%d" % sys.version_info[:2]
    python = os.path.join(layers, "python")
    given = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part != runtime]
    packages = os.path.join(python, "lib", version, "site-packages")
    sys.path[:] = [task, *given, packages, python, *own_library, runtime]
    os.chdir(task)
    sys.argv[:] = ["bootstrap", handler]
    own = tuple(part.rstrip("/") + "/" for part in (*own_library, runtime))
    temporary = os.environ.get("TMPDIR", "/tmp").rstrip("/") + "/"
    _watch(int(descriptor), own, ("/tmp/", temporary, "/dev/", "/proc/"), refuses == "1")
    os.write(2, mark.encode() + b"\n")
    run(sys.argv)


if __name__ == "__main__":
    main()
