"""The one tree of errors raised on purpose."""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a command says to the shell."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    INCOMPLETE = 3


class LambdalintError(Exception):
    """The root of every error raised on purpose; *message* and *hint* are shown as they are."""

    exit_code: ClassVar[ExitCode] = ExitCode.INCOMPLETE

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LambdalintError):
    """The command line asks for something that does not exist."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """The configuration says something that nobody understands."""


class RuleError(UsageError):
    """A rule or pack of rules is not well-formed; the message names its file and line."""


class UnreadableInput(LambdalintError):
    """A file cannot be read or is not what it should be; *line* and *column* say where, if it is text."""

    def __init__(self, message: str, *, path: str, line: int = 1, column: int = 0, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.path = path
        self.line = line
        self.column = column


class Refused(LambdalintError):
    """A package cannot be built as asked: no wheel fits, an index does not answer, a file cannot be placed."""
