import json
import py_compile
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from lambdalint.cli import main
from lambdalint_rules.artifacts.samples import linux_library
from tests.hostile.__main__ import CASES
from tests.made_up_artifacts import APP, FUNCTION, archive
from tests.test_reporters import matches_snapshot

KNOWN = ("--runtime", "python3.13", "--architecture", "x86_64", "--handler", "app.handler", "--today", "2026-11-22")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.zip").write_bytes(archive(FUNCTION))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("inspect", *arguments))


def document(*arguments: str) -> Any:
    done = run(*arguments, "--output-format", "json")
    assert not done.stderr
    found = json.loads(done.stdout)
    schema = json.loads((files("lambdalint.reporters.inspection") / "schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(found)
    return found


def without_seconds(text: str) -> str:
    return re.sub(r"\d+\.\d\d s\)", "0.00 s)", text)


def test_the_text_shows_what_is_in_it_and_why() -> None:
    done = run("orders.zip", *KNOWN)
    matches_snapshot("inspect.txt", without_seconds(done.stdout))
    assert done.exit_code == 0


def test_sizes_and_quotas_are_those_of_the_archive(folder: Path) -> None:
    found = document("orders.zip", *KNOWN)
    unpacked = sum(map(len, FUNCTION.values()))
    assert found["artifact"]["unpacked_bytes"] == unpacked == sum(each["size"] for each in found["files"])
    assert found["artifact"]["archive_bytes"] == (folder / "orders.zip").stat().st_size
    whole, upload = found["quotas"]
    assert (whole["used_bytes"], whole["max_bytes"]) == (unpacked, 262_144_000)
    assert (upload["used_bytes"], upload["max_bytes"]) == (found["artifact"]["archive_bytes"], 52_428_800)
    digests = subprocess.run(["sha256sum", "orders.zip"], check=True, capture_output=True, text=True).stdout.split()
    assert found["artifact"]["sha256"] == digests[0]


def test_each_file_has_its_distribution_and_its_reason() -> None:
    found = document("orders.zip", *KNOWN)
    parts = {each["name"]: each for each in found["distributions"]}
    assert {name: part["version"] for name, part in parts.items()} == {
        "numpty": "1.0",
        "shapely": "2.1",
        "orders/": None,
        "own files": None,
    }
    assert (parts["numpty"]["required_by"], parts["numpty"]["imported_by"]) == (["shapely"], "shapely/__init__.py")
    assert (parts["shapely"]["required_by"], parts["shapely"]["imported_by"]) == ([], "app.py")
    by_path = {each["path"]: each for each in found["files"]}
    assert {path: by_path[path]["reached"] for path in ("app.py", "lazy.py", "orders/store.py")} == {
        "app.py": "init",
        "lazy.py": "later",
        "orders/store.py": "init",
    }
    assert by_path["lazy.py"]["imported_by"] == "app.py"
    assert by_path["numpty/core.cpython-313-x86_64-linux-gnu.so"]["kind"] == "native"


def test_native_code_says_what_it_asks_for() -> None:
    (native,) = document("orders.zip", *KNOWN)["natives"]
    assert (native["glibc"], native["machines"], native["abi"], native["runs"]) == (
        "2.28",
        ["x86_64"],
        "CPython 3.13",
        True,
    )
    (native,) = document("orders.zip", *KNOWN, "--architecture", "arm64")["natives"]
    assert native["runs"] is False
    assert document("orders.zip")["natives"][0]["runs"] is None
    assert "is for Linux x86_64 and cannot be loaded" in run("orders.zip", "--architecture", "arm64").stdout


def test_import_times_are_estimated_or_those_of_a_report(folder: Path) -> None:
    estimated = document("orders.zip", *KNOWN)["imports"]
    assert not estimated["measured"]
    names = [frame["name"] for frame in estimated["frames"]]
    assert names[:2] == ["app", "shapely"]
    assert {"numpty", "numpty.core", "orders", "orders.store"} <= set(names)
    assert "lazy" not in names
    assert estimated["total_ms"] == pytest.approx(sum(frame["self_ms"] for frame in estimated["frames"]), abs=0.01)
    assert document("orders.zip")["imports"] is None

    times = subprocess.run([sys.executable, "-X", "importtime", "-c", "import json"], capture_output=True, check=True)
    (folder / "times.txt").write_bytes(times.stderr)
    measured = document("orders.zip", "--boot-report", "times.txt")["imports"]
    assert measured["measured"]
    frames = {frame["name"]: frame for frame in measured["frames"]}
    cumulative = {
        match[2]: int(match[1]) / 1000
        for match in re.finditer(r"\| +(\d+) \| +(json\S*)$", times.stderr.decode(), re.MULTILINE)
    }
    assert "json.decoder" in cumulative
    for name, ms in cumulative.items():
        assert frames[name]["total_ms"] == pytest.approx(ms, abs=0.05), name
    assert measured["frames"][frames["json.decoder"]["parent"]]["name"] == "json"

    rows = [
        {"module": "json", "depth": 0, "self_us": 500, "cumulative_us": 500, "phase": "runtime"},
        {"module": "app", "depth": 0, "self_us": 1000, "cumulative_us": 3000, "phase": "init"},
        {"module": "shapely", "depth": 1, "self_us": 2000, "cumulative_us": 2000, "phase": "init"},
    ]
    (folder / "boot.json").write_text(json.dumps({"imports": rows}))
    frames = document("orders.zip", "--boot-report", "boot.json")["imports"]["frames"]
    assert [(frame["name"], frame["parent"], frame["total_ms"]) for frame in frames] == [
        ("app", -1, 3.0),
        ("shapely", 0, 2.0),
    ]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"imports": 3}', '{"imports": [{"module": 3}]}', "{" * 100_000])
def test_what_is_no_report_of_import_times_says_so(folder: Path, content: str) -> None:
    (folder / "times").write_text(content)
    done = run("orders.zip", "--boot-report", "times")
    assert done.exit_code == 3
    assert done.stderr.startswith("error: there are no import times in times\nhint: give what")


def test_bytecode_is_counted_by_what_python_makes_of_it(folder: Path) -> None:
    (folder / "app.py").write_bytes(APP)
    unchecked, timed = folder / "unchecked.pyc", folder / "timed.pyc"
    py_compile.compile("app.py", str(unchecked), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    py_compile.compile("app.py", str(timed), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    tag = f"cpython-{version.replace('.', '')}"
    for pyc, usable, check in ((unchecked, 1, "none"), (timed, 0, "time")):
        made = archive({"app.py": APP, f"__pycache__/app.{tag}.pyc": pyc.read_bytes()})
        (folder / "compiled.zip").write_bytes(made)
        found = document("compiled.zip", "--runtime", f"python{version}")["bytecode"]
        assert (found["sources"], found["files"], found["usable"]) == (1, 1, usable)
        assert (found["checks"], found["pythons"]) == ({check: 1}, [version])


def test_a_folder_and_a_layer_are_artifacts_as_well(folder: Path) -> None:
    for path, content in FUNCTION.items():
        (folder / "built" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "built" / path).write_bytes(content)
    found = document("built", *KNOWN)
    assert (found["artifact"]["kind"], found["artifact"]["sha256"]) == ("folder", None)
    assert len(found["files"]) == len(FUNCTION)
    assert len(found["quotas"]) == 1
    (folder / "layer.zip").write_bytes(archive({f"python/{path}": content for path, content in FUNCTION.items()}))
    found = document("layer.zip")
    assert found["artifact"]["layer"] is True
    assert {each["name"] for each in found["distributions"]} == {"numpty", "shapely", "orders/", "own files"}
    whole = document("orders.zip", *KNOWN, "--layer", "layer.zip")["quotas"][0]
    assert (whole["name"], whole["used_bytes"]) == ("unpacked, with layers", 2 * sum(map(len, FUNCTION.values())))


def test_findings_decide_the_exit_code(folder: Path) -> None:
    (folder / "bad.zip").write_bytes(archive({"app.py": APP, "core.so": linux_library("arm64")}))
    done = run("bad.zip", "--architecture", "x86_64", "--runtime", "python3.13")
    assert done.exit_code == 1
    assert "LZ015" in done.stdout


def test_what_cannot_be_read_is_said(folder: Path) -> None:
    (folder / "empty").mkdir()
    assert run("empty").exit_code == 0
    (folder / "text.txt").write_text("no archive")
    done = run("text.txt")
    assert done.exit_code == 3
    assert done.stderr.startswith("error: ")
    (folder / "cut.zip").write_bytes((folder / "orders.zip").read_bytes()[:300])
    assert run("cut.zip").exit_code in (1, 3)
    assert "Traceback" not in run("cut.zip").stderr


def test_names_that_terminals_obey_are_written_out(folder: Path) -> None:
    (folder / "evil.zip").write_bytes(archive({"a\x1b[2J.py": APP, "b\u202e.py": APP}))
    shown = run("evil.zip").stdout
    assert "a\\x1b[2J.py" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_hostile_artifacts_are_shown_and_compared_or_refused_with_words(folder: Path) -> None:
    """Every sixth: the others are of the same kinds, and each is read by ``test_hostile_artifacts`` as well."""
    for number, case in enumerate(CASES[::6]):
        project = folder / str(number)
        project.mkdir()
        case.write(project, case.make)
        path = str(project / case.artifact)
        target = str(folder / "page.html")
        for arguments in (
            ("inspect", path, "--runtime", case.runtime, "--handler", case.handler),
            ("inspect", path, "--output-format", "html", "--output", target),
            ("diff", "orders.zip", path),
        ):
            done = CliRunner().invoke(main, arguments)
            assert done.exit_code in (0, 1, 3), (case.name, done.output[-500:])
            assert "itself failed" not in done.stderr, (case.name, done.stderr)
            assert done.exit_code != 3 or done.stderr or done.stdout
