import re
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdalint.facts.distributions import Distributions
from lambdalint.facts.elf import elf_of
from lambdalint.facts.native import Abi, Format, NativeFile, NativeFiles
from lambdalint.model.artifact import Artifact, ArtifactKind, Entry
from lambdalint_rules.artifacts.samples import linux_library, macos_library, windows_library

SITE_PACKAGES = Path(sysconfig.get_path("platlib"))


def artifact(files: Mapping[str, bytes]) -> Artifact:
    entries = tuple(Entry(path, len(data), partial(bytes, data)) for path, data in files.items())
    return Artifact("bundle.zip", ArtifactKind.ZIP, entries)


def native(path: str, data: bytes) -> NativeFile:
    (file,) = NativeFiles.of(artifact({path: data})).files
    return file


def needed_by_readelf(path: Path) -> set[tuple[str, str]]:
    shown = subprocess.run(["readelf", "-VW", path], check=True, capture_output=True, text=True).stdout
    found, library = set(), ""
    for line in shown.split("Version needs section", 1)[-1].splitlines():
        if match := re.search(r"File: (\S+)", line):
            library = match[1]
        elif library and (match := re.search(r"Name: (\S+)", line)) and "WEAK" not in line:
            found.add((library, match[1]))
    return found


def test_versions_are_those_that_readelf_shows() -> None:
    if shutil.which("readelf") is None:
        pytest.skip("readelf is not installed")
    libraries = sorted(SITE_PACKAGES.rglob("*.so"))[:40]
    assert libraries
    for path in libraries:
        assert set(elf_of(path.read_bytes()).versions) == needed_by_readelf(path), path


def dynamic_by_readelf(path: Path) -> tuple[tuple[str, ...], str | None, tuple[str, ...]]:
    shown = subprocess.run(["readelf", "-dW", path], check=True, capture_output=True, text=True).stdout
    needed = tuple(re.findall(r"\(NEEDED\).*\[(.*)\]", shown))
    soname = re.search(r"\(SONAME\).*\[(.*)\]", shown)
    search = re.search(r"\(RUNPATH\).*\[(.*)\]", shown) or re.search(r"\(RPATH\).*\[(.*)\]", shown)
    return needed, soname[1] if soname else None, tuple(search[1].split(":")) if search else ()


def test_names_and_folders_are_those_that_readelf_shows() -> None:
    assert shutil.which("readelf"), "readelf is not installed; binutils has it"
    libraries = [path for path in sorted(SITE_PACKAGES.rglob("*.so*")) if path.read_bytes()[:4] == b"\x7fELF"]
    assert libraries
    for path in libraries[:60]:
        elf = elf_of(path.read_bytes())
        assert (elf.needed, elf.soname, elf.search) == dynamic_by_readelf(path), path
        assert not elf.misaligned, path


def test_installed_wheels_are_linux_files_of_this_machine_and_belong_to_distributions() -> None:
    paths = [path for path in SITE_PACKAGES.rglob("*") if path.is_file() and path.suffix in (".so", "", ".py")]
    files = tuple(
        Entry(str(path.relative_to(SITE_PACKAGES)), path.stat().st_size, path.read_bytes) for path in sorted(paths)
    )
    found = NativeFiles.of(Artifact("site-packages", ArtifactKind.FOLDER, files))
    modules = [file for file in found.files if file.module]
    assert modules
    assert {file.format for file in modules} == {Format.ELF}
    assert all(file.distribution for file in modules)
    assert all(file.glibc and file.unreadable is None for file in modules)


def test_the_highest_version_counts_and_weak_ones_do_not() -> None:
    file = native(
        "a.so", linux_library(versions={"libc.so.6": ("GLIBC_2.4", "GLIBC_2.14"), "libm.so.6": ("GLIBC_2.29",)})
    )
    assert file.glibc
    assert (file.glibc.version, file.glibc.library, file.glibc.text) == ((2, 29), "libm.so.6", "2.29")
    assert native("a.so", linux_library(versions={"libc.so.6": ("GLIBC_2.38",)}, weak=True)).glibc is None
    relr = native("a.so", linux_library(versions={"libc.so.6": ("GLIBC_2.4", "GLIBC_ABI_DT_RELR")}))
    assert relr.glibc
    assert relr.glibc.version == (2, 36)


def test_a_libstdcxx_of_the_packages_own_is_no_need_of_the_system() -> None:
    own = native("a.so", linux_library(versions={"libstdc++-1a2b3c.so.6": ("GLIBCXX_3.4.32", "CXXABI_1.3.15")}))
    assert (own.glibcxx, own.cxxabi) == (None, None)
    shared = native("a.so", linux_library(versions={"libstdc++.so.6": ("GLIBCXX_3.4.32", "CXXABI_1.3.15")}))
    assert shared.glibcxx
    assert shared.cxxabi
    assert (shared.glibcxx.text, shared.cxxabi.text) == ("3.4.32", "1.3.15")


@pytest.mark.parametrize(
    ("path", "data", "title", "x86_64", "arm64"),
    [
        ("a.so", linux_library("x86_64"), "Linux x86_64 file", True, False),
        ("a.so.1.2", linux_library("arm64"), "Linux arm64 file", False, True),
        ("a.so", linux_library(needed=("libc.musl-x86_64.so.1",)), "Linux x86_64 file for musl", False, False),
        ("a.dylib", macos_library("arm64"), "macOS arm64 file", False, False),
        ("a.so", macos_library("arm64", "x86_64"), "macOS arm64+x86_64 file", False, False),
        ("a.pyd", windows_library(), "Windows x86_64 file", False, False),
        ("bin/tool", linux_library("arm64"), "Linux arm64 file", False, True),
    ],
)
def test_a_file_is_told_by_its_content(path: str, data: bytes, title: str, x86_64: bool, arm64: bool) -> None:
    file = native(path, data)
    assert (file.title, file.runs_on("x86_64"), file.runs_on("arm64")) == (title, x86_64, arm64)


def test_what_only_looks_native_is_none() -> None:
    texts = {
        "a.so": b"INPUT(libm.so.6)",
        "bin/run": b"#!/bin/sh\n",
        "a.dll": b"",
        "Main.class": b"\xca\xfe\xba\xbe\0\0\0\x3d",
    }
    assert NativeFiles.of(artifact(texts)).files == ()


@pytest.mark.parametrize(
    ("name", "module", "abi"),
    [
        ("_x.cpython-311-x86_64-linux-gnu.so", "_x", Abi("cpython", (3, 11), False, "x86_64-linux-gnu")),
        ("_x.cpython-313t-aarch64-linux-gnu.so", "_x", Abi("cpython", (3, 13), True, "aarch64-linux-gnu")),
        ("_x.cpython-37m-x86_64-linux-gnu.so", "_x", Abi("cpython", (3, 7), False, "x86_64-linux-gnu")),
        ("_x.cp312-win_amd64.pyd", "_x", Abi("cpython", (3, 12), False, "win_amd64")),
        ("_x.pypy39-pp73-x86_64-linux-gnu.so", "_x", Abi("pypy", (3, 9), False, "x86_64-linux-gnu")),
        ("_x.abi3.so", "_x", Abi("abi3", None)),
        ("_x.so", "_x", None),
        ("libx.so", None, None),
        ("libx-1.2.so", None, None),
    ],
)
def test_the_name_of_an_extension_says_its_abi(name: str, module: str | None, abi: Abi | None) -> None:
    file = native(name, linux_library())
    assert (file.module, file.abi) == (module, abi)


def test_the_stable_abi_has_the_floor_of_its_wheel() -> None:
    files = {
        "x.abi3.so": linux_library(),
        "x-1.0.dist-info/RECORD": b"x.abi3.so,,\r\n",
        "x-1.0.dist-info/WHEEL": b"Tag: cp39-abi3-manylinux_2_17_x86_64\nTag: cp39-abi3-manylinux2014_x86_64\n",
    }
    (file,) = NativeFiles.of(artifact(files)).files
    assert (file.abi, file.distribution) == (Abi("abi3", (3, 9)), "x 1.0")


@pytest.mark.parametrize(
    ("path", "beside", "served"),
    [
        ("x.cpython-39-darwin.so", "x.py", True),
        ("x.cpython-313-x86_64-linux-gnu.so", "x.py", False),  # Python takes the compiled one, and fails
        ("x.so", "x.py", False),
        ("x.so", "y.py", False),
        ("x.cpython-39-x86_64-linux-gnu.so", "x.cpython-313-x86_64-linux-gnu.so", True),
        ("x.so", "x.abi3.so", True),
        ("lib/darwin-arm64/libx.dylib", "lib/linux-x64/libx.so", True),
        ("lib/win32/x.dll", "lib/linux-x64/libx.so", True),
        ("lib/darwin-arm64/libx.dylib", "lib/linux-x64/liby.so", False),
        ("attach_x86_64.dylib", "attach_linux_amd64.so", True),
    ],
)
def test_something_beside_a_file_may_serve_in_its_place(path: str, beside: str, served: bool) -> None:
    content = b"" if beside.endswith(".py") else linux_library()
    files = NativeFiles.of(artifact({path: macos_library("arm64"), beside: content}))
    (file,) = (each for each in files.files if each.path == path)
    assert files.has_substitute(file, (3, 13), "x86_64") is served


def test_a_broken_record_lists_what_can_be_read_of_it() -> None:
    records = {"a-1.dist-info/RECORD": b'a.py,,\n"b\0.py', "python/c-2.dist-info/RECORD": b"c.py,sha256=x,3\n"}
    assert Distributions.of(artifact(records)).by_path == {
        "a.py": "a 1",
        "b.py": "a 1",
        "python/c.py": "c 2",
    }


def test_an_offset_beyond_any_file_is_said_to_be_unreadable() -> None:
    data = bytearray(linux_library())
    data[39] = 128  # the last byte of the place of the segments
    assert native("a.so", bytes(data)).unreadable == "an offset lies outside the file"


def test_a_broken_file_is_said_to_be_unreadable() -> None:
    file = native("a.so", linux_library(versions={"libc.so.6": ("GLIBC_2.4",)})[:150])
    assert file.unreadable
    assert not file.machines


SAMPLES = st.sampled_from(
    [
        linux_library(
            versions={"libc.so.6": ("GLIBC_2.4", "GLIBC_2.28"), "libm.so.6": ("GLIBC_2.29",)}, needed=("libc.so.6",)
        ),
        macos_library("arm64", "x86_64"),
        windows_library(),
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    SAMPLES, st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=8), st.integers(0, 700)
)
def test_a_mutated_file_is_read_or_said_to_be_unreadable(data: bytes, changes: list[tuple[int, int]], end: int) -> None:
    made = bytearray(data)
    for at, byte in changes:
        made[at % len(made)] = byte
    for file in NativeFiles.of(artifact({"a.so": bytes(made[: end or None])})).files:
        assert file.title
