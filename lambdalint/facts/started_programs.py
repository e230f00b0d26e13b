"""Programs that code starts, where it says which."""

from collections.abc import Iterator
from typing import Final

from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.expressions import Collection, Env, Expression, Joined, Literal
from lambdalint.facts.per_module import PerModule
from lambdalint.model.function import Function

#: What starts a program, with the keyword of the argument that names it first.
_STARTERS: Final = {
    **dict.fromkeys(
        (f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")),
        "args",
    ),
    **dict.fromkeys(("os.execv", "os.execve", "os.execl", "os.execle", "os.posix_spawn"), "path"),
}
#: Where the function's code is unpacked, and what says so.
_TASK_ROOT: Final = "LAMBDA_TASK_ROOT"
TASK_FOLDER: Final = "/var/task/"


def started_programs(function: Function, calls: PerModule[Calls]) -> Iterator[tuple[str, str]]:
    """The absolute path of each program that a module of *function* starts, and the module's path.

    A relative path is one of the function's folder, in which Lambda starts it.
    """
    for program, path in _programs(function, calls):
        if "/" in program:
            yield program if program.startswith("/") else TASK_FOLDER + program.removeprefix("./"), path


def looked_up_programs(function: Function, calls: PerModule[Calls]) -> Iterator[tuple[str, str]]:
    """The name of each program that is looked for along ``PATH``, and the path of the module that starts it."""
    for program, path in _programs(function, calls):
        if "/" not in program:
            yield program, path


def _programs(function: Function, calls: PerModule[Calls]) -> Iterator[tuple[str, str]]:
    for path in dict.fromkeys(function.modules.values()):
        module = calls.get(path)
        for call in module.calls if module else ():
            program = None if call.skipped else _program(call)
            if program:
                yield program, path


def _program(call: Call) -> str | None:
    keyword = _STARTERS.get(call.name or "")
    named = call.argument(0, keyword) if keyword else None
    if isinstance(named, Collection) and named.items:
        named = named.items[0]
    elif keyword == "args":
        text = _text(named)
        return text.split()[0] if text and text.split() else None
    return _text(named)


def _text(expression: Expression | None) -> str | None:
    """What *expression* says, if it is known as it stands."""
    match expression:
        case Literal(value=str() as text):
            return text
        case Env(name=name) if name == _TASK_ROOT:
            return TASK_FOLDER.rstrip("/")
        case Joined(parts=parts):
            texts = [_text(part) for part in parts]
            return None if None in texts else "".join(text for text in texts if text)
        case _:
            return None
