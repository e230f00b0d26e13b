"""Native files without what only a debugger reads; the judges are readelf and the loader of this machine."""

import shutil
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.facts.elf import elf_of
from lambdalint.packager.strip import MIN_GAIN_BYTES, stripped
from lambdalint_rules.artifacts.samples import linux_library

PLACES = (Path(sysconfig.get_path("platlib")), Path(sysconfig.get_path("stdlib"), "lib-dynload"))
LIBRARIES = {
    path: shorter
    for place in PLACES
    for path in sorted(place.rglob("*.so"))
    if path.read_bytes()[:4] == b"\x7fELF" and (shorter := stripped(path.read_bytes())) is not None
}
LOAD = "import ctypes, sys\nfor path in sys.argv[1:]: ctypes.CDLL(path)\n"


def test_there_are_libraries_to_judge_by() -> None:
    assert len(LIBRARIES) >= 10


def test_libraries_load_and_ask_for_what_they_asked_for(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LOAD, *map(str, LIBRARIES)], check=True)
    places = []
    for number, (path, data) in enumerate(LIBRARIES.items()):
        before = path.read_bytes()
        assert elf_of(data) == replace(elf_of(before), debug_bytes=0)
        place = tmp_path / f"{number}-{path.name}"
        place.write_bytes(data)
        places.append(str(place))
    subprocess.run([sys.executable, "-c", LOAD, *places], check=True)


def test_readelf_reads_them_without_a_warning_and_sees_no_symbol_table(tmp_path: Path) -> None:
    assert shutil.which("readelf"), "readelf is missing; apt-get install binutils"
    for data in LIBRARIES.values():
        place = tmp_path / "lib.so"
        place.write_bytes(data)
        shown = subprocess.run(["readelf", "-aW", place], check=True, capture_output=True, text=True)
        assert shown.stderr == ""
        assert ".dynsym" in shown.stdout
        assert "'.symtab'" not in shown.stdout
        assert ".debug_info" not in shown.stdout


def test_what_is_stripped_already_stays_as_it_is() -> None:
    assert all(stripped(data) is None for data in LIBRARIES.values())


def test_the_zeroes_that_patchelf_leaves_at_the_end_are_cut_too() -> None:
    path, shorter = next(iter(LIBRARIES.items()))
    assert stripped(path.read_bytes() + bytes(7)) == shorter
    assert stripped(path.read_bytes() + bytes(4096)) is None


def test_something_behind_the_last_section_is_nothing_to_cut() -> None:
    path = next(iter(LIBRARIES))
    assert stripped(path.read_bytes() + b"PK\x05\x06 an archive that the program reads from itself") is None


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"#!/bin/sh\n", linux_library(), b"\x7fELF\x02\x01\x01" + bytes(57)])
def test_other_files_stay_as_they_are(data: bytes) -> None:
    assert stripped(data) is None


SMALLEST = min((path.read_bytes() for path in LIBRARIES), key=len)


@given(st.data())
def test_damage_is_never_made_worse(data: st.DataObject) -> None:
    broken = bytearray(SMALLEST)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, 0x200) | st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del broken[data.draw(st.integers(1, len(broken))) :]
    shorter = stripped(bytes(broken))
    assert shorter is None or len(shorter) <= len(broken) + MIN_GAIN_BYTES
