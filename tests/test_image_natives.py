"""Native code in images, held against what the image itself has."""

from pathlib import Path

import pytest

import lambdalint
from lambdalint.config import Config
from lambdalint.join.image_natives import native_part
from lambdalint.model.image import Image
from lambdalint.readers.image.files import image_files
from lambdalint.readers.image.oci import oci_image
from lambdalint_rules.artifacts import image_samples
from lambdalint_rules.artifacts.samples import linux_library

SITE = "usr/local/lib/python3.13/site-packages"
GLIBC = b"\x7fELF\0GNU C Library (Debian GLIBC 2.36-9+deb12u10) stable release version 2.36.\n"


def image_with(folder: Path, files: dict[str, bytes]) -> Image:
    (folder / "orders.tar").write_bytes(image_samples.with_native(files))
    return oci_image(image_files(folder / "orders.tar", "orders.tar"), "orders.tar")


def found(folder: Path, files: dict[str, bytes]) -> list[tuple[str, str]]:
    image_with(folder, files)
    result = lambdalint.check([folder / "orders.tar"], Config(select=("LZ",)), cache=False)
    return [(each.code, each.message) for each in result.findings]


def test_an_image_without_native_code_has_no_part_to_look_at(tmp_path: Path) -> None:
    assert native_part(image_with(tmp_path, {"var/task/rates.py": b""})) is None


@pytest.mark.parametrize(
    ("path", "content", "glibc"),
    [
        ("lib/x86_64-linux-gnu/libc.so.6", GLIBC, (2, 36)),
        ("lib64/libc-2.26.so", b"\x7fELF", None),
        ("usr/lib64/libc.so.6", b"\x7fELF", None),
    ],
)
def test_the_glibc_is_read_off_the_library(
    tmp_path: Path, path: str, content: bytes, glibc: tuple[int, int] | None
) -> None:
    part = native_part(image_with(tmp_path, {f"{SITE}/fast.so": linux_library(), path: content}))
    assert part is not None
    assert part.system is not None
    assert part.system.glibc == glibc


def test_what_a_distribution_brought_is_told_by_its_folders(tmp_path: Path) -> None:
    files = {
        f"{SITE}/fast/_core.so": linux_library(),
        f"{SITE}/fast.libs/libfast.so.1": linux_library(),
        f"{SITE}/fast-2.1.0.dist-info/METADATA": b"",
        f"{SITE}/other.so": linux_library(),
        "var/lib/somebody/else.so": linux_library(),
    }
    part = native_part(image_with(tmp_path, files))
    assert part is not None
    assert {entry.path.removeprefix(f"{SITE}/"): entry.origin for entry in part.entries} == {
        "fast/_core.so": "fast 2.1.0",
        "fast.libs/libfast.so.1": "fast 2.1.0",
        "other.so": "",
    }


def test_a_library_is_looked_into_however_large_it_is(tmp_path: Path) -> None:
    large = linux_library(versions={"libc.so.6": ("GLIBC_2.38",)}, debug_bytes=20 * 1024 * 1024)
    files = {"lib64/libc.so.6": GLIBC, f"{SITE}/fast.so": large}
    assert found(tmp_path, files) == [("LZ016", f"{SITE}/fast.so needs GLIBC_2.38; the image comes with 2.36")]


def test_an_image_whose_glibc_nobody_knows_is_not_judged_by_it(tmp_path: Path) -> None:
    newer = linux_library(versions={"libc.so.6": ("GLIBC_2.99",)})
    assert not found(tmp_path, {f"{SITE}/fast.so": newer})


def test_a_damaged_library_is_none(tmp_path: Path) -> None:
    assert not found(tmp_path, {f"{SITE}/fast.so": linux_library()[:90], "lib64/libc.so.6": GLIBC})


def test_the_function_that_runs_the_image_is_named(tmp_path: Path) -> None:
    image_with(tmp_path, {"var/task/fast.so": linux_library("arm64")})
    result = lambdalint.check([tmp_path / "orders.tar"], Config(select=("LZ",)), cache=False)
    assert [(each.code, each.function) for each in result.findings] == [("LZ015", "orders")]
