"""A wheel as an installer would lay it out at the root of the package, in memory.

Left out are programs (``bin/``), headers and sources of compiled modules, type stubs, foreign bytecode and what
installers leave behind for themselves; native files lose what no loader reads.  ``RECORD`` is written anew for what is
left.

Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import base64
import csv
import hashlib
import io
import mmap
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import deflate

from lambdalint.errors import Refused
from lambdalint.packager import strip
from lambdalint.packager.choice import Pin
from lambdalint.packager.pack import Loss, RawMember

#: Changes with what is left out or rewritten, so that packs made by other rules are not taken for ours.
RULES: Final = f"2 {strip.RULES}"

_LOCAL: Final = struct.Struct("<4s22xHH")
_SIGNATURE: Final = b"PK\x03\x04"
_UTF8: Final = 0x800
_MAX_UNPACKED_BYTES: Final = 2 * 1024 * 1024 * 1024
_MAX_MEMBERS: Final = 200_000
_MAX_METADATA_BYTES: Final = 16 * 1024 * 1024
_LEFT_OUT_METADATA: Final = frozenset(("INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws", "RECORD.p7s"))
_HEADERS: Final = (".h", ".hpp", ".hh")
#: What Cython reads, and linkers do.
_BUILD_SUFFIXES: Final = (".pyx", ".pxd", ".pxi", ".a", ".lib")
#: What a compiler made a module of, where that lies beside it under the same name.
_COMPILED_SUFFIXES: Final = (".c", ".cc", ".cpp", ".cxx")
_PROGRAM, _HEADER, _FOREIGN = "a program", "a header", "bytecode that would not be used"
_NOTE, _STUB, _SOURCE = "a note among installers", "a type stub", "a source of compiled modules"
_STRIPPED: Final = "symbols and debug information that no loader reads"
_SPREAD: Final = ("purelib", "platlib", "data")
_HASHES: Final = frozenset(("sha256", "sha384", "sha512"))


@dataclass(frozen=True, slots=True)
class Installed:
    """The files of a wheel as they lie in the package, and what is missing of them."""

    members: tuple[RawMember, ...]
    losses: tuple[Loss, ...]


def installed(path: Path, pin: Pin, *, strips: bool = True) -> Installed:
    """The files of the wheel at *path*, as they lie in the package; *strips* makes native ones shorter.

    Raises:
        Refused: it is cut short, is not as its ``RECORD`` says, or holds paths that leave the package.
    """
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw,
            zipfile.ZipFile(file) as archive,
        ):
            return _installed(archive, raw, pin, strips=strips)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError) as error:
        raise Refused(
            f"{pin.filename} cannot be unpacked: {str(error)[:200] or type(error).__name__}",
            hint="the file at the index is broken; take another version",
        ) from error


def _installed(archive: zipfile.ZipFile, raw: mmap.mmap, pin: Pin, *, strips: bool) -> Installed:
    files = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    _check(archive, files, pin)
    info_folder = _metadata_folder(files, pin)
    record = _record(archive, f"{info_folder}/RECORD", pin)
    found: dict[str, RawMember] = {}
    losses: list[Loss] = []
    for name in sorted(files):
        data = _unpacked(raw, files[name])
        if data is None:
            data = archive.read(name)
        sha256 = hashlib.sha256(data)
        _verify(name, data, sha256.digest(), record, info_folder, pin)
        path = _placed(name, info_folder)
        reason = _PROGRAM if path is None else _why_left_out(path, info_folder)
        if path is None or reason is not None:
            losses.append(Loss(name, len(data), reason or _PROGRAM))
            continue
        if path == f"{info_folder}/RECORD":
            continue
        executable = bool((files[name].external_attr >> 16) & 0o111) and is_program(data)
        if path in found and found[path].data != data:
            raise Refused(f"{pin.filename} brings {path} twice, with different content", hint="take another version")
        found[path] = RawMember(path, data, executable, sha256.hexdigest())
    losses += [Loss(path, len(found.pop(path).data), reason) for path, reason in sorted(_useless(found).items())]
    for path, member in found.items() if strips else ():
        shorter = strip.stripped(member.data)
        if shorter is not None:
            losses.append(Loss(path, len(member.data) - len(shorter), _STRIPPED, is_removed=False))
            found[path] = RawMember(path, shorter, member.executable)
    kept = [*found.values()]
    kept.append(RawMember(f"{info_folder}/RECORD", _new_record(kept, f"{info_folder}/RECORD")))
    return Installed(tuple(sorted(kept, key=lambda member: member.path)), tuple(losses))


def _unpacked(raw: mmap.mmap, info: zipfile.ZipInfo) -> bytes | None:
    """A member in the form that nearly all have, at once; ``None`` for others, and where anything is odd."""
    head = raw[info.header_offset : info.header_offset + _LOCAL.size]
    if info.compress_type != zipfile.ZIP_DEFLATED or len(head) < _LOCAL.size:
        return None
    signature, name_bytes, extra_bytes = _LOCAL.unpack(head)
    start = info.header_offset + _LOCAL.size
    name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")
    if signature != _SIGNATURE or raw[start : start + name_bytes] != name:
        return None
    start += name_bytes + extra_bytes
    try:
        data = bytes(deflate.deflate_decompress(raw[start : start + info.compress_size], info.file_size))
    except deflate.DeflateError:
        return None
    return data if len(data) == info.file_size and deflate.crc32(data) == info.CRC else None


def metadata_of(path: Path) -> bytes:
    """The beginning of the ``METADATA`` of the wheel at *path*; raises what :mod:`zipfile` and ``next`` do."""
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        with archive.open(name) as file:
            return file.read(_MAX_METADATA_BYTES)


def is_program(data: bytes) -> bool:
    """Whether a file can be executed at all: a mode bit on anything else is an accident of its file system."""
    return data.startswith((b"#!", b"\x7fELF"))


def _check(archive: zipfile.ZipFile, files: Mapping[str, zipfile.ZipInfo], pin: Pin) -> None:
    infos = archive.infolist()
    if len(infos) > _MAX_MEMBERS or sum(info.file_size for info in infos) > _MAX_UNPACKED_BYTES:
        raise Refused(f"{pin.filename} unpacks to more than a function may hold")
    for info in infos:
        if not is_safe(info.filename.rstrip("/")):
            raise Refused(
                f"{pin.filename} holds {info.filename[:100]!r}, which leaves the folder it is unpacked into",
                hint="do not install it anywhere",
            )
        if info.flag_bits & 1:
            raise Refused(f"{pin.filename} is encrypted")


def is_safe(path: str) -> bool:
    """Whether a member's path stays below the folder that it is unpacked into, on every system."""
    parts = path.split("/")
    return (
        bool(path)
        and not any(part in ("", ".", "..") for part in parts)
        and not re.search(r"[\\\x00-\x1f\x7f]", path)
        and not re.match(r"[A-Za-z]:", path)
    )


def _metadata_folder(files: Mapping[str, zipfile.ZipInfo], pin: Pin) -> str:
    folders = {name.partition("/")[0] for name in files if name.partition("/")[0].endswith(".dist-info")}
    folders = {folder for folder in folders if f"{folder}/WHEEL" in files}
    if len(folders) != 1:
        raise Refused(f"{pin.filename} is no wheel: it has {len(folders)} folders with a WHEEL file instead of one")
    folder = folders.pop()
    for name in ("METADATA", "RECORD"):
        if f"{folder}/{name}" not in files:
            raise Refused(f"{pin.filename} is no wheel: {folder}/{name} is missing", hint="take another version")
    return folder


def _record(archive: zipfile.ZipFile, name: str, pin: Pin) -> dict[str, str]:
    """Hashes by path as the wheel states them, ``sha256=…``; empty where it states none."""
    try:
        rows = list(csv.reader(io.StringIO(archive.read(name).decode())))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{pin.filename} has a RECORD that cannot be read: {error}") from error
    return {row[0].removeprefix("./"): row[1] for row in rows if len(row) >= 2}


def _verify(name: str, data: bytes, sha256: bytes, record: Mapping[str, str], info_folder: str, pin: Pin) -> None:
    stated = record.get(name)
    if not stated or name == f"{info_folder}/RECORD":
        return
    algorithm, _, text = stated.partition("=")
    if algorithm not in _HASHES:
        return
    digest = sha256 if algorithm == "sha256" else hashlib.new(algorithm, data).digest()
    if _text(digest) != text.rstrip("="):
        raise Refused(
            f"{pin.filename} has a RECORD that says otherwise about {name} than what is in it",
            hint="it was changed after it was built; take another version or another index",
        )


def _text(digest: bytes) -> str:
    """*digest* as ``RECORD`` has it."""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _placed(name: str, info_folder: str) -> str | None:
    """Where an installer puts a member; ``None`` for programs and headers."""
    first, _, rest = name.partition("/")
    if not first.endswith(".data") or first.removesuffix(".data") != info_folder.removesuffix(".dist-info"):
        return name
    scheme, _, rest = rest.partition("/")
    if scheme not in _SPREAD or not rest or (scheme == "data" and rest.startswith(("bin/", "include/", "Scripts/"))):
        return None
    return rest


def _why_left_out(path: str, info_folder: str) -> str | None:
    folder, _, name = path.rpartition("/")
    if folder == info_folder and name in _LEFT_OUT_METADATA:
        return _NOTE
    if "__pycache__" in path.split("/"):
        return _FOREIGN
    return _HEADER if path.endswith(_HEADERS) else None


def _useless(found: Mapping[str, RawMember]) -> dict[str, str]:
    """The files that only type checkers and compilers read, with what they are."""
    useless = dict.fromkeys(_useless_stubs(found), _STUB)
    native = {_module(path) for path in found if path.endswith(".so")}
    if native:
        useless |= dict.fromkeys(_useless_sources(found, native), _SOURCE)
    return useless


def _useless_stubs(found: Mapping[str, RawMember]) -> Iterable[str]:
    """The type stubs that nothing reads: ``lazy_loader.attach_stub`` does read the one beside its module."""
    for path in found:
        if path.endswith(".pyi"):
            module = found.get(str(PurePosixPath(path).with_suffix(".py")))
            if module is None or b"attach_stub" not in module.data:
                yield path


def _useless_sources(found: Mapping[str, RawMember], native: set[str]) -> Iterable[str]:
    """What compiled modules were made of, but for kinds of files that code of the distribution speaks of."""
    named = {
        suffix
        for suffix in _BUILD_SUFFIXES
        if any(suffix.encode() in member.data for path, member in found.items() if path.endswith(".py"))
    }
    for path in found:
        suffix = path[path.rfind(".") :]
        is_compiled = suffix in _COMPILED_SUFFIXES and _module(path) in native
        if is_compiled or (suffix in _BUILD_SUFFIXES and suffix not in named):
            yield path


def _module(path: str) -> str:
    """The path of a module without what stands for the kind of file."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{name.partition('.')[0]}"


def _sha256(member: RawMember) -> bytes:
    return bytes.fromhex(member.sha256) if member.sha256 else hashlib.sha256(member.data).digest()


def _new_record(members: list[RawMember], path: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    rows = [(member.path, f"sha256={_text(_sha256(member))}", str(len(member.data))) for member in members]
    writer.writerows(sorted([*rows, (path, "", "")]))
    return text.getvalue().encode()
