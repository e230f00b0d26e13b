"""What a Linux binary needs of the system that loads it.

Read by hand, in slices of bounded number and size: a file out of an archive may claim anything, and general ELF
libraries follow every claim.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_MACHINES: Final = {
    3: "x86",
    8: "mips",
    20: "ppc",
    21: "ppc64le",
    22: "s390x",
    40: "arm",
    62: "x86_64",
    183: "arm64",
    243: "riscv64",
    258: "loongarch64",
}
_LOAD, _DYNAMIC, _INTERPRETER, _STACK = 1, 2, 3, 0x6474E551
_EXECUTABLE: Final = 1
_NEEDED, _STRING_TABLE, _VERSION_NEEDS, _VERSION_NEEDS_COUNT = 1, 5, 0x6FFFFFFE, 0x6FFFFFFF
_SONAME, _RPATH, _RUNPATH = 14, 15, 29
_WEAK: Final = 2
_X86_64: Final = 62
_NOTE: Final = 4
_NO_BITS: Final = 8
_DEBUG: Final = (b".debug_", b".zdebug_")
_PROPERTIES, _ISA_NEEDED = 5, 0xC0008002

# Real files stay far below these; beyond them a file is called damaged.
_MAX_SEGMENTS: Final = 256
_MAX_SECTIONS: Final = 4_096
_MAX_DYNAMIC: Final = 4_096
_MAX_VERSIONS: Final = 4_096
_MAX_NAME_BYTES: Final = 1_024
_MAX_NOTE_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Elf:
    """*machine* is ``x86_64``, ``arm64`` or another name, ``machine N`` for one without.

    *interpreter* is the loader of a program, *needed* the libraries asked for by name, *versions* pairs of a library
    and a version that it must define, as ``("libc.so.6", "GLIBC_2.28")``, without those only weak symbols ask for.
    *soname* is the name by which others ask for it, *search* the folders of RUNPATH, or else of RPATH.  *misaligned*
    says that a segment lies where the loader refuses to map it, *executable_stack* that it asks for a stack that can
    hold code.  *level* is the instruction set that it needs, as in ``x86-64-v3``; ``None`` where it does not say.
    *debug_bytes* are those of its debug information.
    """

    machine: str
    bits: int
    interpreter: str | None
    needed: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    soname: str | None = None
    search: tuple[str, ...] = ()
    misaligned: bool = False
    executable_stack: bool = False
    level: int | None = None
    debug_bytes: int = 0


def elf_of(data: bytes) -> Elf:
    """What *data*, a file that begins as ELF does, asks for.

    Raises:
        ValueError: it is cut short or contradicts itself.

    Source: https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html
    """
    try:
        return _Reader(data).elf()
    except struct.error:
        raise ValueError("the file is cut short") from None


class _Reader:
    def __init__(self, data: bytes) -> None:
        if len(data) < 20 or data[4] not in (1, 2) or data[5] not in (1, 2):
            raise ValueError("the header makes no sense")
        self.data = data
        self.wide = data[4] == 2
        self.order = "<" if data[5] == 1 else ">"
        self.loads: list[tuple[int, int, int]] = []
        self.misaligned = False
        self.executable_stack = False
        self.level: int | None = None
        self.soname: str | None = None
        self.search: tuple[str, ...] = ()

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        if not 0 <= offset <= len(self.data):
            raise ValueError("an offset lies outside the file")
        return struct.unpack_from(self.order + layout, self.data, offset)

    def elf(self) -> Elf:
        (machine,) = self.unpack("H", 18)
        interpreter: str | None = None
        dynamic: tuple[int, int] | None = None
        for kind, offset, address, size in self.segments():
            if kind == _LOAD:
                self.loads.append((address, offset, size))
            elif kind == _DYNAMIC:
                dynamic = (offset, size)
            elif kind == _INTERPRETER:
                interpreter = self.text(offset)
            elif kind == _NOTE and machine == _X86_64:
                self.level = self.level or self.level_in(offset, size)
        needed, versions = self.wants(*dynamic) if dynamic else ((), ())
        return Elf(
            machine=_MACHINES.get(machine, f"machine {machine}"),
            bits=64 if self.wide else 32,
            interpreter=interpreter,
            needed=needed,
            versions=versions,
            soname=self.soname,
            search=self.search,
            misaligned=self.misaligned,
            executable_stack=self.executable_stack,
            level=self.level,
            debug_bytes=self.debug_bytes(),
        )

    def segments(self) -> Iterator[tuple[int, int, int, int]]:
        """Kind, offset, address and size in the file."""
        (start,) = self.unpack("Q" if self.wide else "I", 32 if self.wide else 28)
        entry_bytes, count = self.unpack("HH", 54 if self.wide else 42)
        if count > _MAX_SEGMENTS:
            raise ValueError(f"{count} segments are claimed")
        for number in range(count):
            at = start + number * entry_bytes
            if self.wide:
                kind, flags, offset, address, _, size, _, alignment = self.unpack("IIQQQQQQ", at)
            else:
                kind, offset, address, _, size, _, flags, alignment = self.unpack("IIIIIIII", at)
            if kind == _STACK and flags & _EXECUTABLE:
                self.executable_stack = True
            if kind == _LOAD and alignment > 1 and (address - offset) % alignment:
                self.misaligned = True
            yield kind, offset, address, size

    def wants(self, offset: int, size: int) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        entries = list(self.dynamic(offset, size))
        tags = dict(entries)
        if _STRING_TABLE not in tags:
            return (), ()
        strings = self.place(tags[_STRING_TABLE])
        needed = tuple(self.text(strings + value) for tag, value in entries if tag == _NEEDED)
        self.soname = self.text(strings + tags[_SONAME]) if _SONAME in tags else None
        # Where there is a RUNPATH, the loader does not look at RPATH.
        where = tags.get(_RUNPATH, tags.get(_RPATH))
        self.search = tuple(self.text(strings + where).split(":")) if where is not None else ()
        if _VERSION_NEEDS not in tags:
            return needed, ()
        start = self.place(tags[_VERSION_NEEDS])
        return needed, tuple(self.version_needs(start, tags.get(_VERSION_NEEDS_COUNT, 0), strings))

    def dynamic(self, offset: int, size: int) -> Iterator[tuple[int, int]]:
        step = 16 if self.wide else 8
        for number in range(min(size // step, _MAX_DYNAMIC)):
            tag, value = self.unpack("QQ" if self.wide else "II", offset + number * step)
            if tag == 0:
                return
            yield tag, value

    def version_needs(self, at: int, count: int, strings: int) -> Iterator[tuple[str, str]]:
        read = 0
        for _ in range(min(count, _MAX_VERSIONS)):
            _, aux_count, library, aux, following = self.unpack("HHIII", at)
            aux_at = at + aux
            for _ in range(aux_count):
                read += 1
                if read > _MAX_VERSIONS:
                    raise ValueError(f"more than {_MAX_VERSIONS} versions are claimed")
                _, flags, _, name, next_aux = self.unpack("IHHII", aux_at)
                if not flags & _WEAK:
                    yield self.text(strings + library), self.text(strings + name)
                if not next_aux:
                    break
                aux_at += next_aux
            if not following:
                return
            at += following

    def level_in(self, at: int, size: int) -> int | None:
        """The highest instruction set that a note of properties asks for: 1 for x86-64, 3 for x86-64-v3.

        Source: https://gitlab.com/x86-psABIs/x86-64-ABI, Program Property
        """
        end = min(at + min(size, _MAX_NOTE_BYTES), len(self.data))
        while at + 12 <= end:
            name_bytes, described, kind = self.unpack("III", at)
            start = at + 12 + (name_bytes + 3 & ~3)
            if kind == _PROPERTIES and self.data[at + 12 : at + 16] == b"GNU\0":
                inside = start
                while inside + 12 <= min(start + described, end):
                    property_kind, length = self.unpack("II", inside)
                    if property_kind == _ISA_NEEDED and length == 4:
                        (needed,) = self.unpack("I", inside + 8)
                        return needed.bit_length() or None
                    inside += 8 + (length + 7 & ~7)
            at = start + (described + 7 & ~7 if kind == _PROPERTIES else described + 3 & ~3)
        return None

    def debug_bytes(self) -> int:
        """The sum of the sections that only a debugger reads; 0 where the table of sections makes no sense."""
        (start,) = self.unpack("Q" if self.wide else "I", 40 if self.wide else 32)
        entry_bytes, count, names_at = self.unpack("HHH", 58 if self.wide else 46)
        layout = "IIQQQQ" if self.wide else "IIIIII"
        if not start or names_at >= count or count > _MAX_SECTIONS:
            return 0
        try:
            *_, names, _ = self.unpack(layout, start + names_at * entry_bytes)
            sections = [self.unpack(layout, start + number * entry_bytes) for number in range(count)]
            return sum(
                min(size, len(self.data))
                for name, kind, _, _, _, size in sections
                if kind != _NO_BITS and self.data.startswith(_DEBUG, names + name)
            )
        except (ValueError, struct.error, OverflowError):
            return 0

    def place(self, address: int) -> int:
        """Where in the file an address is loaded from."""
        for start, offset, size in self.loads:
            if start <= address < start + size:
                return offset + address - start
        raise ValueError(f"the address {address:#x} is in no segment")

    def text(self, offset: int) -> str:
        if not 0 <= offset < len(self.data):
            raise ValueError("a name lies outside the file")
        return self.data[offset : offset + _MAX_NAME_BYTES].split(b"\0", 1)[0].decode(errors="replace")
