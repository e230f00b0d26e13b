"""A large archive with all rules about artifacts, against testing that it unpacks."""

import os
import sys
import sysconfig
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from benchmarks.measure import FOUND_OR_NOT, Case, medians
from benchmarks.table import Budget, Row
from lambdalint.aws.limits import limit

RUNS: Final = 3

_TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders.zip
      Handler: app.handler
      Runtime: python{version[0]}.{version[1]}
"""
_HANDLER: Final = b"import click\n\ndef handler(event, context):\n    return click.__name__\n"


def archive(folder: Path) -> Iterator[Row]:
    """What this environment has installed, as often as a function may hold it."""
    project = folder / "audited"
    project.mkdir()
    (project / "template.yaml").write_text(_TEMPLATE.format(version=sys.version_info), "utf-8")
    unpacked, files = _pack(project / "orders.zip")
    lint = (Path(sys.executable).with_name("lambdalint"), "check", ".", "--select", "LZ,LY", "--no-cache")
    test = (sys.executable, "-m", "zipfile", "-t", "orders.zip")
    ours, theirs = medians(
        [Case((lint,), project, codes=FOUND_OR_NOT), Case((test,), project)],
        RUNS,
    )
    work = f"audit, {files:,} files, {unpacked / 1024 / 1024:.0f} MB"
    yield Row(work, ours.cpu_s, "s CPU", "python -m zipfile -t", theirs.cpu_s, Budget(3))
    yield Row(work, ours.memory_mb, "MB", "python -m zipfile -t", theirs.memory_mb)


def _pack(target: Path) -> tuple[int, int]:
    """Write the archive; the answer is its unpacked size and number of files."""
    most = limit("artifact", "unpacked", "max_bytes")
    unpacked = len(_HANDLER)
    with ZipFile(target, "w", ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr(_info("app.py", 0o644), _HANDLER)
        for path, name in _installed():
            content = path.read_bytes()
            if unpacked + len(content) > most:
                return unpacked, len(made.namelist())
            unpacked += len(content)
            made.writestr(_info(name, path.stat().st_mode), content)
    raise AssertionError("nothing is installed")


def _installed() -> Iterator[tuple[Path, str]]:
    """The files of this environment by the name that they get: first as installed, then in folders beside it."""
    root = Path(sysconfig.get_path("platlib"))
    files = [
        Path(folder, name)
        for folder, _, names in sorted(os.walk(root))
        for name in sorted(names)
        if name[-4:] != ".pyc"
    ]
    for number in count():
        for path in files:
            name = path.relative_to(root).as_posix()
            yield path, f"vendored{number}/{name}" if number else name


def _info(name: str, mode: int) -> ZipInfo:
    info = ZipInfo(name, (2026, 1, 1, 0, 0, 0))
    info.external_attr, info.create_system, info.compress_type = (0o100000 | mode) << 16, 3, ZIP_DEFLATED
    return info
