"""What a ZIP says about its entries beyond what they become: the work of whoever packed it."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

_SYSTEMS: Final = {0: "MS-DOS or Windows", 3: "Unix", 10: "Windows", 19: "macOS"}


@dataclass(frozen=True, slots=True)
class Trait:
    """How one entry was written: the *system* it was made on, versions, flags, extra fields and comment."""

    system: str
    versions: tuple[int, int]
    flags: int
    extra: bytes
    comment: bytes


@dataclass(frozen=True, slots=True)
class Traits:
    """Those of all entries by name, the archive's own *comment*, and where the first entry begins."""

    entries: Mapping[str, Trait]
    comment: bytes
    start: int


def zip_traits(path: Path) -> Traits | None:
    """What is to be said of a sound archive; ``None`` when it cannot be read so."""
    try:
        with ZipFile(path) as archive:
            infos = archive.infolist()
            return Traits(
                {
                    info.filename: Trait(
                        _SYSTEMS.get(info.create_system, f"system {info.create_system}"),
                        (info.create_version, info.extract_version),
                        info.flag_bits,
                        info.extra,
                        info.comment,
                    )
                    for info in infos
                },
                archive.comment,
                min((info.header_offset for info in infos), default=0),
            )
    except (BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        return None
