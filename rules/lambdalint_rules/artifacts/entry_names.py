"""The names of what is in an archive."""

from collections.abc import Sequence

from lambdalint.rule import Record


def unpacked_name(record: Record) -> str:
    """The path at which *record* is unpacked, without ``.`` and doubled slashes."""
    name = record.name
    if "//" not in name and "./" not in name and not name.endswith(("/", "/.")):
        return name
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def and_more(group: Sequence[object]) -> str:
    """What to say about those after the first: ``, like 3 more``; empty when there are none."""
    return f" (like {len(group) - 1:,} more)" if len(group) > 1 else ""
