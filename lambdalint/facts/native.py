"""Native code in an artifact: for which machine and system it is made, and what it needs there."""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import PurePosixPath
from typing import Final, TypeAlias

from lambdalint.errors import LambdalintError
from lambdalint.facts.distributions import Distributions
from lambdalint.facts.elf import Elf, elf_of
from lambdalint.facts.shown import shown
from lambdalint.model.artifact import Artifact, Entry

Version: TypeAlias = tuple[int, ...]

_ELF_MAGIC: Final = b"\x7fELF"
_HEAD_BYTES: Final = 4_096
_MAX_WHEEL_BYTES: Final = 65_536
#: The number in ``java.class`` files stands where fat Mach-O counts its parts; no file has so many.
_MAX_FAT_PARTS: Final = 20

_LIBRARY = re.compile(r"\.(?:so|dylib|pyd|dll)$|\.so(?:\.\d+)+$")
_EXTENSION = re.compile(r"(?P<module>[^.]+)(?:\.(?P<tag>[^.]+))?\.(?:so|pyd)")
_CPYTHON_TAG = re.compile(r"(?:cpython-|cp)(?P<major>\d)(?P<minor>\d+)(?P<flags>[a-z]*)(?:-(?P<platform>.+))?")
_PYPY_TAG = re.compile(r"pypy(?P<major>\d)(?P<minor>\d+)-pp\d+-(?P<platform>.+)")
_STABLE_FLOOR = re.compile(r"^Tag: cp(\d)(\d+)-abi3-", re.MULTILINE)

_LAMBDA_MACHINES: Final = frozenset(("x86_64", "arm64"))
_MACHO_MACHINES: Final = {0x01000007: "x86_64", 0x0100000C: "arm64", 7: "x86", 12: "arm"}
_PE_MACHINES: Final = {0x8664: "x86_64", 0xAA64: "arm64", 0x14C: "x86"}

#: Words in paths that say for which platform a file is; without them two files for one purpose have one name.
_PLATFORM_WORDS = re.compile(
    r"(?:^|(?<=[\W_]))(?:linux|manylinux|musllinux|musl|gnu|glibc|darwin|macosx?|osx|apple|win(?:dows)?|win32|win64|pc|msvc"
    r"|unknown|x64|x86_64|x86|amd64|i[36]86|arm64|aarch64|armv?\d*\w?|32|64|universal2?|so|dylib|dll|pyd|lib)(?=$|[\W_])"
)


class Format(Enum):
    """The kind of a native file; the value is the system that loads it."""

    ELF = "Linux"
    MACHO = "macOS"
    PE = "Windows"


@dataclass(frozen=True, slots=True)
class Abi:
    """What the name of an extension module says about the interpreter that it is made for.

    *implementation* is ``cpython``, ``pypy`` or ``abi3`` for every CPython from *version* on, which is ``None`` when
    no wheel tag says so.  *platform* is the rest of the tag: ``x86_64-linux-gnu``.
    """

    implementation: str
    version: tuple[int, int] | None
    threaded: bool = False
    platform: str | None = None

    @property
    def title(self) -> str:
        """As people call it: ``CPython 3.11``."""
        name = {"pypy": "PyPy", "abi3": "CPython"}.get(self.implementation, "CPython")
        version = f" {self.version[0]}.{self.version[1]}" if self.version else ""
        return f"{name}{version}{' (free-threaded)' if self.threaded else ''}"


@dataclass(frozen=True, slots=True)
class Need:
    """The highest version of a set that *library* must define, as ``2.28`` of ``libm.so.6``."""

    version: Version
    library: str

    @property
    def text(self) -> str:
        """The version with dots."""
        return ".".join(map(str, self.version))


@dataclass(frozen=True, slots=True, eq=False)
class NativeFile:
    """One native file.

    *machines* has more than one for a fat Mach-O file.  *module* is the name by which Python imports it, without
    packages, ``None`` for what is no extension module.  *glibc*, *glibcxx* and *cxxabi* leave out what only weak
    symbols ask for, and libstdc++ under a name of the package's own.  *unreadable* says why nothing more is known.
    *needed* are the libraries that are loaded with it, looked for in *search* before anywhere else, and *soname* is the
    name that others ask for; the loader refuses what is *misaligned*.  *executable_stack* says that it asks for a stack
    that can hold code, *level* is the one of x86-64 that it needs, and *debug_bytes* are of debug information.
    """

    entry: Entry
    format: Format
    machines: tuple[str, ...] = ()
    bits: int | None = None
    musl: bool = False
    glibc: Need | None = None
    glibcxx: Need | None = None
    cxxabi: Need | None = None
    module: str | None = None
    abi: Abi | None = None
    distribution: str | None = None
    unreadable: str | None = None
    needed: tuple[str, ...] = ()
    soname: str | None = None
    search: tuple[str, ...] = ()
    misaligned: bool = False
    executable_stack: bool = False
    level: int | None = None
    debug_bytes: int = 0

    @property
    def path(self) -> str:
        """Where it lies in the artifact."""
        return self.entry.path

    @property
    def title(self) -> str:
        """As in ``a macOS arm64 file``."""
        machine = "+".join(self.machines) or "unreadable"
        if self.format is Format.ELF and self.musl:
            return f"Linux {machine} file for musl"
        return f"{self.format.value} {machine} file"

    def runs_on(self, architecture: str | None) -> bool:
        """Whether Lambda's Linux can load it; for an unknown *architecture*, on either."""
        if self.format is not Format.ELF or self.musl or self.bits == 32:
            return False
        return bool({architecture} & set(self.machines) if architecture else _LAMBDA_MACHINES & set(self.machines))


@dataclass(frozen=True, slots=True, eq=False)
class NativeFiles:
    """The native files of one artifact, and the places of its Python sources.

    *alike* are files by their path without the words for a platform, *beside* by folder and module.
    """

    files: tuple[NativeFile, ...]
    bundled: frozenset[str]
    sources: frozenset[str]
    alike: Mapping[str, list[NativeFile]] = field(default_factory=dict)
    beside: Mapping[tuple[str, str | None], list[NativeFile]] = field(default_factory=dict)

    @classmethod
    def of(cls, artifact: Artifact) -> "NativeFiles":
        candidates = [entry for entry in artifact.entries if _may_be_native(entry)]
        found = [(entry, form) for entry in candidates if (form := _format(entry))]
        if not found:
            return cls((), frozenset(), frozenset())
        distributions = Distributions.of(artifact)
        floors = dict(_stable_floors(artifact))
        files = tuple(_native(entry, form, distributions.of_entry(entry), floors) for entry, form in found)
        alike: dict[str, list[NativeFile]] = {}
        beside: dict[tuple[str, str | None], list[NativeFile]] = {}
        for file in files:
            alike.setdefault(_without_platform(file.path), []).append(file)
            beside.setdefault((file.path.rpartition("/")[0], file.module), []).append(file)
        return cls(
            files,
            frozenset(PurePosixPath(file.path).name for file in files),
            frozenset(entry.path for entry in artifact.entries if entry.path.endswith((".py", ".pyc"))),
            alike,
            beside,
        )

    def has_substitute(self, file: NativeFile, python: tuple[int, int] | None, architecture: str | None) -> bool:
        """Whether something else beside *file* serves in its place.

        For an extension module that is what Python's import takes instead: another file of the module, or its source
        where the name of *file* is none that this Python looks for.  For any file it is one made for the target that
        has the same name but for the words that say the platform.
        """
        if file.module and self._is_imported_otherwise(file, python, architecture):
            return True
        alike = self.alike.get(_without_platform(file.path), ())
        return any(other is not file and other.runs_on(architecture) for other in alike)

    def _is_imported_otherwise(
        self, file: NativeFile, python: tuple[int, int] | None, architecture: str | None
    ) -> bool:
        folder = file.path.rpartition("/")[0]
        rank = _import_rank(file, python, architecture)
        for other in self.beside.get((folder, file.module), ()):
            if other is not file and other.runs_on(architecture):
                other_rank = _import_rank(other, python, architecture)
                if other_rank is not None and (rank is None or other_rank < rank):
                    return True
        base = f"{folder}/{file.module}".removeprefix("/")
        beside = self.sources & {f"{base}.py", f"{base}.pyc", f"{base}/__init__.py"}
        return (rank is None and bool(beside)) or f"{base}/__init__.py" in beside


def is_native_name(path: str) -> bool:
    """Whether a file of this name may be a library or an extension module."""
    return _LIBRARY.search(PurePosixPath(path).name) is not None


def answer_now(entry: Entry, content: bytes) -> None:
    """Have *entry* show what its *content* says, for an entry whose content is not kept."""
    if content.startswith(_ELF_MAGIC):
        with suppress(ValueError):
            shown(replace(entry, read=lambda: content), _elf)


def _import_rank(file: NativeFile, python: tuple[int, int] | None, architecture: str | None) -> int | None:
    """At which place Python on Lambda looks for a file of this name; ``None`` for a name it does not look for."""
    if not file.path.endswith(".so"):
        return None
    if file.abi is None:
        return 2
    if file.abi.implementation == "abi3":
        return 1
    if file.abi.implementation != "cpython" or file.abi.threaded or (python and file.abi.version != python):
        return None
    machine = {"arm64": "aarch64"}.get(architecture or "", architecture)
    platform = file.abi.platform or ""
    if not platform.endswith("-linux-gnu") or (machine and not platform.startswith(machine)):
        return None
    return 0


def _may_be_native(entry: Entry) -> bool:
    path = PurePosixPath(entry.path)
    if _LIBRARY.search(path.name):
        return True
    return not path.suffix and (entry.executable or "bin" in path.parts[:-1])


def _format(entry: Entry) -> Format | None:
    try:
        head = entry.head(_HEAD_BYTES)
    except LambdalintError:
        return None
    if head.startswith(_ELF_MAGIC):
        return Format.ELF
    if head.startswith(b"MZ"):
        return Format.PE
    return Format.MACHO if _macho_machines(head) is not None else None


def _native(
    entry: Entry, form: Format, distribution: str | None, floors: dict[str | None, tuple[int, int]]
) -> NativeFile:
    module, abi = _named(PurePosixPath(entry.path).name)
    if abi and abi.implementation == "abi3":
        abi = Abi("abi3", floors.get(distribution), abi.threaded)
    try:
        if form is Format.ELF:
            elf = shown(entry, _elf)
            return NativeFile(
                entry,
                form,
                (elf.machine,),
                elf.bits,
                _is_musl(elf),
                glibc=_highest(elf, "GLIBC_", None),
                glibcxx=_highest(elf, "GLIBCXX_", "libstdc++.so.6"),
                cxxabi=_highest(elf, "CXXABI_", "libstdc++.so.6"),
                module=module,
                abi=abi,
                distribution=distribution,
                needed=elf.needed,
                soname=elf.soname,
                search=elf.search,
                misaligned=elf.misaligned,
                executable_stack=elf.executable_stack,
                level=elf.level,
                debug_bytes=elf.debug_bytes,
            )
        head = entry.head(_HEAD_BYTES)
        machines = (_macho_machines(head) or ()) if form is Format.MACHO else _pe_machines(head)
        return NativeFile(entry, form, machines, module=module, abi=abi, distribution=distribution)
    except LambdalintError as error:
        reason = error.message
    except ValueError as error:
        reason = str(error)
    return NativeFile(entry, form, module=module, abi=abi, distribution=distribution, unreadable=reason)


def _elf(entry: Entry) -> Elf:
    return elf_of(entry.read())


#: glibc 2.36 gave a feature of its linker a name of its own.
_NAMED_VERSIONS: Final = {"GLIBC_ABI_DT_RELR": "GLIBC_2.36", "GLIBC_ABI_GNU2_TLS": "GLIBC_2.42"}


def _highest(elf: Elf, prefix: str, only: str | None) -> Need | None:
    found: Need | None = None
    for library, name in elf.versions:
        number = _NAMED_VERSIONS.get(name, name).removeprefix(prefix)
        if number == name or (only and library != only) or not re.fullmatch(r"\d{1,4}(\.\d{1,4}){1,3}", number):
            continue
        need = Need(tuple(map(int, number.split("."))), library)
        if found is None or need.version > found.version:
            found = need
    return found


def _is_musl(elf: Elf) -> bool:
    names = (*elf.needed, PurePosixPath(elf.interpreter or "").name)
    return any(name.startswith(("ld-musl-", "libc.musl-")) for name in names)


def _macho_machines(head: bytes) -> tuple[str, ...] | None:
    """The machines of a Mach-O file; ``None`` for another file."""
    for order in "<>":
        if len(head) >= 8 and struct.unpack_from(f"{order}I", head)[0] in (0xFEEDFACE, 0xFEEDFACF):
            return (_macho_machine(struct.unpack_from(f"{order}I", head, 4)[0]),)
    if head[:4] in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf") and len(head) >= 8:
        step = 20 if head[3] == 0xBE else 32
        (count,) = struct.unpack_from(">I", head, 4)
        if 0 < count <= _MAX_FAT_PARTS and len(head) >= 8 + step * count:
            parts = (struct.unpack_from(">I", head, 8 + step * number)[0] for number in range(count))
            return tuple(_macho_machine(part) for part in parts)
    return None


def _macho_machine(number: int) -> str:
    return _MACHO_MACHINES.get(number, f"machine {number}")


def _pe_machines(head: bytes) -> tuple[str, ...]:
    if len(head) < 64:
        raise ValueError("the file is cut short")
    (at,) = struct.unpack_from("<I", head, 60)
    if head[at : at + 4] != b"PE\0\0" or len(head) < at + 6:
        raise ValueError("it has no PE header near its start")
    (machine,) = struct.unpack_from("<H", head, at + 4)
    return (_PE_MACHINES.get(machine, f"machine {machine:#x}"),)


def _named(name: str) -> tuple[str | None, Abi | None]:
    """The module and the ABI that the file name of an extension module says."""
    match = _EXTENSION.fullmatch(name)
    if not match:
        return None, None
    module, tag = match["module"], match["tag"]
    if tag is None:
        return (None if module.startswith("lib") else module), None
    if tag in ("abi3", "abi3t"):
        return module, Abi("abi3", None, tag == "abi3t")
    if found := _CPYTHON_TAG.fullmatch(tag):
        version = (int(found["major"]), int(found["minor"]))
        return module, Abi("cpython", version, "t" in found["flags"], found["platform"])
    if found := _PYPY_TAG.fullmatch(tag):
        return module, Abi("pypy", (int(found["major"]), int(found["minor"])), False, found["platform"])
    return None, None


def _stable_floors(artifact: Artifact) -> Iterator[tuple[str | None, tuple[int, int]]]:
    """The oldest CPython that the stable-ABI files of a distribution are made for, by its WHEEL."""
    for entry in artifact.entries:
        if not entry.path.endswith(".dist-info/WHEEL") or entry.size > _MAX_WHEEL_BYTES:
            continue
        name = entry.path.split("/")[-2].removesuffix(".dist-info").replace("-", " ", 1)
        try:
            tags: Iterable[tuple[str, str]] = _STABLE_FLOOR.findall(entry.read().decode(errors="replace"))
        except LambdalintError:
            continue
        versions = [(int(major), int(minor)) for major, minor in tags]
        if versions:
            yield name, min(versions)


def _without_platform(path: str) -> str:
    """*path* without the words that name a platform, and without the ``lib`` that Linux puts before a name."""
    words = _PLATFORM_WORDS.sub("", path.lower().replace("x86-64", "x86_64"))
    return re.sub(r"[\W_]+", " ", re.sub(r"(^|/)lib(?=\w)", r"\1", words)).strip()
