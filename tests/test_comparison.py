import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lambdalint.cli import main
from lambdalint_rules.artifacts.samples import linux_library
from tests.made_up_artifacts import FUNCTION, archive
from tests.test_reporters import matches_snapshot

SHAPELY = "shapely-2.1.dist-info"
CHANGED = {
    **{path.replace(SHAPELY, "shapely-2.2.dist-info"): content for path, content in FUNCTION.items()},
    "shapely-2.2.dist-info/RECORD": FUNCTION[f"{SHAPELY}/RECORD"].replace(b"2.1", b"2.2"),
    "app.py": FUNCTION["app.py"] + b"# more\n",
    "numpty/core.cpython-313-x86_64-linux-gnu.so": linux_library(versions={"libc.so.6": ("GLIBC_2.34",)}),
    "new.py": b"z = 1\n",
}
del CHANGED["unused.py"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("old.zip").write_bytes(archive(FUNCTION))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("diff", *arguments))


def document(old: str, new: str) -> Any:
    done = run(old, new, "--output-format", "json")
    assert not done.stderr
    found = json.loads(done.stdout)
    schema = json.loads((files("lambdalint.reporters.comparison") / "schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(found)
    assert done.exit_code == (0 if found["equal"] else 1)
    return found


def packing(new: bytes) -> list[str]:
    Path("new.zip").write_bytes(new)
    found = document("old.zip", "new.zip")
    assert found["equal"]
    return [each["what"] for each in found["packing"]]


@pytest.mark.parametrize("name", ["text", "markdown"])
def test_every_format_shows_all_that_is_different(name: str) -> None:
    Path("new.zip").write_bytes(archive(CHANGED, 0o755, 2))
    done = run("old.zip", "new.zip", "--output-format", name)
    matches_snapshot(f"diff-{name}.txt", done.stdout)
    assert done.exit_code == 1


def test_the_same_archive_is_the_same() -> None:
    found = document("old.zip", "old.zip")
    assert found["equal"]
    assert found["identical"]
    assert "byte for byte" in run("old.zip", "old.zip").stdout


def test_files_distributions_and_native_code_are_told_apart() -> None:
    Path("new.zip").write_bytes(archive(CHANGED))
    found = document("old.zip", "new.zip")
    hows = {each["path"]: each["how"] for each in found["files"]}
    assert hows["app.py"] == "changed"
    assert hows["new.py"] == "added"
    assert hows["unused.py"] == "removed"
    assert "lazy.py" not in hows
    shapely = next(each for each in found["distributions"] if each["name"] == "shapely")
    assert (shapely["how"], shapely["old_version"], shapely["new_version"]) == ("changed", "2.1", "2.2")
    assert (found["old"]["glibc"], found["new"]["glibc"]) == ("2.28", "2.34")
    assert [each["path"] for each in found["natives"]] == ["numpty/core.cpython-313-x86_64-linux-gnu.so"]


def test_a_folder_is_compared_with_what_is_packed_of_it() -> None:
    for path, content in FUNCTION.items():
        (Path("built") / path).parent.mkdir(parents=True, exist_ok=True)
        (Path("built") / path).write_bytes(content)
        (Path("built") / path).chmod(0o644)
    assert document("old.zip", "built")["equal"]
    (Path("built") / "app.py").chmod(0o600)
    assert document("old.zip", "built")["modes"] == [{"path": "app.py", "old": "0644", "new": "0600"}]
    (Path("built") / "app.py").chmod(0o644)
    (Path("built") / "alias.py").symlink_to("app.py")
    assert not document("old.zip", "built")["equal"]


def test_permissions_are_part_of_what_is_unpacked() -> None:
    Path("new.zip").write_bytes(archive(FUNCTION, 0o755))
    found = document("old.zip", "new.zip")
    assert not found["equal"]
    assert {(each["old"], each["new"]) for each in found["modes"]} == {("0644", "0755")}
    assert found["files"] == []


def test_equal_contents_in_other_bytes_are_explained() -> None:
    assert packing(archive(FUNCTION, day=3)) == ["times"]
    assert packing(archive(dict(reversed(list(FUNCTION.items()))))) == ["order"]
    data = bytearray(archive(FUNCTION))
    data[-2:] = len(b"by hand").to_bytes(2, "little")
    assert packing(bytes(data) + b"by hand") == ["archive comment"]


@pytest.mark.parametrize("arguments", [("-1",), ("-9",), ("-9", "-X"), ("-0", "-D")])
def test_what_info_zip_does_differently_is_named(folder: Path, arguments: tuple[str, ...]) -> None:
    zip_ = shutil.which("zip")
    assert zip_, "this test needs zip: apt-get install zip"
    for path, content in FUNCTION.items():
        (Path("built") / path).parent.mkdir(parents=True, exist_ok=True)
        (Path("built") / path).write_bytes(content)
        (Path("built") / path).chmod(0o644)
    subprocess.run([zip_, "-qr", *arguments, folder / "new.zip", "."], cwd=folder / "built", check=True)
    reasons = packing((folder / "new.zip").read_bytes())
    assert "times" in reasons
    assert ("extra fields" in reasons) == ("-X" not in arguments)
    assert ("folders" in reasons) == ("-D" not in arguments)
    assert ("method" in reasons) == ("-0" not in arguments)


def test_another_level_of_compression_is_told_from_another_content(folder: Path) -> None:
    zip_ = shutil.which("zip")
    assert zip_, "this test needs zip: apt-get install zip"
    (folder / "text").mkdir()
    (folder / "text" / "words.txt").write_text("".join(f"line {number} of many\n" for number in range(9_000)))
    os.utime(folder / "text" / "words.txt", (1_790_000_000, 1_790_000_000))
    for name, level in (("old.zip", "-1"), ("new.zip", "-9")):
        (folder / name).unlink(missing_ok=True)
        subprocess.run([zip_, "-qX", level, folder / name, "words.txt"], cwd=folder / "text", check=True)
    reasons = packing((folder / "new.zip").read_bytes())
    assert "compressor" in reasons
    assert not {"times", "order", "method"} & set(reasons)


contents = st.dictionaries(
    st.from_regex(r"[a-z]{1,4}(/[a-z]{1,4})?\.py", fullmatch=True), st.binary(max_size=40), max_size=6
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(contents, contents)
def test_two_archives_are_equal_if_their_files_are(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> None:
    Path("one.zip").write_bytes(archive(one))
    Path("other.zip").write_bytes(archive(other))
    found = document("one.zip", "other.zip")
    assert found["equal"] == (one == other)
    assert {each["path"] for each in found["files"]} == {
        path for path in one.keys() | other.keys() if one.get(path) != other.get(path)
    }


def test_what_cannot_be_read_is_said(folder: Path) -> None:
    Path("text.zip").write_text("no archive")
    done = run("old.zip", "text.zip")
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("error: text.zip cannot be unpacked: ")
    done = run("old.zip", "gone.zip")
    assert done.exit_code == 2
    data = archive(FUNCTION)
    for end in (30, 200, len(data) - 10):
        Path("cut.zip").write_bytes(data[:end])
        assert run("old.zip", "cut.zip").exit_code in (1, 3)


def test_names_that_terminals_obey_are_written_out() -> None:
    Path("evil.zip").write_bytes(archive({**FUNCTION, "a\x1b[2J|`<b>.py": b"1"}))
    text = run("old.zip", "evil.zip").stdout
    assert "a\\x1b[2J|`<b>.py" in text
    assert "\x1b" not in text
    markdown = run("old.zip", "evil.zip", "--output-format", "markdown").stdout
    assert "<b>" not in markdown
    assert "\x1b" not in markdown
