"""Layers whose bytes follow from the plan alone.

Every folder on the way to a file has a record of its own, without which Lambda refuses the image; all belongs to root,
is readable by everybody and carries one time.

Source: https://github.com/opencontainers/image-spec/blob/main/layer.md
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import deflate

from lambdalint.errors import Refused
from lambdalint.packager.host import Host
from lambdalint.packager.pack import COMPRESSOR
from lambdalint.packager.plan import SOURCE, PlannedEntry
from lambdalint.packager.times import EARLIEST_S

LEVEL: Final = 6
#: A distribution from this size on goes into the layer of those that change rarely.
HEAVY_BYTES: Final = 10 * 1024 * 1024

#: Changes with how layers are written, so that those written otherwise are not taken for ours.
_RULES: Final = "1"
_BLOCK: Final = 512
_RECORD: Final = 20 * _BLOCK
_HEADER: Final = struct.Struct("100s8s8s8s12s12s8sc100s6s2s32s32s8s8s155s12x")
_SIZES: Final = struct.Struct("<Q64s")
_FILE, _FOLDER, _EXTENDED = b"0", b"5", b"x"
_MAX_OCTAL: Final = 8**11 - 1


@dataclass(frozen=True, slots=True, eq=False)
class BuiltLayer:
    """A layer as it is pushed; *title* is what the image's history says of it, *data* are its compressed bytes."""

    title: str
    digest: str
    diff_id: str
    unpacked_bytes: int
    data: bytes


def layers(
    entries: Iterable[PlannedEntry], root: str, host: Host, modified_s: int = EARLIEST_S
) -> tuple[BuiltLayer, ...]:
    """The files of a plan below the folder *root*, what changes most often last; *modified_s* is the time of all.

    Heavy distributions, light ones and the project's own code are a layer each, as far as there are any.  What was
    compressed for another image serves again.
    """
    groups = _groups(tuple(entries))
    return tuple(_built(title, group, root, host, modified_s) for title, group in groups if group)


def _groups(entries: Sequence[PlannedEntry]) -> list[tuple[str, list[PlannedEntry]]]:
    sizes: dict[str, int] = {}
    for entry in entries:
        sizes[entry.owner] = sizes.get(entry.owner, 0) + entry.member.size
    heavy = {owner for owner, size in sizes.items() if size >= HEAVY_BYTES and owner != SOURCE}
    return [
        ("heavy dependencies", [each for each in entries if each.owner in heavy]),
        ("dependencies", [each for each in entries if each.owner not in heavy and each.owner != SOURCE]),
        ("code", [each for each in entries if each.owner == SOURCE]),
    ]


def _built(title: str, entries: Sequence[PlannedEntry], root: str, host: Host, modified_s: int) -> BuiltLayer:
    key = _key(entries, root, modified_s)
    kept = host.cache.get("image-layers", key)
    if kept is not None and len(kept) > _SIZES.size:
        size, diff_id = _SIZES.unpack_from(kept)
        return _layer(title, diff_id.decode(), size, kept[_SIZES.size :])
    data = b"".join(_records(entries, root, modified_s))
    diff_id = hashlib.sha256(data).hexdigest()
    packed = bytes(deflate.gzip_compress(data, LEVEL))
    host.cache.put("image-layers", key, _SIZES.pack(len(data), diff_id.encode()) + packed)
    return _layer(title, diff_id, len(data), packed)


def _layer(title: str, diff_id: str, size: int, data: bytes) -> BuiltLayer:
    return BuiltLayer(title, f"sha256:{hashlib.sha256(data).hexdigest()}", f"sha256:{diff_id}", size, data)


def _key(entries: Sequence[PlannedEntry], root: str, modified_s: int) -> str:
    rows = [(entry.path, entry.mode, entry.member.sha256) for entry in entries]
    return hashlib.sha256(json.dumps([_RULES, COMPRESSOR, LEVEL, modified_s, root, rows]).encode()).hexdigest()


def _records(entries: Sequence[PlannedEntry], root: str, modified_s: int) -> Iterator[bytes]:
    placed = {f"{root.strip('/')}/{entry.path}": entry for entry in entries}
    folders = {"/".join(path.split("/")[:depth]) for path in placed for depth in range(1, path.count("/") + 1)}
    size = 0
    for path in sorted(folders | set(placed)):
        entry = placed.get(path)
        data = b"" if entry is None else entry.member.read()
        for part in (
            *_heads(path, entry.mode if entry else 0o755, len(data), modified_s, folder=entry is None),
            data,
            bytes(-len(data) % _BLOCK),
        ):
            size += len(part)
            yield part
    yield bytes(2 * _BLOCK + -(size + 2 * _BLOCK) % _RECORD)


def _heads(path: str, mode: int, size: int, modified_s: int, *, folder: bool) -> Iterator[bytes]:
    name = path.encode("utf-8", "surrogateescape") + (b"/" if folder else b"")
    split = _split(name) if name.isascii() and size <= _MAX_OCTAL else None
    if split is None:
        extended = _pax("path", name) + (_pax("size", str(size).encode()) if size > _MAX_OCTAL else b"")
        yield _head(
            b"", b"pax/" + hashlib.sha256(name).hexdigest().encode(), 0o644, len(extended), modified_s, _EXTENDED
        )
        yield extended + bytes(-len(extended) % _BLOCK)
        split = b"", b"pax/name"
    yield _head(*split, mode, min(size, _MAX_OCTAL), modified_s, _FOLDER if folder else _FILE)


def _split(name: bytes) -> tuple[bytes, bytes] | None:
    """Folder and rest of *name* as they fit into a header; ``None`` when they do not."""
    if len(name) <= 100:
        return b"", name
    cut = name.rfind(b"/", 0, 156)
    return (name[:cut], name[cut + 1 :]) if cut > 0 and 0 < len(name) - cut - 1 <= 100 else None


def _head(prefix: bytes, name: bytes, mode: int, size: int, modified_s: int, kind: bytes) -> bytes:
    fields = (
        name,
        b"%07o" % mode,
        b"%07o" % 0,
        b"%07o" % 0,
        b"%011o" % size,
        b"%011o" % modified_s,
        b" " * 8,
        kind,
        b"",
        b"ustar\0",
        b"00",
        b"",
        b"",
        b"%07o" % 0,
        b"%07o" % 0,
        prefix,
    )
    head = _HEADER.pack(*fields)
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]


def _pax(key: str, value: bytes) -> bytes:
    if b"\0" in value or b"\n" in value:
        raise Refused(f"{value[:100]!r} is no name for a file in an image", hint="rename the file")
    body = b" " + key.encode() + b"=" + value + b"\n"
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body
