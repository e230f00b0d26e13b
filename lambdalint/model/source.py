"""The text of a Python module, and the places of its nodes."""

import ast
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate

from lambdalint.model.places import Span


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A module's *text* under the *path* that findings name."""

    path: str
    text: str
    _lines: list[str] = field(default_factory=list, init=False, repr=False)
    _starts: dict[int, tuple[int, ...]] = field(default_factory=dict, init=False, repr=False)

    @property
    def lines(self) -> list[str]:
        """The lines without their ends; form feeds do not end one, as for Python."""
        if not self._lines:
            text = self.text.replace("\r\n", "\n").replace("\r", "\n")
            self._lines.extend(text.split("\n"))
        return self._lines

    def span(self, node: ast.AST) -> Span:
        """The place of *node*; Python counts columns in UTF-8 bytes, we count characters."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        end_line = getattr(node, "end_lineno", None) or line
        end_column = getattr(node, "end_col_offset", None) or column
        return Span(self.path, line, self._characters(line, column), end_line, self._characters(end_line, end_column))

    def _characters(self, line: int, column: int) -> int:
        if self.text.isascii() or line > len(self.lines):
            return column
        starts = self._starts.get(line)
        if starts is None:
            text = self.lines[line - 1]
            widths = () if text.isascii() else (len(character.encode(errors="replace")) for character in text)
            starts = self._starts[line] = tuple(accumulate(widths, initial=0)) if widths else ()
        return bisect_left(starts, column) if starts else column
