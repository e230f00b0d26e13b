"""The text of a file that edits are made for."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from lambdalint.model.finding import Edit
from lambdalint.model.places import Span

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """The *text* of the file at *path*, by lines and by characters."""

    path: str
    text: str
    starts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = (0, *(match.end() for match in _LINE_END.finditer(self.text)))
        object.__setattr__(self, "starts", starts)

    def offset(self, line: int, column: int) -> int:
        """Where a place is, counted from the start of the text; its end where the place is none of it."""
        return min(self.starts[line - 1] + column, len(self.text)) if line <= len(self.starts) else len(self.text)

    def bounds(self, span: Span) -> tuple[int, int]:
        """Where a span begins and ends."""
        return self.offset(span.line, span.column), self.offset(span.end_line, span.end_column)

    def at(self, span: Span) -> str:
        """What stands at *span*."""
        start, end = self.bounds(span)
        return self.text[start:end]

    def line_end(self, line: int) -> int:
        """Where a line ends, without what ends it."""
        start = self.starts[line - 1]
        end = _LINE_END.search(self.text, start)
        return end.start() if end else len(self.text)

    def edit(self, start: int, end: int, text: str) -> Edit:
        """The edit that puts *text* in place of what is between two offsets."""
        return Edit(Span(self.path, *self._place(start), *self._place(end)), text)

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1]
