"""The same project gives the same bytes, whoever builds it, when, where and by which Python."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import deflate
import pytest

from lambdalint.packager.bytecode import interpreter
from lambdalint.packager.uv import uv_binary
from lambdalint.readers.image.oci import read_oci
from tests.test_package_images import base
from tests.test_package_kinds import FUNCTION, HERE, OTHER, Bench, bench
from tests.test_package_kinds import ORDERS as FILES

__all__ = ["base", "bench"]

ROOT = Path(__file__).parent.parent
ORDERS = {**FILES, "src/run.sh": "#!/bin/sh\n", "src/naïve/ü.txt": "", "src/data.bin": "\0\x01" * 5000}

#: Where lambdalint itself is installed from, while packages come from an index of the test's own.
OUTSIDE = dict(os.environ)
NOBODY = 65534
HOSTS = ((3, 11), (3, 12), (3, 13))

#: Packages the project in a folder into another, by so many jobs, with bytecode as it is said.
BUILD = """\
import os, sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from lambdalint.api import package_tree, placed
from lambdalint.config import Config, PackageSettings
from lambdalint.packager.host import Host
from lambdalint.readers.tree import Folder

folder, out, jobs, bytecode = sys.argv[1:]
place = placed((Path(folder),))
packaging = package_tree(
    Folder(place.root),
    place,
    Config(package=PackageSettings(bytecode=bytecode)),
    functions=(),
    out=Path(out),
    today=date(2026, 11, 1),
    host=replace(Host.here(cached=False), jobs=int(jobs)),
)
assert [each.refused for each in packaging.packages] == [False], (packaging.check, packaging.skipped)
"""


@dataclass(frozen=True)
class Circumstances:
    """What must not show in a package; *environment* on top of the usual, *python* instead of the running one."""

    umask: int = 0o022
    jobs: int = 2
    user: int | None = None
    backwards: bool = False
    python: Path = Path(sys.executable)
    environment: Mapping[str, str] = field(default_factory=dict)


def installed(python: str, folder: Path) -> Path | None:
    """An interpreter in *folder* that is *python* with lambdalint and the compressor of this one, if that works."""
    place = folder / "bin" / "python"
    needs = ["-e", str(ROOT), f"deflate=={deflate.__version__}"]
    for command in (["venv", "--python", python, str(folder)], ["pip", "install", "--python", str(place), *needs]):
        done = subprocess.run([uv_binary(), *command, "-q"], env=OUTSIDE, capture_output=True, text=True)
        if done.returncode != 0:
            warnings.warn(f"lambdalint does not come up under {python}: {done.stderr}", stacklevel=2)
            return None
    return place


@pytest.fixture(scope="session")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[int, int], Path]:
    """The Pythons that lambdalint runs under here."""
    found = {sys.version_info[:2]: Path(sys.executable)}
    for version in HOSTS:
        name = ".".join(map(str, version))
        host = interpreter(version, os.environ)
        if host is None:
            warnings.warn(f"no Python {name} is here to build under", stacklevel=1)
        elif version not in found and (python := installed(host.path, tmp_path_factory.mktemp(f"python{name}"))):
            found[version] = python
    return found


def build(places: Path, name: str, at: Circumstances, bytecode: str, files: dict[str, str]) -> dict[str, bytes]:
    """What is written when *files* are packaged at a place of their own below *places*, by the names of the files."""
    folder, out = places / f"checkout {name}", places / f"out-{name}"
    mask = os.umask(at.umask)
    try:
        for path, text in reversed(files.items()) if at.backwards else files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text.replace("RUNTIME", HERE))
            os.utime(place, (len(name) * 1000.0, len(name) * 1000.0))
    finally:
        os.umask(mask)
    (folder / "src" / "run.sh").chmod(0o700)
    out.mkdir()
    if at.user is not None:
        for owned in (folder, *folder.rglob("*"), out):
            os.chown(owned, at.user, at.user)
    done = subprocess.run(
        [str(at.python), "-c", BUILD, str(folder), str(out), str(at.jobs), bytecode],
        env={**os.environ, **at.environment},
        cwd=folder,
        umask=at.umask,
        user=at.user,
        group=at.user,
        extra_groups=None if at.user is None else [],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture
def everybody_s() -> Iterator[Path]:
    """A folder that other users may look into, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="lambdalint-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def everybody_s_python(folder: Path) -> Path | None:
    """A Python with lambdalint that another user may run as well, made in *folder* if need be."""
    if may_run(Path(sys.executable)):
        return Path(sys.executable)
    for version in HOSTS:
        python = shutil.which(f"python{version[0]}.{version[1]}", path=os.defpath)
        if python is not None and may_run(Path(python), "sys"):
            made = installed(python, folder / "venv")
            return made if made is not None and may_run(made) else None
    return None


def may_run(python: Path, modules: str = "lambdalint.api, lambdalint_rules, packaging, uv") -> bool:
    """Whether nobody may run *python*, and import *modules* there."""
    asked = [str(python), "-c", f"import {modules}"]
    try:
        done = subprocess.run(asked, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True)
    except PermissionError:
        return False
    return done.returncode == 0


@pytest.fixture
def elsewhere(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench with one interpreter on the path, that of the runtime, and none elsewhere."""
    folder = bench.folder.parent / "path"
    folder.mkdir()
    (folder / HERE).symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return bench


def test_the_same_project_gives_the_same_bytes_whoever_builds_it_where(elsewhere: Bench) -> None:
    said = [
        Circumstances(),
        Circumstances(0o077, 1, backwards=True, environment={"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1", "LANG": "C"}),
        Circumstances(0, 3, environment={"TZ": "America/New_York", "PYTHONHASHSEED": "77", "LC_ALL": "C.UTF-8"}),
        Circumstances(0o027, 8, environment={"TMPDIR": str(elsewhere.folder), "PYTHONOPTIMIZE": "2", "COLUMNS": "40"}),
    ]
    built = [build(elsewhere.folder.parent, str(number), at, "all", ORDERS) for number, at in enumerate(said)]
    assert set(built[0]) == {"Orders.zip", "Orders.json"}
    assert json.loads(built[0]["Orders.json"])["bytecode_compiler"]
    for number, other in enumerate(built):
        assert other == built[0], f"{said[number]} makes a difference"


def test_another_user_gives_the_same_bytes(elsewhere: Bench, everybody_s: Path) -> None:
    python = everybody_s_python(everybody_s) if os.geteuid() == 0 else None
    if python is None:
        warnings.warn("only root builds as another user, and only by a Python that everybody may run", stacklevel=1)
        return
    asked = [str(python), "-c", "import sys; print(sys.version_info[1])"]
    minor = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    files = {**ORDERS, "template.yaml": FUNCTION.replace("RUNTIME", f"python3.{minor}")}
    own = build(everybody_s, "own", Circumstances(python=python), "all", files)
    other = Circumstances(0o077, 1, NOBODY, python=python, environment={"USER": "nobody", "LANG": "C"})
    assert json.loads(own["Orders.json"])["bytecode_compiler"]
    assert build(everybody_s, "other", other, "all", files) == own


def test_the_folder_that_somebody_asks_from_makes_no_difference(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.holds(ORDERS)
    assert bench.package().exit_code == 0
    monkeypatch.chdir(bench.folder.parent)
    assert bench.package(str(bench.folder), "--out", "elsewhere").exit_code == 0
    for name in ("Orders.zip", "Orders.json"):
        assert (bench.folder / "dist" / name).read_bytes() == Path("elsewhere", name).read_bytes()


def test_every_host_gives_the_same_bytes_by_the_same_compiler(
    elsewhere: Bench, pythons: Mapping[tuple[int, int], Path]
) -> None:
    built = {
        version: build(elsewhere.folder.parent, f"{version[1]}", Circumstances(python=python), "closure", ORDERS)
        for version, python in pythons.items()
    }
    here = built[sys.version_info[:2]]
    compiler = ".".join(map(str, sys.version_info[:3]))
    assert json.loads(here["Orders.json"])["bytecode_compiler"] == f"CPython {compiler}"
    for version, other in built.items():
        assert other == here, f"Python {version} makes a difference"


def test_without_bytecode_no_interpreter_counts(
    elsewhere: Bench, pythons: Mapping[tuple[int, int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    files = {**ORDERS, "template.yaml": FUNCTION.replace("RUNTIME", OTHER)}
    built = {
        version: build(elsewhere.folder.parent, f"{version[1]}", Circumstances(python=python), "none", files)
        for version, python in pythons.items()
    }
    first = next(iter(built.values()))
    manifest = json.loads(first["Orders.json"])
    assert manifest["bytecode_compiler"] is None
    assert manifest["notes"] == []
    for version, other in built.items():
        assert other == first, f"Python {version} makes a difference"


def unpacked(tool: str, archive: Path, folder: Path) -> dict[str, tuple[bytes, int]]:
    """What *tool* makes of *archive*: contents and permissions by path."""
    assert tool == "python" or shutil.which(tool) is not None, f"this test needs {tool}"
    folder.mkdir()
    if tool == "python":
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
            for info in opened.infolist():
                (folder / info.filename).chmod(info.external_attr >> 16)
    else:
        arguments = {
            "unzip": ["-q", str(archive), "-d", str(folder)],
            "7z": ["x", "-bd", f"-o{folder}", str(archive)],
            "bsdtar": ["-xf", str(archive), "-C", str(folder)],
        }
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        done = subprocess.run([tool, *arguments[tool]], capture_output=True, text=True, umask=0o022, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("kind", ["zip", "layer"])
def test_all_who_read_archives_find_the_same_in_them(bench: Bench, kind: str) -> None:
    bench.holds({**ORDERS, "src/requirements.txt": "helper\nnative\n"})
    (bench.folder / "src" / "run.sh").chmod(0o755)
    assert bench.package("--kind", kind).exit_code == 0
    name = "Orders" if kind == "zip" else "Orders-layer"
    archive = bench.folder / "dist" / f"{name}.zip"
    found = {tool: unpacked(tool, archive, bench.folder / tool) for tool in ("python", "unzip", "7z", "bsdtar")}
    assert found["python"] == found["unzip"] == found["7z"] == found["bsdtar"]
    entries = json.loads((bench.folder / "dist" / f"{name}.json").read_text())["entries"]
    stated = {entry["path"]: (entry["size"], int(entry["mode"], 8)) for entry in entries}
    assert {path: (len(data), mode) for path, (data, mode) in found["python"].items()} == stated


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
