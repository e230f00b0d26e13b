"""What the engine itself has to say: family LL."""

from dataclasses import dataclass
from typing import Final

from lambdalint.model.finding import Severity

FAMILY: Final = "LL"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing the engine says; an error of it makes a report incomplete."""

    code: str
    name: str
    severity: Severity
    documentation: str


UNREADABLE_INPUT: Final = Message(
    "LL001",
    "unreadable-input",
    Severity.ERROR,
    "A template, archive or module cannot be read.\n\n"
    "What it would have declared was not checked, so the report is incomplete and the exit code is 3.",
)
SYNTAX_ERROR: Final = Message(
    "LL002",
    "syntax-error",
    Severity.ERROR,
    "A module that a handler loads does not parse.\n\n"
    "The function fails when Lambda imports it; nothing else could be said about that module, so the exit code is 3. "
    "Modules that no handler loads are nobody's business and are not mentioned.",
)
NEWER_GRAMMAR: Final = Message(
    "LL003",
    "newer-grammar",
    Severity.INFO,
    "A module uses grammar that is newer than the Python which runs lambdalint.\n\n"
    "It is sound, but was not looked at; run lambdalint with the newest Python.",
)
UNUSED_IGNORE: Final = Message(
    "LL004",
    "unused-ignore",
    Severity.WARNING,
    "An ignore silences nothing.\n\n"
    "The finding is gone, or the name is mistyped; the ignore would hide a new finding one day. Remove it.",
)
CRASHED_RULE: Final = Message(
    "LL005",
    "crashed-rule",
    Severity.ERROR,
    "A rule raised instead of answering.\n\n"
    "It costs that rule on that subject; all other findings hold. The exit code is 3. Please report it.",
)
MESSAGES: Final = (UNREADABLE_INPUT, SYNTAX_ERROR, NEWER_GRAMMAR, UNUSED_IGNORE, CRASHED_RULE)
