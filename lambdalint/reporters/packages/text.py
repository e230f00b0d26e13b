"""What was packaged, for people."""

from collections.abc import Iterator, Sequence
from typing import Final

from lambdalint.model.finding import Severity
from lambdalint.reporters import comparison, text
from lambdalint.reporters.packages.document import Package, Packaging, Part
from lambdalint.reporters.style import Style
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import columns, visible
from lambdalint.reporters.wording import counted, listed, size

#: The parts of a plan that have a line of their own.
SHOWN_PARTS: Final = 10


def render(packaging: Packaging, view: View) -> str:
    """Findings and failures if there are any, then a line for each artifact, then one that sums up."""
    style = Style(view.colour)
    blocks = []
    if packaging.check.findings or packaging.check.failures:
        blocks.append(text.render(packaging.check, view).rstrip("\n"))
    rows = list(_rows(packaging, style))
    if rows:
        blocks.append("\n".join(rows))
    blocks += _differences(packaging, view)
    blocks.append(_conclusion(packaging, style))
    return "\n\n".join(blocks) + "\n"


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
        if package.verification is not None:
            same = package.verification.is_identical
            yield f"{'':<10}{style.good('built again: identical') if same else style.bad('built again: it differs')}"
    for name, reason in packaging.skipped:
        yield f"{style.faint('skipped ')}  {style.strong(visible(name))}  {visible(reason)}"
    for template in packaging.templates:
        verb = style.good("emitted ") if template.written else style.severity(Severity.ERROR, "withheld")
        yield f"{verb}  {style.strong(visible(template.path))}"
        yield from (f"{'':<10}{visible(aside)}" for aside in template.asides)


def _differences(packaging: Packaging, view: View) -> Iterator[str]:
    """A block for each package that differs from itself, built again."""
    for package in packaging.packages:
        found = package.verification
        if found is not None and found.comparison is not None:
            yield comparison.render("text", found.comparison, view).rstrip("\n")
        elif found is not None and found.differences:
            yield "\n".join((f"{visible(package.path)} built again", *map(visible, found.differences)))


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
