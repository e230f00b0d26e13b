"""A piece of source with carets under what matters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final

from lambdalint.model.finding import Severity
from lambdalint.model.places import Span
from lambdalint.reporters.style import Style
from lambdalint.reporters.visible import Line, columns

#: Of a span with more lines only the first ones and the last one are shown.
MAX_LINES: Final = 6
HEAD_LINES: Final = 3
#: Enough to tell which secret it is, of any that is one.
SHOWN_OF_SECRET: Final = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """What to underline, and what to write beside it; the *primary* mark is the finding's own place."""

    span: Span
    label: str = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Canvas:
    """How a snippet is drawn: *gutter* is the width of the line numbers, *room* what is left for the source."""

    gutter: int
    room: int
    style: Style
    severity: Severity

    def row(self, text: str = "", number: int | None = None) -> str:
        """One line of the snippet, with its number in the gutter if it is a line of the source."""
        margin = self.style.gutter(f"{'' if number is None else number:>{self.gutter}} |")
        return f"{margin} {text}" if text else margin

    def gap(self) -> str:
        """The line that stands for lines left out."""
        return self.style.gutter("...")

    def paint(self, mark: Mark, text: str) -> str:
        return self.style.severity(self.severity, text) if mark.primary else self.style.gutter(text)


def snippet(lines: Sequence[str], marks: Sequence[Mark], canvas: Canvas) -> Iterator[str]:
    """The lines of one file that *marks* are about, each underlined; lines between them are left out.

    A primary mark of several lines is drawn with a bar at their side, any other by its first line.  Marks that lie
    beyond the end of the file are not drawn; with none left there are no rows.
    """
    marks = [_trimmed(mark, lines) for mark in marks if 0 < mark.span.line <= len(lines)]
    if not marks:
        return
    tall = next((mark for mark in marks if mark.primary and mark.span.end_line > mark.span.line), None)
    numbers = {mark.span.line for mark in marks}
    if tall:
        numbers.update(_lines_of(tall.span))
    yield canvas.row()
    previous = None
    for number in sorted(numbers):
        if previous and number == previous + 2:
            yield from _line(number - 1, lines, [], tall, canvas)
        elif previous and number > previous + 2:
            yield canvas.gap()
        here = [mark for mark in marks if mark.span.line == number and mark is not tall]
        yield from _line(number, lines, here, tall, canvas)
        previous = number
    yield canvas.row()


def concealed(lines: Sequence[str], span: Span) -> Sequence[str]:
    """*lines* with everything in *span* but its first characters made unreadable, at the same width."""
    hidden = list(lines)
    for number in range(span.line, min(span.end_line, len(lines)) + 1):
        line = lines[number - 1]
        start = span.column + SHOWN_OF_SECRET if number == span.line else 0
        end = span.end_column if number == span.end_line else len(line)
        hidden[number - 1] = line[:start] + "*" * max(0, end - start) + line[max(start, end) :]
    return hidden


def _line(number: int, lines: Sequence[str], marks: Sequence[Mark], tall: Mark | None, canvas: Canvas) -> Iterator[str]:
    line = Line.of(lines[number - 1])
    focus = marks[0] if marks else None
    starts, ends = _reach(line, focus) if focus else (0, 0)
    if tall and number == tall.span.line:
        starts = line.column(tall.span.column)
    window = line.window(starts, max(starts, ends), canvas.room - 2 if tall else canvas.room)
    opens = tall is not None and number == tall.span.line
    opens_late = opens and tall is not None and bool(lines[number - 1][: tall.span.column].strip())
    yield canvas.row((_bar(number, tall, canvas, opens_late) + window.text.rstrip()).rstrip(), number)
    if tall and opens_late:
        reach = window.column(line.column(tall.span.column))
        yield canvas.row(canvas.paint(tall, " _" + "_" * reach + "^"))
    side = _bar(number, tall, canvas, opens_late, under=True)
    for mark in marks:
        start, end = (window.column(column) for column in _reach(line, mark))
        yield from (canvas.row(side + row) for row in _underline(mark, start, end, canvas))
    if tall and number == tall.span.end_line:
        reach = window.column(line.column(tall.span.end_column))
        yield canvas.row(canvas.paint(tall, "|" + "_" * max(1, reach) + "^"))


def _underline(mark: Mark, start: int, end: int, canvas: Canvas) -> Iterator[str]:
    """The carets with the label beside them, or below them where there is no room."""
    carets = ("^" if mark.primary else "-") * max(1, end - start)
    if start + len(carets) + 1 + columns(mark.label) <= canvas.room:
        yield " " * start + canvas.paint(mark, f"{carets} {mark.label}".rstrip())
        return
    yield " " * start + canvas.paint(mark, carets)
    indent = min(start, canvas.room // 3)
    yield from (" " * indent + canvas.paint(mark, part) for part in wrap(mark.label, canvas.room - indent))


def _bar(number: int, tall: Mark | None, canvas: Canvas, opens_late: bool, *, under: bool = False) -> str:
    if not tall:
        return ""
    if not tall.span.line <= number <= tall.span.end_line or (opens_late and not under):
        return "  "
    return canvas.paint(tall, "/" if number == tall.span.line and not under else "|") + " "


def _reach(line: Line, mark: Mark) -> tuple[int, int]:
    """The columns from and to which a mark goes on its first line."""
    several = mark.span.end_line > mark.span.line
    end = line.starts[-1] if several else line.column(mark.span.end_column)
    return line.column(mark.span.column), end


def _lines_of(span: Span) -> range | tuple[int, ...]:
    if span.end_line - span.line < MAX_LINES:
        return range(span.line, span.end_line + 1)
    return (*range(span.line, span.line + HEAD_LINES), span.end_line)


def _trimmed(mark: Mark, lines: Sequence[str]) -> Mark:
    """The mark without the blank end of its span: a block of YAML ends where the next key starts."""
    span = mark.span
    line, column = min(span.end_line, len(lines)), span.end_column
    if span.end_line > len(lines):
        column = len(lines[-1])
    while line > span.line and not lines[line - 1][:column].strip():
        line -= 1
        column = len(lines[line - 1])
    return Mark(Span(span.path, span.line, span.column, line, column), mark.label, mark.primary)
