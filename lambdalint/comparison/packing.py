"""Why two archives are different bytes, whatever they unpack to."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lambdalint.model.artifact import Artifact, Record, RecordKind
from lambdalint.readers.zip_directory import method_name
from lambdalint.readers.zip_traits import Trait, zip_traits
from lambdalint.reporters.comparison.document import PackingDifference

_NAMED = {0: "stored", 8: "deflated"}


def packing_differences(old: Artifact, new: Artifact, old_path: Path, new_path: Path) -> Iterator[PackingDifference]:
    """What was done differently when they were packed; of contents that differ nothing is said."""
    before, after = _by_name(old), _by_name(new)
    both = [name for name in before if name in after]
    found = [
        *_folders(before, after),
        *_order(both, [name for name in after if name in before]),
        *_of_records(before, after, both),
        *_of_traits(old, new, old_path, new_path),
    ]
    same_files = {entry.path for entry in old.entries} == {entry.path for entry in new.entries}
    if not found and same_files:
        found.append(
            PackingDifference("bytes", "they differ in bytes that belong to no entry, or in their contents only")
        )
    yield from found


def _by_name(artifact: Artifact) -> dict[str, Record]:
    return {record.name: record for record in artifact.records}


def _folders(old: Mapping[str, Record], new: Mapping[str, Record]) -> Iterator[PackingDifference]:
    before, after = (sum(each.kind is RecordKind.FOLDER for each in records.values()) for records in (old, new))
    if before != after:
        message = f"the old one lists {_count(before, 'folder')}, the new one {_count(after, 'folder')}"
        yield PackingDifference("folders", message)


def _order(old: list[str], new: list[str]) -> Iterator[PackingDifference]:
    moved = next((now for before, now in zip(old, new, strict=True) if before != now), None)
    if moved is not None:
        yield PackingDifference("order", f"the entries stand in another order, from {moved} on")


def _of_records(old: Mapping[str, Record], new: Mapping[str, Record], both: list[str]) -> Iterator[PackingDifference]:
    def differing(key: Callable[[Record], object]) -> list[str]:
        return [name for name in both if key(old[name]) != key(new[name])]

    if names := differing(lambda record: record.modified):
        before, after = _time(old[names[0]]), _time(new[names[0]])
        yield _said("times", names, f"with another time, as {names[0]}: {before}, now {after}")
    if names := differing(lambda record: record.mode):
        before, after = _mode(old[names[0]]), _mode(new[names[0]])
        yield _said("modes", names, f"with another mode, as {names[0]}: {before}, now {after}")
    if names := differing(lambda record: record.method):
        before, after = _method(old[names[0]]), _method(new[names[0]])
        yield _said("method", names, f"packed another way, as {names[0]}: {before}, now {after}")
    packed = [
        name
        for name in both
        if old[name].method == new[name].method
        and (old[name].crc32, old[name].size) == (new[name].crc32, new[name].size)
        and old[name].packed_bytes != new[name].packed_bytes
    ]
    if packed:
        one, other = old[packed[0]].packed_bytes, new[packed[0]].packed_bytes
        text = (
            f"of the same content packed by another compressor or level, as {packed[0]}: {one:,} bytes, now {other:,}"
        )
        yield _said("compressor", packed, text)


def _of_traits(old: Artifact, new: Artifact, old_path: Path, new_path: Path) -> Iterator[PackingDifference]:
    if old.damages or new.damages:
        return
    before, after = zip_traits(old_path), zip_traits(new_path)
    if before is None or after is None:
        return
    both = [name for name in before.entries if name in after.entries]
    kinds: tuple[tuple[str, Callable[[Trait], object], str], ...] = (
        ("system", lambda trait: trait.system, "made on another system"),
        ("versions", lambda trait: trait.versions, "written for another version of the format"),
        ("flags", lambda trait: trait.flags, "with other flags"),
        ("extra fields", lambda trait: trait.extra, "with other extra fields, which hold owners or exact times"),
        ("comments", lambda trait: trait.comment, "with another comment"),
    )
    for what, key, text in kinds:
        names = [name for name in both if key(before.entries[name]) != key(after.entries[name])]
        if names:
            shown = ""
            if what == "system":
                shown = f": {before.entries[names[0]].system}, now {after.entries[names[0]].system}"
            yield _said(what, names, f"{text}, as {names[0]}{shown}")
    if before.comment != after.comment:
        yield PackingDifference("archive comment", "the archives have different comments")
    if before.start != after.start:
        message = f"the first entry begins at byte {before.start:,}, now at {after.start:,}"
        yield PackingDifference("start", message)


def _said(what: str, names: list[str], text: str) -> PackingDifference:
    return PackingDifference(what, f"{_count(len(names), 'entry', 'entries')} {text}")


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{f'{number:,}' if number else 'no'} {noun if number == 1 else plural or f'{noun}s'}"


def _time(record: Record) -> str:
    year, month, day, hour, minute, second = record.modified
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"


def _mode(record: Record) -> str:
    return "none" if record.mode is None else f"{record.mode & 0o7777:04o}"


def _method(record: Record) -> str:
    return _NAMED.get(record.method) or method_name(record.method)
