"""A wheel under another platform, which its own metadata then states as well."""

import base64
import csv
import hashlib
import io
import re
import zipfile
from pathlib import Path
from typing import Final

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def retagged(wheel: Path, platform: str) -> Path:
    """*wheel* rewritten beside itself for *platform*: ``manylinux_2_17_x86_64``."""
    head, _ = wheel.name.removesuffix(".whl").rsplit("-", 1)
    renamed = wheel.with_name(f"{head}-{platform}.whl")
    with zipfile.ZipFile(wheel) as archive:
        members = {info.filename: (info, archive.read(info)) for info in archive.infolist() if not info.is_dir()}
    tag = next(name for name in members if re.fullmatch(r"[^/]+\.dist-info/WHEEL", name))
    record = tag.removesuffix("WHEEL") + "RECORD"
    info, data = members[tag]
    members[tag] = (info, re.sub(rb"(?m)^(Tag: [^-\r\n]+-[^-\r\n]+)-\S+", rb"\1-" + platform.encode(), data))
    members[record] = (members[record][0], _record(members, record))
    write_wheel(renamed, {name: (data, _mode(info)) for name, (info, data) in members.items()})
    if renamed != wheel:
        wheel.unlink()
    return renamed


def write_wheel(path: Path, members: dict[str, tuple[bytes, int]]) -> None:
    """A wheel of *members*, by path their content and mode; the same ones give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, (data, mode) in sorted(members.items()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = (0o100000 | mode) << 16
            archive.writestr(info, data)


def record_of(members: dict[str, bytes], record: str) -> bytes:
    """The ``RECORD`` at the path *record* of *members*."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name, data in sorted(members.items()):
        if name != record:
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            writer.writerow((name, f"sha256={digest}", len(data)))
    writer.writerow((record, "", ""))
    return text.getvalue().encode()


def _record(members: dict[str, tuple[zipfile.ZipInfo, bytes]], record: str) -> bytes:
    return record_of({name: data for name, (_, data) in members.items()}, record)


def _mode(info: zipfile.ZipInfo) -> int:
    return 0o755 if (info.external_attr >> 16) & 0o111 else 0o644
