"""A comment for a pull request."""

from collections.abc import Iterable, Sequence
from typing import Final

from lambdalint.reporters.comparison.document import Comparison
from lambdalint.reporters.comparison.text import SIGNS, change, packed_change, totals, verdict, versions
from lambdalint.reporters.markdown import code, plain, table
from lambdalint.reporters.view import View

_ROWS: Final = 100


def render(comparison: Comparison, view: View) -> str:
    """Headline, totals, distributions, and folded tables of the rest."""
    old, new = comparison.old, comparison.new
    blocks = [f"## {code(old.path)} → {code(new.path)}", f"{plain(verdict(comparison)).capitalize()}."]
    rows = [tuple(map(plain, row)) for row in totals(comparison)]
    blocks.append(table(("", "Old", "New", "Change"), rows))
    if comparison.parts:
        parts = [
            (
                f"{SIGNS[part.how]} {code(part.name)}",
                plain(versions(part)),
                change(part.old_bytes, part.new_bytes),
                packed_change(part).removesuffix(" packed"),
            )
            for part in comparison.parts[:_ROWS]
        ]
        blocks.append(table(("Distribution", "Version", "Unpacked", "Packed"), parts))
    blocks += _folded(
        "Files",
        ("File", "Change"),
        [
            (f"{SIGNS[file.how]} {code(file.path)}", change(file.old_bytes or 0, file.new_bytes or 0))
            for file in comparison.single_files
        ],
    )
    blocks += _folded(
        "Permissions", ("File", "Old", "New"), [(code(each.path), each.old, each.new) for each in comparison.modes]
    )
    blocks += _folded(
        "Links",
        ("Link", "Old", "New"),
        [(code(each.path), plain(each.old or "none"), plain(each.new or "none")) for each in comparison.links],
    )
    blocks += _folded(
        "Native code",
        ("File", "Old", "New"),
        [(code(each.path), plain(each.old or "none"), plain(each.new or "none")) for each in comparison.natives],
    )
    if comparison.packing:
        reasons = "\n".join(f"- {plain(each.message)}" for each in comparison.packing)
        blocks.append(f"Why the archives are different bytes:\n\n{reasons}")
    return "\n\n".join(blocks) + "\n"


def _folded(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    if rows:
        more = f"\n\nand {len(rows) - _ROWS:,} more" if len(rows) > _ROWS else ""
        shown = table(head, rows[:_ROWS])
        yield f"<details><summary>{title} ({len(rows):,})</summary>\n\n{shown}{more}\n\n</details>"
