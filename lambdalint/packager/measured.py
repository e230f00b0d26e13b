"""What the native files in a wheel really ask for, whatever its name says."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lambdalint.aws.runtimes import runtime
from lambdalint.errors import Refused
from lambdalint.facts.elf import Elf, elf_of
from lambdalint.packager.target import Target

_MAGIC: Final = b"\x7fELF"
#: The machine code of other systems: PE and Mach-O, thin and fat.
_FOREIGN: Final = (b"MZ", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_LIBRARY: Final = re.compile(r"\.(?:so|dylib|pyd|dll)$|\.so(?:\.\d+)+$")
_MAX_FILE_BYTES: Final = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Native:
    """A native file of a wheel; *needs* are the highest versions of ``GLIBC``, ``GLIBCXX`` and ``CXXABI``."""

    path: str
    machine: str
    needs: dict[str, tuple[int, ...]]

    @property
    def glibc(self) -> tuple[int, ...]:
        """The glibc that it needs; empty when it needs none."""
        return self.needs.get("GLIBC", ())


def natives(wheel: Path) -> tuple[Native, ...]:
    """The Linux binaries in *wheel*.

    Raises:
        Refused: it holds code for another system, or a damaged file.
    """
    with zipfile.ZipFile(wheel) as archive:
        return tuple(_natives(archive, wheel.name))


def check(wheel: Path, target: Target) -> tuple[Native, ...]:
    """The Linux binaries in *wheel*, all of which *target* can load.

    Raises:
        Refused: one is for another machine or needs newer libraries than the target has.
    """
    found = natives(wheel)
    row = runtime(target.runtime)
    having = {
        "GLIBC": target.glibc,
        "GLIBCXX": row.glibcxx if row else None,
        "CXXABI": row.cxxabi if row else None,
    }
    for each in found:
        if each.machine != target.architecture:
            raise Refused(f"{each.path} in {wheel.name} is made for {each.machine}, and {target} runs it not")
        for name, version in each.needs.items():
            most = having.get(name)
            if most is not None and version > most:
                raise Refused(
                    f"{each.path} in {wheel.name} needs {name}_{_dotted(version)}; "
                    f"{target.runtime} has {name}_{_dotted(most)}"
                )
    return found


def platform_of(found: tuple[Native, ...], target: Target) -> str:
    """The oldest manylinux that *found* can honestly be called."""
    floor = (2, 17) if target.machine == "aarch64" else (2, 5)
    glibc = max((each.glibc[:2] for each in found), default=floor)
    major, minor = max(floor, glibc)
    return f"manylinux_{major}_{minor}_{target.machine}"


def _natives(archive: zipfile.ZipFile, name: str) -> Iterator[Native]:
    for info in archive.infolist():
        if info.is_dir() or info.file_size > _MAX_FILE_BYTES:
            continue
        with archive.open(info) as file:
            head = file.read(4)
            if head != _MAGIC:
                if head.startswith(_FOREIGN) and _LIBRARY.search(info.filename):
                    raise Refused(f"{info.filename} in {name} is made for another system than Linux")
                continue
            data = head + file.read()
        try:
            elf = elf_of(data)
        except ValueError as error:
            raise Refused(f"{info.filename} in {name} is damaged: {error}") from error
        yield Native(info.filename, elf.machine, _needs(elf))


def _needs(elf: Elf) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for _, version in elf.versions:
        name, _, number = version.partition("_")
        if name in ("GLIBC", "GLIBCXX", "CXXABI") and re.fullmatch(r"\d+(\.\d+)*", number):
            found[name] = max(found.get(name, ()), tuple(map(int, number.split("."))))
    return found


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
