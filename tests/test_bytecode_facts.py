"""What is said of bytecode, held against Pythons that compile and import it."""

import importlib.util
import os
import py_compile
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.aws.bytecode import magic_numbers
from lambdalint.facts.bytecode import BytecodeFiles, Check, CompiledFile
from lambdalint.model.artifact import Artifact, ArtifactKind, Entry, Record, RecordKind

MODES = {
    Check.TIME: py_compile.PycInvalidationMode.TIMESTAMP,
    Check.HASH: py_compile.PycInvalidationMode.CHECKED_HASH,
    Check.NONE: py_compile.PycInvalidationMode.UNCHECKED_HASH,
}
PYTHON = sys.version_info[:2]


def artifact(folder: Path, modified: tuple[int, int, int, int, int, int] | None = None) -> Artifact:
    """The files in *folder*, each last changed at *modified* if that is known."""
    entries = tuple(
        Entry(str(path.relative_to(folder)), path.stat().st_size, path.read_bytes)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
    records = tuple(
        Record(entry.path, RecordKind.FILE, entry.size, entry.size, 0, 0, True, 0o100644, modified)
        for entry in entries
        if modified
    )
    return Artifact("orders.zip", ArtifactKind.ZIP, entries, records=records)


def compiled(folder: Path, check: Check, source: bytes = b"x = 1\n", time: int = 1_700_000_000) -> CompiledFile:
    """What is known of ``app.py`` compiled so by this Python, with the source as it is at *time*."""
    path = folder / "app.py"
    path.write_bytes(source)
    os.utime(path, (time, time))
    py_compile.compile(str(path), invalidation_mode=MODES[check], doraise=True)
    [file] = BytecodeFiles.of(artifact(folder)).files
    return file


@pytest.mark.parametrize("check", list(Check))
def test_the_header_is_read_as_python_writes_it(check: Check, tmp_path: Path) -> None:
    file = compiled(tmp_path, check)
    assert (file.python, file.check, file.cached) == (PYTHON, check, True)
    assert file.source is not None
    assert file.source.path == "app.py"
    if check is Check.TIME:
        assert (file.time, file.size, file.is_of_source()) == (1_700_000_000, 6, None)
    else:
        assert file.digest == importlib.util.source_hash(b"x = 1\n")
        assert file.is_of_source() is True


@pytest.mark.parametrize("check", [Check.HASH, Check.NONE])
def test_a_source_that_was_edited_is_told(check: Check, tmp_path: Path) -> None:
    compiled(tmp_path, check)
    (tmp_path / "app.py").write_bytes(b"x = 2\n")
    [file] = BytecodeFiles.of(artifact(tmp_path)).files
    assert file.is_of_source() is False


def test_numbers_are_those_of_the_pythons_that_are_here() -> None:
    assert struct.pack("<H", magic_numbers()[PYTHON]) + b"\r\n" == importlib.util.MAGIC_NUMBER


@pytest.mark.parametrize(
    ("modified", "kept"),
    [
        ((2023, 11, 14, 22, 13, 20), True),
        ((2023, 11, 15, 3, 58, 20), True),  # packed in Kathmandu
        ((2023, 11, 14, 17, 13, 20), True),
        ((2023, 11, 14, 22, 13, 18), True),
        ((2023, 11, 14, 22, 14, 20), False),
        ((1980, 1, 1, 0, 0, 0), False),
    ],
)
def test_a_time_is_kept_in_any_zone(modified: tuple[int, int, int, int, int, int], kept: bool, tmp_path: Path) -> None:
    compiled(tmp_path, Check.TIME)
    files = BytecodeFiles.of(artifact(tmp_path, modified))
    assert files.keeps_time(files.files[0]) is kept


def test_what_is_usable_is_what_python_takes(tmp_path: Path) -> None:
    """Python, told to say what it compiles, compiles what is not usable and nothing else."""
    (tmp_path / "fresh.py").write_text("x = 1\n")
    (tmp_path / "bare.py").write_text("x = 1\n")
    py_compile.compile(str(tmp_path / "fresh.py"), invalidation_mode=MODES[Check.NONE], doraise=True)
    files = BytecodeFiles.of(artifact(tmp_path))
    assert [file.source.path for file in files.usable(PYTHON) if file.source] == ["fresh.py"]
    told = subprocess.run(
        [sys.executable, "-B", "-v", "-c", "import fresh, bare"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    ).stderr
    assert "fresh.cpython" in told
    assert "code object from" in told
    taken = [line for line in told.splitlines() if str(tmp_path) in line and "code object from" in line]
    assert [Path(line.rpartition("from ")[2].strip("'\"")).name.partition(".")[0] for line in taken] == [
        "fresh",
        "bare",
    ]
    assert taken[0].endswith(".pyc'")
    assert taken[1].rstrip("'\"").endswith("bare.py")


@given(st.binary(max_size=40))
def test_any_bytes_may_be_called_bytecode(content: bytes) -> None:
    entry = Entry("__pycache__/app.cpython-313.pyc", len(content), lambda: content)
    files = BytecodeFiles.of(Artifact("orders.zip", ArtifactKind.ZIP, (entry,)))
    assert len(files.files) + len(files.broken) == 1
