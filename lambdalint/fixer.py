"""Apply the fixes of findings, until there is nothing left to fix."""

import ast
import codecs
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import Final

from lambdalint.engine.edits import edits_of
from lambdalint.engine.result import Result
from lambdalint.engine.text import Text
from lambdalint.errors import UnreadableInput
from lambdalint.model.finding import Applicability, Edit, Finding, Fix
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree
from lambdalint.readers.yaml import read_yaml

#: One fix may make way for another; some take as many passes as there are links in a chain.
MAX_PASSES: Final = 10

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Fixed:
    """The new content of the files that were fixed, how many findings that settles, and the *broken* fixes.

    A fix is broken when the file could not be read any more with it; it is left out.
    """

    contents: Mapping[str, bytes]
    findings: int
    broken: tuple[Finding, ...] = ()


def fixed(tree: Tree, result: Result, check: Callable[[Tree], Result], *, unsafe: bool) -> Fixed:
    """The files of *tree* as they are with the fixes of *result*, and of what *check* finds after those.

    Only safe fixes are applied, unless *unsafe* ones are wanted as well.
    """
    changed = Overlaid(tree, {})
    count = 0
    broken: dict[Fix, Finding] = {}
    for _ in range(MAX_PASSES):
        found = [
            (finding, fix)
            for finding in result.findings
            if (fix := finding.fix) is not None
            and fix not in broken
            and (unsafe or fix.applicability is Applicability.SAFE)
        ]
        contents, applied = _applied(changed, found, broken)
        if not contents:
            break
        count += applied
        changed = Overlaid(tree, {**changed.contents, **contents})
        result = check(changed)
    return Fixed(changed.contents, count, tuple(broken.values()))


def diff(tree: Tree, contents: Mapping[str, bytes], shown: Callable[[str], str]) -> Iterator[str]:
    """What changes, as a unified diff by lines."""
    for path, content in sorted(contents.items()):
        before, after = (decoded(data, path).splitlines(keepends=True) for data in (tree.read(path), content))
        name = shown(path)
        for line in unified_diff(before, after, name, name):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


class Overlaid(Tree):
    """A tree with other *contents* for some of its files."""

    def __init__(self, base: Tree, contents: Mapping[str, bytes]) -> None:
        self.contents = contents
        self._base = base

    def is_file(self, path: str) -> bool:
        return self._base.is_file(path)

    def is_folder(self, path: str) -> bool:
        return self._base.is_folder(path)

    def is_link(self, path: str) -> bool:
        return self._base.is_link(path)

    def names(self, path: str) -> tuple[str, ...]:
        return self._base.names(path)

    def size(self, path: str) -> int:
        return len(self.contents[path]) if path in self.contents else self._base.size(path)

    def read(self, path: str) -> bytes:
        return self.contents[path] if path in self.contents else self._base.read(path)

    def on_disk(self, path: str) -> Path | None:
        return None if path in self.contents else self._base.on_disk(path)

    def check_open(self, path: str) -> None:
        self._base.check_open(path)


@dataclass(slots=True)
class EditedFile:
    """A file as it was read, and the edits it is to get."""

    text: Text
    data: bytes
    edits: list[Edit] = field(default_factory=list)

    def takes(self, edits: Iterable[Edit]) -> bool:
        """Whether *edits* touch nothing that others change; what is the same goes in once."""
        return all(edit in self.edits or not any(_overlap(edit, other) for other in self.edits) for edit in edits)

    def edited(self, edits: Iterable[Edit]) -> bytes:
        """The content of the file with *edits*, in its encoding and with its ends of lines."""
        text = self.text.text
        for edit in sorted(set(edits), key=lambda each: each.span, reverse=True):
            start, end = self.text.bounds(edit.span)
            text = f"{text[:start]}{self._with_line_ends(edit.text)}{text[end:]}"
        bom, encoding = next(((bom, name) for bom, name in _BOMS if self.data.startswith(bom)), (b"", "utf-8"))
        return bom + text.encode(encoding)

    def _with_line_ends(self, text: str) -> str:
        return text.replace("\n", "\r\n") if "\r\n" in self.text.text else text


def _applied(tree: Tree, found: list[tuple[Finding, Fix]], broken: dict[Fix, Finding]) -> tuple[dict[str, bytes], int]:
    """The contents of the files after as many fixes as can be made at once, and for how many findings that is."""
    files: dict[str, EditedFile] = {}
    done: set[tuple[Edit, ...]] = set()
    count = 0
    for finding, fix in found:
        edits = edits_of(fix, lambda path: _text(tree, path))
        if edits is None:
            continue
        if edits in done:
            count += 1
            continue
        by_path: dict[str, list[Edit]] = {}
        for edit in edits:
            by_path.setdefault(edit.span.path, []).append(edit)
        for path in by_path:
            if path not in files:
                data = tree.read(path)
                files[path] = EditedFile(Text(path, decoded(data, path)), data)
        if not all(files[path].takes(wanted) for path, wanted in by_path.items()):
            continue
        if not all(
            _can_be_read(files[path].edited((*files[path].edits, *wanted)), path) for path, wanted in by_path.items()
        ):
            broken[fix] = finding
            continue
        for path, wanted in by_path.items():
            files[path].edits += (edit for edit in wanted if edit not in files[path].edits)
        done.add(edits)
        count += 1
    return {path: file.edited(file.edits) for path, file in files.items() if file.edits}, count


def _overlap(first: Edit, second: Edit) -> bool:
    a, b = first.span, second.span
    return (a.line, a.column) <= (b.end_line, b.end_column) and (b.line, b.column) <= (a.end_line, a.end_column)


def _text(tree: Tree, path: str) -> str | None:
    """The text of a file that can be written; those in archives cannot, nor can what only seems to be a file."""
    try:
        return decoded(tree.read(path), path) if tree.is_file(path) else None
    except UnreadableInput:
        return None


def _can_be_read(data: bytes, path: str) -> bool:
    try:
        if path.endswith(".py"):
            ast.parse(data)
        elif path.endswith((".yaml", ".yml", ".json", ".template")):
            read_yaml(decoded(data, path), path)
    except (SyntaxError, ValueError, RecursionError, UnreadableInput):
        return False
    return True
