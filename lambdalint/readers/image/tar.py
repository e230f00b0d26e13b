"""The records of a tar stream, one pass, nothing unpacked.

By hand, because a layer out of a registry may claim anything: a general library keeps whatever a header says is a name.

Source: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from lambdalint.model.artifact import RecordKind

_BLOCK: Final = 512
#: Names, links and extended headers have a few hundred bytes; sparse maps and attributes a few thousand.
_MAX_EXTENDED_BYTES: Final = 1024 * 1024
_MAX_NAME_BYTES: Final = 4_096
_PIECE: Final = 1 << 18

_FILES: Final = (b"0", b"\0", b"7", b"S")
_KINDS: Final = {
    b"1": RecordKind.FILE,
    b"2": RecordKind.LINK,
    b"5": RecordKind.FOLDER,
    **dict.fromkeys(_FILES, RecordKind.FILE),
}


class Damaged(Exception):
    """The stream is no tar archive from here on; the message says why."""


class Stream(Protocol):
    """What the archive is read from."""

    def read(self, count: int, /) -> bytes:
        """The next *count* bytes, fewer only at the end."""
        ...

    def skip(self, count: int, /) -> None:
        """Pass over *count* bytes, or what is left of them."""
        ...


@dataclass(frozen=True, slots=True)
class TarRecord:
    """One record; *name* and *target* are as written, bytes that are no text as surrogates."""

    name: str
    kind: RecordKind
    size: int
    mode: int
    uid: int
    gid: int
    modified: int
    target: str | None
    is_hard_link: bool


class Tar:
    """The records of *stream* in their order; the content of the record at hand can be read before the next."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._left = 0
        self._padding = 0

    def records(self) -> Iterator[TarRecord]:
        """Each record.

        Raises:
            Damaged: the stream ends within a record, or a header makes no sense.
        """
        everywhere: dict[str, str] = {}
        said: dict[str, str] = {}
        while True:
            self._stream.skip(self._left + self._padding)
            self._left = self._padding = 0
            head = self._stream.read(_BLOCK)
            if not head or not head.strip(b"\0"):
                return  # a zero block ends it; that the second one and the padding are there is nobody's need
            size = self._checked(head)
            kind = head[156:157]
            if kind in (b"x", b"g", b"L", b"K"):
                data = self._extended(size)
                if kind == b"g":
                    everywhere.update(_pax(data))
                elif kind == b"x":
                    said.update(_pax(data))
                else:
                    said["path" if kind == b"L" else "linkpath"] = _text(data.split(b"\0", 1)[0])
                continue
            record = _record(head, kind, size, {**everywhere, **said})
            said = {}
            # Links, folders and devices have no content, whatever their header claims.
            self._left = record.size if kind in _FILES else 0
            self._padding = -self._left % _BLOCK
            if kind == b"S":
                self._skip_sparse_maps(head)
            yield record

    def content(self, limit: int) -> bytes | None:
        """The content of the record at hand; ``None`` when it is larger than *limit*."""
        if self._left > limit:
            return None
        data = self._stream.read(self._left)
        if len(data) < self._left:
            raise Damaged("the archive ends within a file")
        self._left = 0
        return data

    def pieces(self) -> Iterator[bytes]:
        """The content of the record at hand, however large, piece by piece.

        Raises:
            Damaged: the archive ends within it.
        """
        while self._left:
            data = self._stream.read(min(self._left, _PIECE))
            if not data:
                raise Damaged("the archive ends within a file")
            self._left -= len(data)
            yield data

    def _checked(self, head: bytes) -> int:
        if len(head) < _BLOCK:
            raise Damaged("the archive ends within a header")
        stated = _number(head[148:156])
        unsigned = sum(head[:148]) + 8 * 32 + sum(head[156:])
        if stated != unsigned:
            signed = unsigned - 256 * sum(byte > 127 for byte in head[:148] + head[156:])
            if stated != signed:
                raise Damaged("a header has a wrong checksum")
        return _number(head[124:136])

    def _extended(self, size: int) -> bytes:
        if size > _MAX_EXTENDED_BYTES:
            raise Damaged(f"a record claims {size:,} bytes of names")
        data = self._stream.read(size)
        if len(data) < size:
            raise Damaged("the archive ends within a name")
        self._stream.skip(-size % _BLOCK)
        return data

    def _skip_sparse_maps(self, head: bytes) -> None:
        more = head[482:483] == b"\x01"
        while more:
            more = self._stream.read(_BLOCK)[504:505] == b"\x01"


def _record(head: bytes, kind: bytes, size: int, said: dict[str, str]) -> TarRecord:
    name = said.get("path") or _ustar_name(head)
    target = said.get("linkpath") or _text(head[157:257].split(b"\0", 1)[0])
    if len(name) > _MAX_NAME_BYTES or len(target) > _MAX_NAME_BYTES:
        raise Damaged("a record has a name of more than 4,096 bytes")
    is_hard = kind == b"1"
    return TarRecord(
        name=name,
        kind=_KINDS.get(kind, RecordKind.OTHER),
        size=_said(said, "size", size),
        mode=_number(head[100:108]) & 0o7777,
        uid=_said(said, "uid", _number(head[108:116])),
        gid=_said(said, "gid", _number(head[116:124])),
        modified=_said(said, "mtime", _number(head[136:148])),
        target=target if is_hard or kind == b"2" else None,
        is_hard_link=is_hard,
    )


def _ustar_name(head: bytes) -> str:
    name = head[:100].split(b"\0", 1)[0]
    prefix = head[345:500].split(b"\0", 1)[0] if head[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _said(said: dict[str, str], key: str, otherwise: int) -> int:
    try:
        number = int(float(said[key])) if key in said else otherwise
    except (ValueError, OverflowError):
        raise Damaged(f"a record says that its {key} is {said[key][:20]!r}") from None
    if not 0 <= number < 1 << 63:
        raise Damaged(f"a record says that its {key} is {number:,}") if key == "size" else Damaged(f"{key} is negative")
    return number


def _number(data: bytes) -> int:
    """An octal number, or one in base 256, as GNU tar writes what is too large."""
    if data[:1] in (b"\x80", b"\xff"):
        value = int.from_bytes(data[1:], "big")
        return value - (1 << 8 * (len(data) - 1)) if data[:1] == b"\xff" else value
    text = data.split(b"\0", 1)[0].strip()
    try:
        return int(text, 8) if text else 0
    except ValueError:
        raise Damaged("a header holds a number that is none") from None


def _pax(data: bytes) -> dict[str, str]:
    """The records of an extended header: their length, a key and a value each."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 20)
        try:
            length = int(data[at:space])
        except ValueError:
            raise Damaged("an extended header makes no sense") from None
        key, equals, value = data[space + 1 : at + length - 1].partition(b"=")
        if space < 0 or length <= space - at or not equals:
            raise Damaged("an extended header makes no sense")
        found[_text(key)] = _text(value)
        at += length
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
