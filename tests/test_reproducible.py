"""The same project gives the same bytes, whoever builds it, when, where and by which Python."""

import json
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lambdalint.readers.image.oci import read_oci
from tests.test_package_images import base
from tests.test_package_kinds import ORDERS, Bench, bench

__all__ = ["base", "bench"]

EPOCH = 1_700_000_001  # 2023-11-14 22:13:21, which a ZIP rounds down to two seconds


@pytest.mark.parametrize(
    ("stated", "meant"),
    [(str(EPOCH), EPOCH), ("0", 315_532_800), ("-1", 315_532_800), ("9" * 15, 4_354_819_198), ("", None)],
)
def test_files_have_the_time_that_is_wished_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, stated: str, meant: int | None
) -> None:
    bench.holds(ORDERS)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", stated)
    assert bench.package().exit_code == 0
    assert bench.manifest("Orders")["source_date_epoch"] == meant
    at = datetime.fromtimestamp(315_532_800 if meant is None else meant, UTC)
    with zipfile.ZipFile("dist/Orders.zip") as archive:
        times = {info.date_time for info in archive.infolist()}
    assert times == {(at.year, at.month, at.day, at.hour, at.minute, at.second // 2 * 2)}


def test_a_folder_has_the_time_that_is_wished_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.holds(ORDERS)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    assert bench.package("--kind", "dir").exit_code == 0
    folder = Path("dist/Orders")
    assert {path.stat().st_mtime for path in (folder, *folder.rglob("*"))} == {EPOCH}


def test_an_image_has_the_time_that_is_wished_for(bench: Bench, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.holds(ORDERS)
    image = ("--kind", "image", "--base", base)
    assert bench.package(*image).exit_code == 0
    without = bench.manifest("Orders")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    assert bench.package(*image).exit_code == 0
    assert bench.manifest("Orders")["tree_sha256"] == without["tree_sha256"]
    assert bench.manifest("Orders")["sha256"] != without["sha256"]
    layout = Path("dist/Orders.oci")
    found = read_oci(layout, "Orders.oci")
    assert found.digest is not None
    blobs = layout / "blobs" / "sha256"
    manifest = json.loads((blobs / found.digest.removeprefix("sha256:")).read_bytes())
    config = json.loads((blobs / manifest["config"]["digest"].removeprefix("sha256:")).read_bytes())
    assert config["created"] == config["history"][-1]["created"] == "2023-11-14T22:13:21Z"
    with tarfile.open(blobs / manifest["layers"][-1]["digest"].removeprefix("sha256:")) as layer:
        assert {info.mtime for info in layer} == {EPOCH}
    assert bench.package(*image, "--to", "docker-archive").exit_code == 0
    with tarfile.open("dist/Orders.tar") as archive:
        assert {info.mtime for info in archive} == {EPOCH}


@pytest.mark.parametrize("stated", ["yesterday", "1.5", "1e9", "0x10"])
def test_a_time_that_is_none_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch, stated: str) -> None:
    bench.holds(ORDERS)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", stated)
    done = bench.package()
    assert done.exit_code == 2
    assert f"SOURCE_DATE_EPOCH is '{stated}', which is no whole number" in done.stderr
    assert not Path("dist").exists()
