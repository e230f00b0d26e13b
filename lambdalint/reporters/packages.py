"""What was packaged, for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lambdalint.engine.result import Result
from lambdalint.model.finding import Severity
from lambdalint.reporters import text
from lambdalint.reporters.style import Style
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import columns, visible
from lambdalint.reporters.wording import counted, listed

#: The parts of a plan that have a line of their own.
SHOWN_PARTS: Final = 10


@dataclass(frozen=True, slots=True)
class Part:
    """What one origin adds to a package: a distribution, or the project's own source."""

    origin: str
    files: int
    unpacked_bytes: int
    packed_bytes: int


@dataclass(frozen=True, slots=True)
class Package:
    """One artifact, as planned or as written.

    *path* is where it is or would be, *packed_bytes* and *sha256* are ``None`` while it is a plan.  *asides* say
    what somebody should know about it, such as why it has no bytecode; *parts* is what it is made of, the largest
    first.  One that is *refused* has an error, and was not written because of it.  *kind* is ``zip``, ``layer``,
    ``dir`` or ``image``.
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
    parts: tuple[Part, ...] = ()
    refused: bool = False
    kind: str = "zip"


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
    """A number of bytes as AWS says it: ``812 B``, ``3.4 KB``, ``12.3 MB``; a MB is 1,048,576 bytes."""
    amount = float(number)
    for unit in ("B", "KB", "MB"):
        if amount < 999.5 or unit == "MB":
            return f"{amount:.0f} B" if unit == "B" else f"{amount:,.1f} {unit}"
        amount /= 1024
    raise AssertionError


def _rows(packaging: Packaging, style: Style) -> Iterator[str]:
    cells = [_cells(package) for package in packaging.packages]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    for package, row in zip(packaging.packages, cells, strict=True):
        name, *others = (f"{cell}{' ' * (width - columns(cell))}" for cell, width in zip(row, widths, strict=True))
        verb = style.good("packaged") if package.sha256 else style.hint("planned ")
        if package.refused:
            verb = style.severity(Severity.ERROR, "refused ")
        yield f"{verb}  {style.strong(name)}  {'  '.join(others)}".rstrip()
        if package.sha256:
            label = {"image": "digest sha256:", "dir": "tree sha256 "}.get(package.kind, "sha256 ")
            yield f"{'':<10}{style.faint(f'{label}{package.sha256}')}"
        else:
            yield from _parts(package.parts, style)
        yield from (f"{'':<10}{visible(aside)}" for aside in package.asides)
    for name, reason in packaging.skipped:
        yield f"{style.faint('skipped ')}  {style.strong(visible(name))}  {visible(reason)}"


def _parts(parts: Sequence[Part], style: Style) -> Iterator[str]:
    """What a plan is made of; the smallest are summed up."""
    shown, rest = parts[:SHOWN_PARTS], parts[SHOWN_PARTS:]
    rows = [(visible(part.origin), counted(part.files, "file"), size(part.unpacked_bytes)) for part in shown]
    if rest:
        files, bytes_ = sum(part.files for part in rest), sum(part.unpacked_bytes for part in rest)
        rows.append((f"{len(rest):,} more", counted(files, "file"), size(bytes_)))
    names, counts, sizes = (
        (max(map(columns, column), default=0) for column in zip(*rows, strict=True)) if rows else (0,) * 3
    )
    for name, count, amount in rows:
        yield style.faint(f"{'':<10}{name}{' ' * (names - columns(name))}  {count:>{counts}}  {amount:>{sizes}}")


def _cells(package: Package) -> Sequence[str]:
    zipped = ""
    if package.packed_bytes is not None and package.kind != "dir":
        how = "with its base, compressed" if package.kind == "image" else "zipped"
        zipped = f", {size(package.packed_bytes)} {how}"
    return (
        visible(package.name),
        visible(package.path),
        f"{package.runtime} {package.architecture}",
        counted(package.files, "file"),
        f"{size(package.unpacked_bytes)}{zipped}",
    )


def _conclusion(packaging: Packaging, style: Style) -> str:
    written = sum(package.sha256 is not None for package in packaging.packages)
    refused = sum(package.refused for package in packaging.packages)
    counts = (
        (written, "packaged"),
        (len(packaging.packages) - written - refused, "planned"),
        (refused, "refused"),
        (len(packaging.skipped), "skipped"),
    )
    parts = [f"{count:,} {participle}" for count, participle in counts if count]
    nothing = "nothing packaged" if packaging.check.failures else "nothing to package"
    said = f"{listed(parts) or nothing} ({packaging.seconds:.2f} s)"
    said = said[:1].upper() + said[1:]
    return said if packaging.check.failures or not packaging.packages else style.good(said)
