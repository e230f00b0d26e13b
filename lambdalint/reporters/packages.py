"""What was packaged, for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lambdalint.engine.result import Result
from lambdalint.reporters import text
from lambdalint.reporters.style import Style
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import columns, visible
from lambdalint.reporters.wording import counted, listed


@dataclass(frozen=True, slots=True)
class Package:
    """One artifact, as planned or as written.

    *path* is where it is or would be, *packed_bytes* and *sha256* are ``None`` while it is a plan.  *asides* say
    what somebody should know about it, such as why it has no bytecode.
    """

    name: str
    path: str
    runtime: str
    architecture: str
    files: int
    unpacked_bytes: int
    packed_bytes: int | None = None
    sha256: str | None = None
    asides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Packaging:
    """All that one run of packaging did: *skipped* are names with the reason, *check* is what the rules say."""

    packages: tuple[Package, ...]
    skipped: tuple[tuple[str, str], ...]
    check: Result
    seconds: float


def render(packaging: Packaging, view: View) -> str:
    """Findings and failures if there are any, then a line for each artifact, then one that sums up."""
    style = Style(view.colour)
    blocks = []
    if packaging.check.findings or packaging.check.failures:
        blocks.append(text.render(packaging.check, view).rstrip("\n"))
    rows = list(_rows(packaging, style))
    if rows:
        blocks.append("\n".join(rows))
    blocks.append(_conclusion(packaging, style))
    return "\n\n".join(blocks) + "\n"


def size(number: int) -> str:
    """A number of bytes as people say it: ``812 B``, ``3.4 kB``, ``12.3 MB``; a MB is a million bytes."""
    amount = float(number)
    for unit in ("B", "kB", "MB"):
        if amount < 999.5 or unit == "MB":
            return f"{amount:.0f} B" if unit == "B" else f"{amount:,.1f} {unit}"
        amount /= 1000
    raise AssertionError


def _rows(packaging: Packaging, style: Style) -> Iterator[str]:
    cells = [_cells(package) for package in packaging.packages]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    for package, row in zip(packaging.packages, cells, strict=True):
        name, *others = (f"{cell}{' ' * (width - columns(cell))}" for cell, width in zip(row, widths, strict=True))
        verb = style.good("packaged") if package.sha256 else style.hint("planned ")
        yield f"{verb}  {style.strong(name)}  {'  '.join(others)}".rstrip()
        if package.sha256:
            yield f"{'':<10}{style.faint(f'sha256 {package.sha256}')}"
        yield from (f"{'':<10}{visible(aside)}" for aside in package.asides)
    for name, reason in packaging.skipped:
        yield f"{style.faint('skipped ')}  {style.strong(visible(name))}  {visible(reason)}"


def _cells(package: Package) -> Sequence[str]:
    zipped = f", {size(package.packed_bytes)} zipped" if package.packed_bytes is not None else ""
    return (
        visible(package.name),
        visible(package.path),
        f"{package.runtime} {package.architecture}",
        counted(package.files, "file"),
        f"{size(package.unpacked_bytes)}{zipped}",
    )


def _conclusion(packaging: Packaging, style: Style) -> str:
    written = sum(package.sha256 is not None for package in packaging.packages)
    counts = (
        (written, "packaged"),
        (len(packaging.packages) - written, "planned"),
        (len(packaging.skipped), "skipped"),
    )
    parts = [f"{count:,} {participle}" for count, participle in counts if count]
    said = f"{listed(parts) or 'nothing to package'} ({packaging.seconds:.2f} s)"
    said = said[:1].upper() + said[1:]
    return said if packaging.check.failures or not packaging.packages else style.good(said)
