"""For people at a terminal: quotas, distributions, files, native code, bytecode, imports, then the findings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lambdalint.aws.runtimes import runtime
from lambdalint.facts.import_frames import totals_ms
from lambdalint.model.finding import Severity
from lambdalint.reporters import text
from lambdalint.reporters.inspection.document import Bytecode, Inspection, Native, Quota
from lambdalint.reporters.style import Style
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import columns, cut, visible
from lambdalint.reporters.wording import counted, listed, size

#: Rows of a table; what is smaller is summed up.
ROWS: Final = 15
FILES: Final = 10
MODULES: Final = 14
BAR: Final = 20
#: A share of a quota from which it is worth a warning's colour.
NEARLY: Final = 0.8
#: A module with less of the whole time has no row.
_SMALLEST_SHARE: Final = 0.02
_DEEPEST: Final = 5
_WIDE: Final = 120
#: A longer name is cut.
_LONGEST: Final = 90
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_REACHED: Final = {"init": "read at init", "later": "read later", "never": "never imported"}


def render(inspection: Inspection, view: View) -> str:
    """The whole inspection; what is not known has no row."""
    page = _Page(inspection, view, Style(view.colour))
    parts = (page.title(), page.quotas(), page.parts(), page.files(), page.natives(), page.bytecode(), page.imports())
    blocks = ["\n".join(lines) for part in parts if (lines := list(part))]
    return "\n\n".join((*blocks, text.render(inspection.check, view).rstrip("\n"))) + "\n"


def bar(share: float, width: int = BAR) -> str:
    """A bar of *width* columns, filled by eighths of a column."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


@dataclass(frozen=True, slots=True)
class _Page:
    inspection: Inspection
    view: View
    style: Style

    def title(self) -> Iterator[str]:
        found = self.inspection
        kind = "layer" if found.layer else "function"
        what = [kind, *filter(None, (found.runtime, found.architecture, found.handler))]
        yield f"{self.style.strong(visible(found.path))}  {visible(' '.join(what))}"
        if found.sha256:
            yield self.style.faint(f"sha256 {found.sha256}  CodeSha256 {found.code_sha256}")

    def quotas(self) -> Iterator[str]:
        quotas = self.inspection.quotas
        rows = [
            (each.name, "", f"{size(each.used_bytes)} of {size(each.max_bytes)}", f"{each.share:.0%}")
            for each in quotas
        ]
        for each, (name, _, used, share) in zip(quotas, aligned(rows, "llrr"), strict=True):
            yield f"{name}  {self._filled(each)}  {used}  {share}"

    def _filled(self, quota: Quota) -> str:
        filled = bar(quota.share)
        if quota.share > 1:
            return self.style.severity(Severity.ERROR, filled)
        return self.style.severity(Severity.WARNING, filled) if quota.share >= NEARLY else self.style.good(filled)

    def parts(self) -> Iterator[str]:
        found = self.inspection
        shown, rest = found.parts[:ROWS], found.parts[ROWS:]
        has_packed = any(part.packed_bytes is not None for part in found.parts)
        rows = [("distribution", "unpacked", "", "packed", "files", "why")]
        for part in shown:
            share = bar(part.unpacked_bytes / found.unpacked_bytes, BAR // 2) if found.unpacked_bytes else ""
            packed = "" if part.packed_bytes is None else size(part.packed_bytes)
            why = _why(part.required_by, part.imported_by)
            rows.append(
                (cut(visible(part.title), _LONGEST), size(part.unpacked_bytes), share, packed, f"{part.files:,}", why)
            )
        if rest:
            unpacked, packed_bytes = sum(part.unpacked_bytes for part in rest), [part.packed_bytes for part in rest]
            packed = "" if None in packed_bytes else size(sum(each or 0 for each in packed_bytes))
            files = sum(part.files for part in rest)
            rows.append((f"{len(rest):,} more", size(unpacked), "", packed, f"{files:,}", ""))
        if not has_packed:
            rows = [(name, unpacked, share, "", files, why) for name, unpacked, share, _, files, why in rows]
        yield from self._table(rows, "lrlrrl", bars=2)

    def files(self) -> Iterator[str]:
        largest = self.inspection.files[:FILES]
        if not largest:
            return
        rows = [("largest files", "unpacked", "packed", "")]
        for file in largest:
            path = cut(visible(file.path), _LONGEST)
            packed = "" if file.packed_bytes is None else size(file.packed_bytes)
            reached = _REACHED.get(file.reached or "", "")
            by = f", imported by {cut(visible(file.imported_by), _LONGEST)}" if file.imported_by else ""
            rows.append((path, size(file.size), packed, reached + by))
        yield from self._table(rows, "lrrl")

    def natives(self) -> Iterator[str]:
        natives = self.inspection.natives
        if not natives:
            return
        made_for = listed(sorted({_made_for(each) for each in natives}))
        needs = system_needs(self.inspection)
        said = f"{counted(len(natives), 'file')} for {made_for}{f'; needs {listed(needs)}' if needs else ''}"
        yield f"{self.style.strong('native code')}  {said}"
        alien = [each for each in natives if each.runs is False or each.unreadable]
        for each in alien[:ROWS]:
            problem = each.unreadable or f"is for {_made_for(each)} and cannot be loaded"
            yield f"  {self.style.bad(visible(each.path))}  {visible(problem)}"
        if len(alien) > ROWS:
            yield f"  and {len(alien) - ROWS:,} more"

    def bytecode(self) -> Iterator[str]:
        if self.inspection.bytecode.sources or self.inspection.bytecode.files:
            yield f"{self.style.strong('bytecode')}  {bytecode_state(self.inspection.bytecode)}"

    def imports(self) -> Iterator[str]:
        times = self.inspection.imports
        if times is None or not times.frames:
            return
        totals = totals_ms(times.frames)
        roots = [index for index, frame in enumerate(times.frames) if frame.parent < 0]
        whole = sum(totals[index] for index in roots)
        children: dict[int, list[int]] = {}
        for index, frame in enumerate(times.frames):
            children.setdefault(frame.parent, []).append(index)
        how = "measured" if times.measured else "estimated, with one vCPU"
        yield f"{self.style.strong('imports')}  {counted(len(times.frames), 'module')}, {whole:,.0f} ms {how}"
        rows: list[tuple[str, ...]] = []
        waiting = [(index, 0) for index in sorted(roots, key=lambda each: totals[each])]
        while waiting and len(rows) < MODULES:
            index, depth = waiting.pop()
            if not whole or totals[index] / whole < _SMALLEST_SHARE:
                continue
            name = f"  {'  ' * depth}{visible(times.frames[index].name)}"
            rows.append((name, f"{totals[index]:,.0f} ms", bar(totals[index] / whole)))
            if depth < _DEEPEST:
                waiting += [
                    (each, depth + 1) for each in sorted(children.get(index, ()), key=lambda each: totals[each])
                ]
        for name, ms, filled in aligned(rows, "lrl"):
            yield f"{name}  {ms}  {self.style.hint(filled.rstrip())}"

    def _table(self, rows: Sequence[tuple[str, ...]], sides: str, bars: int = -1) -> Iterator[str]:
        """*rows* in columns, the first one as heading; what is too wide for a terminal is cut in its last column."""
        for number, row in enumerate(aligned(rows, sides)):
            cells = [cell for cell in row if cell]
            line = (
                cut("  ".join(cells).rstrip(), max(self.view.width or _WIDE, 40))
                if self.view.width
                else "  ".join(cells)
            )
            if number == 0:
                yield self.style.strong(line.rstrip())
            elif bars >= 0 and row[bars].strip() and row[bars] in line:
                yield line.rstrip().replace(row[bars], self.style.hint(row[bars]), 1)
            else:
                yield line.rstrip()


def system_needs(inspection: Inspection) -> list[str]:
    """What the native code needs of the system, beside what the runtime has: ``glibc 2.28 (python3.13 has 2.34)``."""
    known = runtime(inspection.runtime) if inspection.runtime else None
    libraries = (
        ("glibc", _highest(each.glibc for each in inspection.natives), known and known.glibc),
        ("libstdc++", _highest(each.glibcxx for each in inspection.natives), known and known.glibcxx),
    )
    return [
        f"{name} {floor}{f' ({known.name} has {_dotted(has)})' if known and has else ''}"
        for name, floor, has in libraries
        if floor
    ]


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def bytecode_state(bytecode: Bytecode) -> str:
    """One sentence on how much of the source is compiled for whom."""
    sources = counted(bytecode.sources, "source")
    if not bytecode.files:
        return f"none: {sources} {'is' if bytecode.sources == 1 else 'are'} compiled at every cold start"
    checked = {
        "none": "unchecked",
        "hash": "checked by hash",
        "time": "checked by the time of the source, which an archive does not keep",
    }
    how = listed([f"{count:,} {checked[kind]}" for kind, count in bytecode.checks.items()])
    pythons = f" for Python {listed(list(bytecode.pythons))}" if bytecode.pythons else ""
    usable = "" if bytecode.usable is None else f"; {bytecode.usable:,} of {sources} start from it"
    if bytecode.init_usable is not None:
        usable += f", {bytecode.init_usable:,} of {bytecode.init_sources:,} that are read at init"
    return f"{counted(bytecode.files, 'file')}{pythons}, {size(bytecode.unpacked_bytes)}: {how or 'unreadable'}{usable}"


def _why(required_by: Sequence[str], imported_by: str | None) -> str:
    reasons = []
    if required_by:
        more = f" and {len(required_by) - 2} more" if len(required_by) > 2 else ""
        reasons.append(f"required by {', '.join(required_by[:2])}{more}")
    if imported_by:
        reasons.append(f"imported by {imported_by}")
    return cut(visible("; ".join(reasons)), 2 * _LONGEST)


def _made_for(native: Native) -> str:
    return f"{native.system} {'+'.join(native.machines) or 'unknown'}"


def _highest(versions: Iterator[str | None]) -> str | None:
    return max((each for each in versions if each), key=lambda text: [*map(int, text.split("."))], default=None)


def aligned(rows: Sequence[tuple[str, ...]], sides: str) -> Iterator[tuple[str, ...]]:
    """*rows* with cells as wide as the widest in their column; *sides* has ``l`` or ``r`` for each of them."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = []
        for cell, width, side in zip(row, widths, sides, strict=True):
            gap = " " * (width - columns(cell))
            cells.append(gap + cell if side == "r" else cell + gap)
        yield tuple(cells)
