"""For people at a terminal: what was added, removed and changed, and why the bytes differ."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lambdalint.reporters.comparison.document import Comparison, How, PartChange
from lambdalint.reporters.inspection.text import aligned, bytecode_state
from lambdalint.reporters.style import Style
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import cut, visible
from lambdalint.reporters.wording import counted, listed, size

#: A longer name is cut.
LONGEST: Final = 90
#: Rows of a table; how many more there are is said.
ROWS: Final = 40
SIGNS: Final[dict[How, str]] = {"added": "+", "removed": "-", "changed": "~"}


def render(comparison: Comparison, view: View) -> str:
    """The whole comparison; what is equal has no row."""
    page = _Page(comparison, Style(view.colour))
    parts = (page.title(), page.parts(), page.files(), page.modes(), page.links(), page.natives(), page.packing())
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part))) + "\n"


def verdict(comparison: Comparison) -> str:
    """In one sentence, how the two differ."""
    if comparison.is_identical:
        return "the archives are the same, byte for byte"
    if comparison.is_equal:
        differ = ", though the archives are different bytes" if comparison.packing else ""
        return f"the contents are equal{differ}"
    counts = {how: sum(file.how == how for file in comparison.files) for how in SIGNS}
    said = [f"{counted(count, 'file')} {how}" for how, count in counts.items() if count]
    if comparison.modes:
        said.append(f"{counted(len(comparison.modes), 'file')} with other permissions")
    if comparison.links:
        said.append(f"{counted(len(comparison.links), 'link')} changed")
    return f"the contents differ: {listed(said)}"


def change(old: int, new: int) -> str:
    """How much more or less it is: ``+1.2 MB``."""
    return f"+{size(new - old)}" if new >= old else f"-{size(old - new)}"


def versions(part: PartChange) -> str:
    """The versions of a part, or what became of it."""
    if part.how != "changed":
        return f"{part.new_version or part.old_version or ''} {part.how}".strip()
    if part.old_version == part.new_version:
        return part.old_version or ""
    return f"{part.old_version or 'unknown'} → {part.new_version or 'unknown'}"


def packed_change(part: PartChange) -> str:
    """How much more or less it takes in the archives, if both are some."""
    if part.old_packed_bytes is None or part.new_packed_bytes is None:
        return ""
    return f"{change(part.old_packed_bytes, part.new_packed_bytes)} packed"


def totals(comparison: Comparison) -> Iterator[tuple[str, str, str, str]]:
    """Rows of what both have: a name, the old value, the new one, and what lies between them."""
    old, new = comparison.old, comparison.new
    yield "files", f"{old.files:,}", f"{new.files:,}", f"{new.files - old.files:+,}"
    yield (
        "unpacked",
        size(old.unpacked_bytes),
        size(new.unpacked_bytes),
        change(old.unpacked_bytes, new.unpacked_bytes),
    )
    if old.archive_bytes is not None and new.archive_bytes is not None:
        yield "archive", size(old.archive_bytes), size(new.archive_bytes), change(old.archive_bytes, new.archive_bytes)
    if old.glibc != new.glibc:
        yield "needs glibc", old.glibc or "none", new.glibc or "none", ""


@dataclass(frozen=True, slots=True)
class _Page:
    comparison: Comparison
    style: Style

    def title(self) -> Iterator[str]:
        found = self.comparison
        yield f"{self.style.strong(visible(found.old.path))} → {self.style.strong(visible(found.new.path))}"
        said = verdict(found)
        yield self.style.good(said) if found.is_equal else self.style.bad(said)
        for name, old, new, between in aligned(list(totals(found)), "lrrr"):
            yield f"{name}  {old} → {new}  {between}".rstrip()
        before, after = bytecode_state(found.old.bytecode), bytecode_state(found.new.bytecode)
        if before != after and (found.old.bytecode.files or found.new.bytecode.files):
            yield f"bytecode  {before}"
            yield f"       →  {after}"

    def parts(self) -> Iterator[str]:
        rows = [
            (
                f"{SIGNS[part.how]} {cut(visible(part.name), LONGEST)}",
                visible(versions(part)),
                change(part.old_bytes, part.new_bytes),
                packed_change(part),
            )
            for part in self.comparison.parts
        ]
        hows = [part.how for part in self.comparison.parts]
        yield from self._rows("distributions", rows, "llrr", lambda index, line: self._painted(hows[index], line))

    def files(self) -> Iterator[str]:
        files = self.comparison.single_files
        rows = [
            (f"{SIGNS[file.how]} {cut(visible(file.path), LONGEST)}", change(file.old_bytes or 0, file.new_bytes or 0))
            for file in files
        ]
        yield from self._rows("files", rows, "lr", lambda index, line: self._painted(files[index].how, line))

    def modes(self) -> Iterator[str]:
        rows = [(f"  {cut(visible(each.path), LONGEST)}", f"{each.old} → {each.new}") for each in self.comparison.modes]
        yield from self._rows("permissions", rows, "ll")

    def links(self) -> Iterator[str]:
        rows = [
            (f"  {cut(visible(each.path), LONGEST)}", f"{visible(each.old or 'none')} → {visible(each.new or 'none')}")
            for each in self.comparison.links
        ]
        yield from self._rows("links", rows, "ll")

    def natives(self) -> Iterator[str]:
        rows = [
            (f"  {cut(visible(each.path), LONGEST)}", f"{visible(each.old or 'none')} → {visible(each.new or 'none')}")
            for each in self.comparison.natives
        ]
        yield from self._rows("native code", rows, "ll")

    def packing(self) -> Iterator[str]:
        if self.comparison.packing:
            yield self.style.strong("why the archives are different bytes")
            yield from (f"  {visible(each.message)}" for each in self.comparison.packing)

    def _rows(
        self,
        title: str,
        rows: Sequence[tuple[str, ...]],
        sides: str,
        painted: Callable[[int, str], str] = lambda _, line: line,
    ) -> Iterator[str]:
        if not rows:
            return
        yield self.style.strong(title)
        for index, row in enumerate(aligned(rows[:ROWS], sides)):
            yield painted(index, "  ".join(row).rstrip())
        if len(rows) > ROWS:
            yield f"  and {len(rows) - ROWS:,} more"

    def _painted(self, how: How, line: str) -> str:
        if how == "added":
            return self.style.good(line)
        return self.style.bad(line) if how == "removed" else line
