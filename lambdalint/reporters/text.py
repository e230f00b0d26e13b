"""For people at a terminal: each finding with its source, its context and what to do about it."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from lambdalint.engine.result import Result
from lambdalint.model.finding import Confidence, Finding
from lambdalint.model.places import Place, Span
from lambdalint.model.source import Source
from lambdalint.reporters.snippet import Canvas, Mark, concealed, snippet
from lambdalint.reporters.style import Style
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import columns, visible
from lambdalint.reporters.wording import conclusion, fixing, is_whole, place, untold_failures, worst

#: Where a line of source is cut when no terminal says how wide it is.
WIDE: Final = 160
NARROWEST: Final = 40


def render(result: Result, view: View) -> str:
    """Every finding, then what could not be judged, then one line that sums up."""
    page = _Page(result, view.width, Style(view.colour))
    blocks = [list(page.finding(finding)) for finding in result.findings]
    blocks += [list(page.failures()), list(page.notes()), list(page.ending())]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


@dataclass(frozen=True, slots=True)
class _Scene:
    """One file that a finding speaks of; without marks there is no source to show, and *label* stands alone."""

    at: Place
    marks: list[Mark] = field(default_factory=list)
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Page:
    result: Result
    width: int | None
    style: Style
    sources: dict[str, Sequence[str]] = field(default_factory=dict)

    def finding(self, finding: Finding) -> Iterator[str]:
        kind, name = f"{finding.severity.value}[{finding.code}]", f" {finding.name}:"
        painted = self.style.severity(finding.severity, kind) + self.style.strong(name)
        yield from self.wrapped(f"{kind}{name}", painted, visible(finding.message))
        scenes = self.scenes(finding)
        marks = [mark for scene in scenes for mark in scene.marks]
        gutter = max((len(str(_last_line(mark))) for mark in marks), default=1)
        room = max(self.width or WIDE, NARROWEST) - gutter - len(" | ")
        canvas = Canvas(gutter, room, self.style, finding.severity)
        rows: list[str] = []
        for arrow, scene in zip(("-->", *[":::"] * len(scenes)), scenes, strict=False):
            pointer, where = " " * gutter + arrow, place(self.result, scene.at)
            if scene.label:
                painted = f"{self.style.gutter(pointer)} {where}:"
                rows += self.wrapped(f"{pointer} {where}:", painted, scene.label, hang=gutter + 4)
            else:
                inside = f" in {visible(finding.function)}" if arrow == "-->" and finding.function else ""
                rows.append(f"{self.style.gutter(pointer)} {where}{self.style.faint(inside)}")
            if scene.marks:
                lines = self.lines(scene.at.path)
                hidden = finding.at if finding.secret and isinstance(finding.at, Span) else None
                shown = concealed(lines, hidden) if hidden and hidden.path == scene.at.path else lines
                rows += snippet(shown, scene.marks, canvas)
            else:
                rows.append(canvas.row())
        advice = _advice(finding)
        yield from rows if advice else rows[:-1]
        for topic, text in advice:
            start = f"{' ' * gutter} = "
            painted = self.style.gutter(start) + self.style.hint(f"{topic}:")
            yield from self.wrapped(f"{start}{topic}:", painted, visible(text), hang=gutter + 3)

    def scenes(self, finding: Finding) -> list[_Scene]:
        """The files to show, the finding's own first; what is related stands in the picture of its file."""
        scenes = [_Scene(finding.at)]
        if isinstance(finding.at, Span) and self.has_source(finding.at):
            scenes[0].marks.append(Mark(finding.at, primary=True))
        for related in finding.related:
            at, label = related.at, visible(related.message)
            if not isinstance(at, Span) or not self.has_source(at):
                scenes.append(_Scene(at, label=label))
                continue
            scene = next((each for each in scenes if each.marks and each.at.path == at.path), None)
            if not scene:
                scene = _Scene(at)
                scenes.append(scene)
            scene.marks.append(Mark(at, label))
        return scenes

    def failures(self) -> Iterator[str]:
        for failure in untold_failures(self.result):
            where = f" {visible(self.result.shown(failure.path))}:" if failure.path else ""
            painted = self.style.bad("failed:") + self.style.strong(where)
            first, *others = failure.message.splitlines() or [""]
            yield from self.wrapped(f"failed:{where}", painted, visible(first))
            for line in others:
                yield from self.wrapped("   ", "   ", visible(line), hang=4)
            if failure.hint:
                painted = f"  {self.style.gutter('=')} {self.style.hint('help:')}"
                yield from self.wrapped("  = help:", painted, visible(failure.hint), hang=4)

    def notes(self) -> Iterator[str]:
        for note in self.result.notes:
            yield from self.wrapped("note:", self.style.hint("note:"), visible(note))

    def ending(self) -> Iterator[str]:
        said, *failed = conclusion(self.result)
        severity = worst(self.result)
        if severity:
            yield self.style.severity(severity, said)
        else:
            yield said if failed else self.style.good(said)
        yield from map(self.style.bad, failed)
        if fixes := fixing(self.result):
            yield fixes
        explained = next((finding.code for finding in self.result.findings if finding.url), None)
        if explained:
            yield self.style.faint(f"Explain a finding with: lambdalint rule {explained}")

    def has_source(self, span: Span) -> bool:
        return not is_whole(span) and span.line <= len(self.lines(span.path))

    def lines(self, path: str) -> Sequence[str]:
        if path not in self.sources:
            text = self.result.read_text(path)
            self.sources[path] = Source(path, text).lines if text else ()
        return self.sources[path]

    def wrapped(self, head: str, painted: str, text: str, *, hang: int = 2) -> Iterator[str]:
        """*text* after *head*, which is shown as *painted*; on a terminal its further lines hang by *hang* columns."""
        if not self.width or columns(f"{head} {text}") <= self.width:
            yield f"{painted} {text}"
            return
        first, *others = _wrap(text, max(self.width, NARROWEST), columns(head) + 1, hang)
        yield f"{painted} {first}".rstrip()
        yield from others


def _wrap(text: str, width: int, taken: int, hang: int) -> list[str]:
    """Lines of whole words; *taken* columns of the first line are used already, so it may stay empty."""
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=" " * min(taken, width - 1),
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [lines[0].lstrip(), *lines[1:]]


def _advice(finding: Finding) -> list[tuple[str, str]]:
    advice = []
    if finding.confidence is Confidence.LOW:
        advice.append(("note", "this is an estimate, with low confidence"))
    if finding.hint:
        advice.append(("help", finding.hint))
    if finding.fix:
        advice.append((f"{finding.fix.applicability.value} fix", finding.fix.title))
    return advice


def _last_line(mark: Mark) -> int:
    return mark.span.end_line if mark.primary else mark.span.line
