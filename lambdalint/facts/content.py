"""What the bytes of an entry say without reading all of them."""

import zlib
from typing import Final

from lambdalint.errors import LambdalintError
from lambdalint.model.artifact import Entry

#: Zero bytes are deflated to a thousandth; so much is left for what is around them.
_ZEROS_RATIO: Final = 100
_AROUND_BYTES: Final = 32


def head(entry: Entry, count: int) -> bytes:
    """The first *count* bytes of *entry*, fewer when there are no more; none when it cannot be read."""
    try:
        return entry.head(count)
    except LambdalintError:
        return b""


def is_zeros(entry: Entry) -> bool:
    """Whether an entry of an archive holds zero bytes and nothing else, by its checksum; not so if it is empty."""
    size, packed = entry.size, entry.packed_bytes
    if not size or entry.crc32 is None or packed is None:
        return False
    if packed != size and packed > size // _ZEROS_RATIO + _AROUND_BYTES:
        return False
    return zlib.crc32(bytes(size)) == entry.crc32
