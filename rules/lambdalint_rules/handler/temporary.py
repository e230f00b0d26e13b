"""What the rules about ``/tmp`` have in common."""

from typing import Final

from lambdalint.facts.expressions import Expression, Literal, text_prefix, walk
from lambdalint.facts.file_calls import Doing
from lambdalint.facts.files import Files, FileUse
from lambdalint.facts.guards import Guard
from lambdalint.facts.path_calls import PathCalls

TMP: Final = "/tmp/"  # noqa: S108
_CHECKS: Final = ("exists", "isfile", "isdir", "is_file", "is_dir", "lexists", "access", "stat", "getmtime", "listdir")
_SHELLS: Final = ("subprocess.", "os.system", "os.popen")


def is_in_tmp(path: Expression) -> bool:
    """Whether *path* surely begins with ``/tmp/``."""
    return text_prefix(path).startswith(TMP)


def is_checked(guards: tuple[Guard, ...]) -> bool:
    """Whether the code looks first if the file is there: then it is kept on purpose."""
    return any(name.rpartition(".")[2] in _CHECKS for guard in guards for name in guard.names)


def invoked(files: Files) -> list[FileUse]:
    """What is touched in an invocation."""
    return [use for use in files.uses if use.phase == "invoke"]


def deletes(files: Files, calls: PathCalls) -> bool:
    """Whether an invocation deletes any file at all, itself or through a shell; which one, is hard to tell."""
    return any(use.doing is Doing.DELETE for use in invoked(files)) or any(
        call.phase == "invoke"
        and call.name is not None
        and call.name.startswith(_SHELLS)
        and any(_removes(part) for argument in call.call.args for part in walk(argument))
        for call in calls.calls
    )


def _removes(part: Expression) -> bool:
    return isinstance(part, Literal) and isinstance(part.value, str) and part.value.split(maxsplit=1)[:1] == ["rm"]
