"""What ``lambdalint package`` makes of a project, in every form, as its user sees it."""

import json
import os
import re
import stat
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lambdalint.cli import main
from tests.fake_index import FakeIndex, wheel
from tests.test_reporters import matches_snapshot

HERE = f"python3.{sys.version_info[1]}"
OTHER = "python3.14"
FUNCTION = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: RUNTIME
"""
LAYER = """\
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layer/
      CompatibleRuntimes: [RUNTIMES]
"""
APP = "import helper\n\n\ndef handler(event, context):\n    return helper.version\n"


@dataclass
class Bench:
    """A project and the index that it is built from."""

    folder: Path
    index: FakeIndex

    def holds(self, files: Mapping[str, str]) -> "Bench":
        for path, text in files.items():
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text.replace("RUNTIMES", HERE).replace("RUNTIME", HERE))
        return self

    def package(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["package", *arguments], catch_exceptions=False)

    def manifest(self, name: str) -> dict[str, object]:
        document: dict[str, object] = json.loads((self.folder / "dist" / f"{name}.json").read_text())
        return document

    def archived(self, name: str) -> list[str]:
        with zipfile.ZipFile(self.folder / "dist" / f"{name}.zip") as archive:
            return archive.namelist()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("LAMBDALINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with FakeIndex() as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        index.add(
            wheel("helper", "2", files={"helper/__init__.py": "version = '2'\n", "helper/data.txt": "x" * 4000}),
            wheel("native", "1", f"cp3{sys.version_info[1]}-none-any", files={"native.py": "here = True\n"}),
            wheel("native", "1", "cp314-none-any", files={"native.py": "here = False\n"}),
        )
        yield Bench(folder, index)


ORDERS = {"template.yaml": FUNCTION, "src/app.py": APP, "src/requirements.txt": "helper\n"}


def without_bytecode(paths: list[str]) -> list[str]:
    return [path for path in paths if "__pycache__" not in path and ".dist-info/" not in path]


def stable(report: str) -> str:
    """*report* without what differs from run to run, or with the Python that this is."""
    report = re.sub(r"[0-9a-f]{64}", "0f" * 32, report).replace(HERE, "python3.NN")
    return re.sub(r"\d+\.\d+ s\b", "0.00 s", re.sub(r" +[\d.]+ [KM]?B", " N B", report))


def test_a_folder_holds_the_tree_of_the_archive(bench: Bench) -> None:
    bench.holds(ORDERS)
    assert bench.package().exit_code == 0
    zipped, names = bench.manifest("Orders"), bench.archived("Orders")
    done = bench.package("--kind", "dir")
    assert done.exit_code == 0, done.output
    folder = bench.folder / "dist" / "Orders"
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == sorted(names)
    plain = bench.manifest("Orders")
    assert (plain["kind"], plain["sha256"], plain["packed_bytes"]) == ("dir", None, None)
    assert plain["tree_sha256"] == zipped["tree_sha256"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o644}
    matches_snapshot("package-dir.txt", stable(done.output))
    (folder / "stale.py").write_text("")
    assert bench.package("--kind", "dir").exit_code == 0
    assert not (folder / "stale.py").exists()


@pytest.mark.parametrize("kind", ["dir", "zip"])
def test_only_packages_are_written_over(bench: Bench, kind: str) -> None:
    bench.holds({**ORDERS, "template.yaml": FUNCTION.replace("Orders", "src")})
    before = {place: place.read_bytes() for place in bench.folder.rglob("*") if place.is_file()}
    if kind == "zip":
        bench.holds({"src.json": '{"version": "1.0.0"}'})
    done = bench.package("--kind", kind, "--out", ".")
    assert done.exit_code == 3
    assert f"/src{'' if kind == 'dir' else '.json'} is there, and lambdalint did not write it" in done.output
    assert {place: place.read_bytes() for place in before} == before
    for _ in range(2):
        assert bench.package("--kind", kind).exit_code == 0


def test_what_a_function_needs_becomes_a_layer_of_its_own(bench: Bench) -> None:
    bench.holds(ORDERS)
    done = bench.package("--kind", "layer")
    assert done.exit_code == 0, done.output
    assert without_bytecode(bench.archived("Orders-layer")) == [
        "python/helper/__init__.py",
        "python/helper/data.txt",
    ]
    assert bench.manifest("Orders-layer")["kind"] == "layer"
    matches_snapshot("package-layer.txt", stable(done.output))


@pytest.mark.parametrize(
    ("runtimes", "files", "names"),
    [
        (
            HERE,
            {"layer/requirements.txt": "native\n", "layer/shared.py": ""},
            ["python/native.py", "python/requirements.txt", "python/shared.py"],
        ),
        (
            f"{HERE}, {OTHER}",
            {"layer/requirements.txt": "native\n"},
            [f"python/lib/{HERE}/site-packages/native.py", f"python/lib/{OTHER}/site-packages/native.py"],
        ),
        (HERE, {"layer/python/shared.py": "x = 1\n", "layer/bin/tool": ""}, ["bin/tool", "python/shared.py"]),
        (f"{HERE}, {OTHER}", {"layer/python/shared.py": "x = 1\n"}, ["python/shared.py"]),
    ],
    ids=["requirements", "two runtimes", "laid out", "laid out for two"],
)
def test_a_declared_layer_is_built_for_what_it_serves(
    bench: Bench, runtimes: str, files: Mapping[str, str], names: list[str]
) -> None:
    layer = LAYER.replace("RUNTIMES", runtimes)
    bench.holds(
        {"template.yaml": FUNCTION + "      Layers: [!Ref Shared]\n" + layer, "src/app.py": "handler = print\n"}
    )
    bench.holds(files)
    done = bench.package()
    assert done.exit_code == 0, done.output
    assert [path for path in without_bytecode(bench.archived("Shared")) if "requirements.txt" not in path] == [
        name for name in names if "requirements.txt" not in name
    ]
    if len(names) == 2 and "lib" in names[0]:
        with zipfile.ZipFile(bench.folder / "dist" / "Shared.zip") as archive:
            assert archive.read(names[0]) == b"here = True\n"
            assert archive.read(names[1]) == b"here = False\n"


def test_a_layer_that_nobody_gives_a_python_is_skipped_with_the_reason(bench: Bench) -> None:
    layer = LAYER.replace("      CompatibleRuntimes: [RUNTIMES]\n", "")
    bench.holds(
        {"template.yaml": FUNCTION + layer, "src/app.py": "handler = print\n", "layer/requirements.txt": "helper\n"}
    )
    done = bench.package()
    assert "skipped   Shared  nobody says which Python it is for" in done.output


def test_zip_is_what_a_template_without_package_type_gets(bench: Bench) -> None:
    bench.holds({**ORDERS, "template.yaml": FUNCTION + LAYER, "layer/requirements.txt": "helper\n"})
    done = bench.package()
    assert done.exit_code == 0, done.output
    assert sorted(os.listdir(bench.folder / "dist")) == ["Orders.json", "Orders.zip", "Shared.json", "Shared.zip"]  # noqa: PTH208
    matches_snapshot("package-zip.txt", stable(done.output))
    planned = bench.package("--plan")
    matches_snapshot("package-plan.txt", stable(planned.output))


def test_an_unknown_kind_is_refused_with_those_there_are(bench: Bench) -> None:
    done = CliRunner().invoke(main, ["package", "--kind", "tar"])
    assert done.exit_code == 2
    assert "--kind takes zip, layer, dir or image, not 'tar'" in done.output


def test_a_function_that_loads_a_module_with_a_syntax_error_is_not_written(bench: Bench) -> None:
    other = FUNCTION.partition("Resources:\n")[2].replace("Orders", "Reports").replace("app.handler", "reports.handler")
    bench.holds(
        {
            "template.yaml": FUNCTION + other,
            "src/app.py": "import prices\nhandler = prices.handler\n",
            "src/prices.py": "def handler(event, context:\n",
            "src/reports.py": "handler = print\n",
        }
    )
    done = bench.package()
    assert done.exit_code == 3
    assert "src/prices.py:1" in done.output
    assert sorted(path.name for path in (bench.folder / "dist").iterdir()) == ["Reports.json", "Reports.zip"]
