"""What is installed already as the source of a package: a virtual environment, a folder, a script's own metadata."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdalint.errors import LambdalintError, Refused
from lambdalint.model.function import CodeKind
from lambdalint.packager.build import plan_function
from lambdalint.packager.host import Host
from lambdalint.packager.index import IndexSettings
from lambdalint.packager.index_settings import configured, index_settings
from lambdalint.packager.inputs import inputs
from lambdalint.packager.needs import Declared, Places
from lambdalint.packager.options import Options
from lambdalint.packager.plan import Plan
from lambdalint.packager.target import target
from lambdalint.packager.uv import uv_binary
from lambdalint.readers.tree import Folder, MemoryTree
from lambdalint.store import Store
from lambdalint_rules.artifacts.samples import linux_library, macos_library
from tests.fake_index import FakeIndex, Made, function, wheel

HERE = f"python3.{sys.version_info[1]}"


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex() as served:
        served.add(
            wheel("app", "1", requires=["helper[more]>=1", "windows; sys_platform == 'win32'"]),
            wheel("helper", "2", requires=["extra; extra == 'more'", "never; extra == 'less'"]),
            wheel("extra", "3"),
            wheel("other", "4"),
        )
        yield served


def environment(index: FakeIndex, folder: Path, *wanted: str) -> Path:
    """A virtual environment made by uv, with *wanted* in it."""
    place = folder / "venv"
    command = [uv_binary(), "--no-config", "--no-cache", "-q"]
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    subprocess.run([*command, "venv", "--python", sys.executable, str(place)], check=True, env=variables)
    install = ["pip", "install", "--python", str(place), "--default-index", index.url, *wanted]
    subprocess.run([*command, *install], check=True, env=variables)
    return place


def installed(folder: Path, *made: Made) -> Path:
    place = folder / "packages"
    for one in made:
        (folder / one.filename).write_bytes(one.data)
        with zipfile.ZipFile(folder / one.filename) as archive:
            archive.extractall(place)
    return place


def plan(folder: Path, venv: Path, requirements: str | None = "app\n", runtime: str = HERE) -> Plan:
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src" / "app.py").write_text("import app\n")
    if requirements is not None:
        (folder / "src" / "requirements.txt").write_text(requirements)
    on = Host({"PATH": os.environ["PATH"], "HOME": str(folder)}, Store(None), 2)
    made = plan_function(Folder(folder), function(runtime=runtime), Options(venv=venv), on)
    assert isinstance(made, Plan)
    return made


def names(made: Plan) -> list[str]:
    return [f"{each.name} {each.version}" for each in made.distributions]


def refusal(folder: Path, venv: Path, requirements: str | None = "app\n", runtime: str = HERE) -> str:
    with pytest.raises(Refused) as refused:
        plan(folder, venv, requirements, runtime)
    return f"{refused.value.message} / {refused.value.hint}"


def test_what_is_needed_is_taken_from_an_environment(index: FakeIndex, tmp_path: Path) -> None:
    venv = environment(index, tmp_path, "app", "other")
    index.failing["simple"] = 500
    made = plan(tmp_path, venv)
    assert names(made) == ["app 1", "extra 3", "helper 2"]
    paths = {entry.path for entry in made.entries}
    assert {"app.py", "extra.py", "helper-2.dist-info/METADATA", "helper-2.dist-info/RECORD"} <= paths
    assert not any(path.endswith(("INSTALLER", "REQUESTED")) for path in paths)
    everything = plan(tmp_path, venv, requirements="")
    assert names(everything) == []


def test_without_requirements_all_that_is_installed_is_taken(index: FakeIndex, tmp_path: Path) -> None:
    venv = environment(index, tmp_path, "other", "extra")
    made = plan(tmp_path, venv, requirements=None)
    assert names(made) == ["extra 3", "other 4"]
    assert "nothing says what is needed, so all that is installed is taken" in made.notes


def test_an_environment_that_lacks_something_is_refused(index: FakeIndex, tmp_path: Path) -> None:
    venv = environment(index, tmp_path, "other")
    assert "app is needed, and is not installed in" in refusal(tmp_path, venv)
    assert "has other 4" in refusal(tmp_path, venv, "other<4\n")
    wrong = "python3.12" if HERE != "python3.12" else "python3.13"
    assert f"is an environment of {HERE}" in refusal(tmp_path, venv, "other\n", wrong)
    assert "nothing is installed in" in refusal(tmp_path, tmp_path / "src")
    assert "there is no folder" in refusal(tmp_path, tmp_path / "nowhere")


def test_a_file_that_was_changed_or_lost_is_refused(tmp_path: Path) -> None:
    folder = installed(tmp_path, wheel("other", "4"))
    (folder / "other.py").write_text("import os\n")
    assert "other.py of other 4 was changed after it was installed" in refusal(tmp_path, folder, "other\n")
    (folder / "other.py").unlink()
    assert "other.py of other 4 cannot be read" in refusal(tmp_path, folder, "other\n")
    (folder / "other-4.dist-info" / "RECORD").unlink()
    assert "has no RECORD" in refusal(tmp_path, folder, "other\n")


def test_native_code_for_another_machine_is_refused(tmp_path: Path) -> None:
    other = wheel("other", "4", "cp311-cp311-macosx_11_0_arm64", {"other.so": macos_library("arm64")})
    folder = installed(tmp_path, other)
    assert "installed for another target" in refusal(tmp_path, folder, "other\n", "python3.11")
    claimed = wheel("claimed", "1", files={"claimed.so": linux_library("arm64", {})})
    folder = installed(tmp_path, claimed)
    assert "claimed.so in claimed-1-py3-none-any.whl is made for arm64" in refusal(tmp_path, folder, "claimed\n")
    newer = wheel("newer", "1", files={"newer.so": linux_library("x86_64", {"libc.so.6": ("GLIBC_2.99",)})})
    folder = installed(tmp_path, newer)
    assert "needs GLIBC_2.99" in refusal(tmp_path, folder, "newer\n")


def test_an_editable_distribution_is_refused(tmp_path: Path) -> None:
    folder = installed(tmp_path, wheel("other", "4"))
    (folder / "other-4.dist-info" / "direct_url.json").write_text(
        '{"url": "file:///x", "dir_info": {"editable": true}}'
    )
    assert "installed as editable" in refusal(tmp_path, folder, "other\n")


SCRIPT = """\
#!/usr/bin/env python3
# /// script
# requires-python = ">=3.8"
# dependencies = [
#   "other>=1",
#   "windows; sys_platform == 'win32'",
# ]
#
# [[tool.uv.index]]
# url = "https://me:secret@company/simple"
# ///
def handler(event, context): ...
"""


def asked(files: dict[str, str | bytes], **places: str) -> Declared | None:
    needs = inputs(Places(MemoryTree(files), "src", **places), target(HERE)).needs  # type: ignore[arg-type]
    assert needs is None or isinstance(needs, Declared)
    return needs


def test_a_script_says_itself_what_it_needs() -> None:
    needs = asked({"src/app.py": SCRIPT})
    assert needs is not None
    assert needs.question.requirements == ("other>=1",)
    assert needs.indexes.extra == ("https://me:secret@company/simple",)
    assert "secret" not in repr(needs.indexes.names)
    assert asked({"src/app.py": SCRIPT, "src/more.py": SCRIPT}) is None
    assert asked({"src/app.py": SCRIPT, "src/more.py": ""}, file="src/app.py") == needs
    assert asked({"src/app.py": SCRIPT, "src/more.py": ""}, manifest="src/app.py") == needs
    assert asked({"src/app.py": "# /// script\n# dependencies = ['x']\n"}) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SCRIPT.replace('"other>=1"', '"other >>> 1"'), "no requirement"),
        (SCRIPT.replace("dependencies = [", "dependencies = ["[:-1]), "not TOML"),
        (SCRIPT + SCRIPT, "two blocks"),
        (SCRIPT.replace(">=3.8", ">=3.99"), "needs Python >=3.99"),
        (SCRIPT.replace("other>=1", "a @ git+https://x"), "built"),
    ],
)
def test_a_script_that_says_nonsense_is_an_error(text: str, words: str) -> None:
    with pytest.raises(LambdalintError) as error:
        asked({"src/app.py": text})
    assert words in error.value.message


def test_a_function_of_one_file_gets_what_its_metadata_asks_for(index: FakeIndex, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SCRIPT.replace("https://me:secret@company/simple", index.url))
    on = Host({"PATH": os.environ["PATH"], "HOME": str(tmp_path), "UV_DEFAULT_INDEX": index.url}, Store(None), 2)
    made = plan_function(Folder(tmp_path), function(runtime=HERE, kind=CodeKind.FILE, path="app.py", root=""), host=on)
    assert isinstance(made, Plan)
    assert names(made) == ["other 4"]
    assert [each.path for each in made.inputs] == ["app.py"]


def test_the_files_of_pip_and_uv_say_where_to_look(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".config" / "pip").mkdir(parents=True)
    (home / ".config" / "uv").mkdir()
    (home / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://me:secret@pip/simple\nextra-index-url =\n    https://one\n    https://two\n"
        "[install]\nfind-links = /links\n"
    )
    variables = {"HOME": str(home), "PIP_CONFIG_FILE": "/dev/null", "XDG_CONFIG_DIRS": str(tmp_path)}
    assert "PIP_INDEX_URL" not in configured(variables)
    variables["PIP_CONFIG_FILE"] = str(home / "other.conf")
    found = IndexSettings.of(configured(variables))
    assert found.default == "https://me:secret@pip/simple"
    assert found.extra[-2:] == ("https://one", "https://two")
    assert found.find_links == ("/links",)
    assert "secret" not in found.names
    (home / "other.conf").write_text("[global]\nindex-url = https://other\n")
    assert IndexSettings.of(configured(variables)).default == "https://other"
    variables["PIP_INDEX_URL"] = "https://variable"
    assert IndexSettings.of(configured(variables)).default == "https://variable"
    (home / "other.conf").write_text("[global\nno")
    assert configured(variables)["PIP_INDEX_URL"] == "https://variable"
    del variables["PIP_INDEX_URL"]
    (home / ".config" / "uv" / "uv.toml").write_text("[[index]]\nurl = 'https://uv'\ndefault = true\n")
    assert IndexSettings.of(configured(variables)).default == "https://uv"
    assert IndexSettings.of(configured({**variables, "UV_NO_CONFIG": "1"})).default == "https://me:secret@pip/simple"


def test_a_project_s_own_settings_come_before_the_machine_s() -> None:
    tree = MemoryTree(
        {
            "pyproject.toml": "[tool.uv]\nindex-url = 'https://root'\nfind-links = ['wheels', 'https://links']\n",
            "services/a/uv.toml": "no-index = true\n",
            "services/b/requirements.txt": "x\n",
            "services/c/pyproject.toml": "[project]\nname = 'c'\n",
        }
    )
    found = index_settings(tree, "services/b", {"PIP_INDEX_URL": "https://pip", "UV_INDEX": "https://more"})
    assert (found.default, found.extra) == ("https://root", ("https://more",))
    assert found.find_links == ("wheels", "https://links")
    assert index_settings(tree, "services/c", {"UV_DEFAULT_INDEX": "https://stated"}).default == "https://stated"
    assert index_settings(tree, "services/a", {}).default is None
    needs = inputs(Places(tree, "services/b"), target(HERE)).needs
    assert isinstance(needs, Declared)
    assert needs.indexes.default == "https://root"
