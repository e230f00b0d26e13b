"""Code that stands in a template: places in it become places in the template."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from lambdalint.engine.edits import is_generated, paths_of
from lambdalint.model.finding import Finding
from lambdalint.model.function import CodeKind
from lambdalint.model.places import Place, Span
from lambdalint.model.project import Project


@dataclass(frozen=True, slots=True)
class _Block:
    """Where a piece of code stands; *lines* and *columns* are to be added, ``None`` when they do not correspond."""

    span: Span
    lines: int | None
    columns: int


@dataclass(frozen=True, slots=True)
class Embedded:
    """The inline code of a project, by the path of its module."""

    blocks: Mapping[str, _Block]

    @staticmethod
    def of(project: Project, read_text: Callable[[str], str | None]) -> "Embedded":
        """Where the inline code of the functions stands."""
        blocks = {}
        lines: dict[str, list[str]] = {}
        for function in project.functions:
            code = function.code
            if code and code.kind is CodeKind.INLINE and code.path:
                text = read_text(code.path)
                if code.span.path not in lines:
                    lines[code.span.path] = (read_text(code.span.path) or "").split("\n")
                blocks[code.path] = _block(code.span, text or "", lines[code.span.path])
        return Embedded(blocks)

    def placed(self, finding: Finding) -> Finding:
        """*finding* with places in inline code moved to the template, and no fix of what a tool makes anew."""
        if finding.fix and any(map(is_generated, paths_of(finding.fix))):
            finding = replace(finding, fix=None)
        if not self.blocks:
            return finding
        related = tuple(replace(each, at=self._moved(each.at)) for each in finding.related)
        # What an edit of the code would be in the template's quotes and indentation is not worked out.
        fix = None if finding.fix and not self.blocks.keys().isdisjoint(paths_of(finding.fix)) else finding.fix
        return replace(finding, at=self._moved(finding.at), related=related, fix=fix)

    def _moved(self, at: Place) -> Place:
        block = self.blocks.get(at.path)
        if block is None or not isinstance(at, Span):
            return at
        if block.lines is None:
            return block.span
        return Span(
            block.span.path,
            at.line + block.lines,
            at.column + block.columns,
            at.end_line + block.lines,
            at.end_column + block.columns,
        )


def _block(span: Span, code: str, template: list[str]) -> _Block:
    """A block scalar keeps lines and indents them all alike; any other style of quoting moves them about."""
    written = [(number, line) for number, line in enumerate(code.split("\n")) if line.strip()]
    if not written:
        return _Block(span, None, 0)
    number, first = written[0]
    for line in range(span.line, min(span.end_line, len(template)) + 1):
        stated = template[line - 1]
        if stated.strip() == first.strip():
            start = line - number - 1
            indent = stated.index(first.strip()) - first.index(first.strip())
            if all(
                template[start + at][indent:].rstrip() == text.rstrip()
                for at, text in written
                if start + at < len(template)
            ):
                return _Block(span, start, indent)
            break
    return _Block(span, None, 0)
