"""Text that others wrote, made safe and measurable for a terminal."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

TAB: Final = 4
ELLIPSIS: Final = "…"


def visible(text: str) -> str:
    r"""*text* on one line, with everything a terminal would obey or hide written out: ``\x1b``, ``\n``, ``\u202e``.

    Control characters, bidirectional overrides, invisible spaces and lone surrogates are escaped; the rest stays.
    """
    if text.isprintable():
        return text
    return "".join(map(_cell, text))


def columns(text: str) -> int:
    """How many columns of a terminal *text* takes; East Asian characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def cut(text: str, room: int) -> str:
    """*text*, or as much of its beginning as fits into *room* columns with an ellipsis."""
    return Line.of(text).window(0, 0, room).text


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a line that is shown; *before* are the columns cut away in front of it."""

    text: str
    before: int

    def column(self, column: int) -> int:
        """Where in the window a column of the line is; columns that are cut away lie at its edges."""
        return min(max(column - self.before, 0), columns(self.text))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of source as shown: *cells* one a character, *starts* the column where each begins, and where all end."""

    cells: Sequence[str]
    starts: Sequence[int]

    @staticmethod
    def of(text: str) -> "Line":
        if text.isascii() and text.isprintable():
            return Line(text, range(len(text) + 1))
        cells: list[str] = []
        starts = [0]
        for character in text:
            cell = " " * (TAB - starts[-1] % TAB) if character == "\t" else _cell(character)
            cells.append(cell)
            starts.append(starts[-1] + columns(cell))
        return Line(cells, starts)

    def column(self, character: int) -> int:
        """The column where the character with this index begins; beyond the line it is the line's end."""
        return self.starts[min(character, len(self.cells))]

    def window(self, start: int, end: int, room: int) -> Window:
        """At most *room* columns of the line, with the columns from *start* in sight, and up to *end* if they fit."""
        total = self.starts[-1]
        if total <= room:
            return Window("".join(self.cells), 0)
        lead = 0 if end < room else max(0, min(start - room // 4, total - room))
        left = ELLIPSIS if lead else ""
        right = ELLIPSIS if lead + room < total else ""
        inside = [
            index
            for index in range(len(self.cells))
            if self.starts[index] >= lead + len(left) and self.starts[index + 1] <= lead + room - len(right)
        ]
        if not inside:
            return Window(ELLIPSIS, start)
        text = left + "".join(self.cells[inside[0] : inside[-1] + 1]) + right
        return Window(text, self.starts[inside[0]] - len(left))


def _cell(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
