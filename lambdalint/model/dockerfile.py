"""A Dockerfile with the place of every part."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdalint.model.places import Span


@dataclass(frozen=True, slots=True)
class Word:
    """A part of an instruction, without the quotes of an exec form; variables in it stand as they were written."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A document inside an instruction; *expands* says that variables in it are replaced."""

    name: str
    content: str
    expands: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction over all its lines.

    *keyword* is in upper case, *flags* are its options without dashes, ``""`` for one without a value.  *text* is all
    that follows them, lines joined, comments gone.  *words* are the parts of it: the strings of an exec form, what
    stands between blanks otherwise.
    """

    keyword: str
    text: str
    words: tuple[Word, ...]
    span: Span
    flags: Mapping[str, str] = field(default_factory=dict)
    is_exec: bool = False
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """What one ``FROM`` begins.

    *base* is an image or an earlier stage with the variables of the build filled in, ``None`` where one has no value.
    """

    number: int
    name: str | None
    base: str | None
    platform: str | None
    start: Instruction
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The stages of a build, in order; the last one is the image unless the build names another.

    *arguments* are those before the first stage with their values, ``None`` without one.  *escape* is the character
    that continues a line.
    """

    path: str
    stages: tuple[Stage, ...]
    arguments: Mapping[str, str | None]
    escape: str = "\\"

    def stage(self, name: str, before: int | None = None) -> Stage | None:
        """The stage of that name or number, of several the last; only of those with a number less than *before*."""
        stages = self.stages[:before]
        for each in reversed(stages):
            if each.name is not None and each.name.lower() == name.lower():
                return each
        return (
            stages[int(name)]
            if name.isascii() and name.isdigit() and len(name) < 6 and int(name) < len(stages)
            else None
        )
