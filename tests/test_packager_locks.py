"""Locks that other tools made: what they pin is what those tools export; what is broken is an error."""

import json
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.pylock import Pylock
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from lambdalint.errors import LambdalintError
from lambdalint.packager.index import Indexes, IndexSettings
from lambdalint.packager.inputs import inputs
from lambdalint.packager.lock import pinned as pinned_by_uv
from lambdalint.packager.locked import pinned
from lambdalint.packager.needs import Inputs, Listed, Locked, Places
from lambdalint.packager.target import target
from lambdalint.packager.web import Web
from lambdalint.readers.locks import Lock
from lambdalint.readers.pdm_lock import pdm_lock
from lambdalint.readers.pipfile import pipfile_lock
from lambdalint.readers.poetry import poetry_lock, specifier
from lambdalint.readers.pylock import pylock
from lambdalint.readers.tree import Folder, MemoryTree
from tests.fake_index import FakeIndex, sdist, wheel

LOCKS = Path(__file__).parents[1] / "fixtures" / "locks"
READERS = {
    "poetry-2/poetry.lock": poetry_lock,
    "poetry-1.1/poetry.lock": poetry_lock,
    "pdm/pdm.lock": pdm_lock,
    "pipenv/Pipfile.lock": pipfile_lock,
    "uv/pylock.toml": pylock,
}
TARGETS = [target("python3.11"), target("python3.13", "arm64")]


def versions(said: Inputs, extras: tuple[str, ...], aim: int) -> dict[str, str | None]:
    match said.needs:
        case Listed(_, distributions):
            return {each.name: each.version for each in distributions}
        case Locked(lock, project):
            pins, _ = pinned_by_uv(lock, project, extras, TARGETS[aim], None)
            return {pin.name: pin.version for pin in pins}
        case other:
            raise AssertionError(other)


def exported(name: str, extras: tuple[str, ...], aim: int) -> dict[str, str]:
    """What the tool that made the lock says, in a file of requirements that it exported, on a target."""
    suffix = f"-{extras[0]}" if extras else ""
    lines = (LOCKS / name / f"exported{suffix}.txt").read_text().splitlines()
    found: dict[str, str] = {}
    for line in lines:
        if line.strip() and not line.startswith(("#", "-", " ")):
            requirement = Requirement(line)
            if TARGETS[aim].wants(requirement) and requirement.specifier:
                found[canonicalize_name(requirement.name)] = next(iter(requirement.specifier)).version
    return found


@pytest.mark.parametrize("aim", [0, 1])
@pytest.mark.parametrize(
    ("name", "extras"),
    [
        (folder.name, extras)
        for folder in sorted(LOCKS.iterdir())
        for extras in ((), ("web",))
        if (folder.name, extras) != ("pipenv", ("web",))  # Pipenv has no extras of a project
    ],
)
def test_a_lock_says_what_its_own_tool_exports(name: str, extras: tuple[str, ...], aim: int) -> None:
    said = inputs(Places(Folder(LOCKS), name, extras=extras), TARGETS[aim])
    assert versions(said, extras, aim) == exported(name, extras, aim)
    assert said.notes == (() if name != "uv" else ("pylock.toml is passed over: uv/uv.lock comes first",))


@pytest.mark.parametrize("aim", [0, 1])
def test_a_pylock_says_what_packaging_selects(aim: int) -> None:
    lock = Pylock.from_dict(tomllib.loads((LOCKS / "uv/pylock.toml").read_text()))
    chosen = lock.select(environment=TARGETS[aim].markers, tags=TARGETS[aim].tags)  # type: ignore[arg-type]
    said = inputs(Places(Folder(LOCKS), "uv", manifest="uv/pylock.toml"), TARGETS[aim])
    assert isinstance(said.needs, Listed)
    pins = pinned(said.needs.lock, said.needs.distributions, lambda place: none(), TARGETS[aim], None, sdists=False)
    assert {pin.name: pin.filename for pin in pins} == {
        package.name: file.filename for package, file in chosen if hasattr(file, "filename")
    }
    assert all(pin.sha256 and pin.url.startswith("https://files.pythonhosted.org/") for pin in pins)


def none() -> Indexes:
    return Indexes(IndexSettings(None), Web({}))


def edited(name: str, old: str, new: str) -> MemoryTree:
    files = {f"src/{path.name}": path.read_bytes() for path in (LOCKS / name).iterdir() if path.is_file()}
    manifest = "src/Pipfile" if name == "pipenv" else "src/pyproject.toml"
    text = files[manifest].decode()
    assert old in text
    return MemoryTree({**files, manifest: text.replace(old, new)})


@pytest.mark.parametrize("name", ["poetry-2", "poetry-2-project", "poetry-1.8", "poetry-1.1", "pdm", "pipenv"])
def test_a_lock_made_for_another_manifest_is_said_in_a_note(name: str) -> None:
    old, new = ("2.31", "2.30")
    said = inputs(Places(edited(name, old, new), "src"), TARGETS[0])
    assert len(said.notes) == 1
    assert "was made for another" in said.notes[0]


@pytest.mark.parametrize("name", ["poetry-2", "poetry-2-project", "poetry-1.8", "poetry-1.1", "pdm", "pipenv"])
@pytest.mark.parametrize("new", ["2.99", None])
def test_a_lock_that_does_not_know_what_is_asked_for_is_refused(name: str, new: str | None) -> None:
    tree = edited(name, "2.31", new) if new else edited(name, "requests", "unheard-of")
    with pytest.raises(LambdalintError, match="out of date"):
        inputs(Places(tree, "src"), TARGETS[0])


@pytest.mark.parametrize("name", ["poetry-2", "poetry-2-project", "poetry-1.8", "pdm"])
def test_an_unknown_extra_or_group_is_refused_with_those_that_there_are(name: str) -> None:
    for places in (
        Places(Folder(LOCKS), name, extras=("wbe",)),
        Places(Folder(LOCKS), name, groups=("wbe",)),
    ):
        with pytest.raises(LambdalintError, match=r"no (extra|group|dependency group) 'wbe'"):
            inputs(places, TARGETS[0])


@pytest.mark.parametrize(
    ("name", "group"), [("poetry-2", "dev"), ("poetry-1.8", "dev"), ("pdm", "dev"), ("pipenv", "develop")]
)
def test_a_group_brings_its_own(name: str, group: str) -> None:
    said = inputs(Places(Folder(LOCKS), name, groups=(group,)), TARGETS[0])
    assert "iniconfig" in versions(said, (), 0)


def test_a_group_of_a_uv_lock_brings_what_it_includes() -> None:
    said = inputs(Places(Folder(LOCKS), "uv", groups=("dev",)), TARGETS[0])
    assert isinstance(said.needs, Locked)
    pins, members = pinned_by_uv(said.needs.lock, said.needs.project, (), TARGETS[0], None, groups=("dev",))
    assert {"iniconfig", "tomli-w"} <= {pin.name for pin in pins}
    assert [member.name for member in members] == ["shared"]


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex() as served:
        yield served


def poetry(index: FakeIndex, files: str, version: str = "1", more: str = "") -> Lock:
    text = f"""
[[package]]
name = "fast"
version = "{version}"
optional = false
python-versions = "*"
groups = ["main"]
files = [{files}]
{more}
[metadata]
lock-version = "2.1"
"""
    return poetry_lock(MemoryTree({"poetry.lock": text}), "poetry.lock")


def answered(lock: Lock, index: FakeIndex, *, sdists: bool = False) -> list[tuple[str, str | None]]:
    indexes = Indexes(IndexSettings(index.url), Web({}, timeout_s=2))
    pins = pinned(lock, lock.distributions, lambda place: indexes, TARGETS[0], None, sdists=sdists)
    return [(pin.filename, pin.sha256) for pin in pins]


def refusal(lock: Lock, index: FakeIndex) -> str:
    with pytest.raises(LambdalintError) as error:
        answered(lock, index)
    return f"{error.value.message} / {error.value.hint}"


def test_a_lock_without_addresses_takes_files_of_its_hashes_from_the_index(index: FakeIndex) -> None:
    good = wheel("fast", "1", "cp311-cp311-manylinux_2_17_x86_64")
    late = wheel("fast", "1", "cp311-cp311-manylinux_2_24_x86_64")  # added to the index after the lock was made
    index.add(good, late, sdist("fast", "1"))
    file = f'{{file = "{good.filename}", hash = "sha256:{good.sha256}"}}'
    assert answered(poetry(index, file), index) == [(good.filename, good.sha256)]
    hashes = json.dumps({"_meta": {}, "default": {"fast": {"version": "==1", "hashes": [f"sha256:{good.sha256}"]}}})
    lock = pipfile_lock(MemoryTree({"Pipfile.lock": hashes}), "Pipfile.lock")
    assert answered(lock, index) == [(good.filename, good.sha256)]


def test_a_file_that_was_replaced_at_the_index_is_refused(index: FakeIndex) -> None:
    made = wheel("fast", "1")
    index.add(made)
    file = f'{{file = "{made.filename}", hash = "sha256:{"0" * 64}"}}'
    assert "has another hash at the index" in refusal(poetry(index, file), index)


def test_a_lock_without_a_fitting_wheel_names_the_nearest_version(index: FakeIndex) -> None:
    made = wheel("fast", "2", "cp311-cp311-manylinux_2_28_x86_64")
    index.add(made, wheel("fast", "1", "cp311-cp311-manylinux_2_17_x86_64"))
    said = refusal(poetry(index, f'{{file = "{made.filename}", hash = "sha256:{made.sha256}"}}', "2"), index)
    assert "manylinux_2_28_x86_64, and python3.11 runs on glibc 2.26" in said
    assert "fast 1 has a wheel for python3.11 on x86_64: pin it and run `poetry lock`" in said


def test_a_source_distribution_in_a_lock_is_taken_only_when_asked_for(index: FakeIndex) -> None:
    made = sdist("fast", "1")
    index.add(made)
    lock = poetry(index, f'{{file = "{made.filename}", hash = "sha256:{made.sha256}"}}')
    assert "has only a source distribution" in refusal(lock, index)
    assert answered(lock, index, sdists=True) == [(made.filename, made.sha256)]


def test_what_a_lock_takes_from_a_repository_is_refused(index: FakeIndex) -> None:
    more = '[package.source]\ntype = "git"\nurl = "https://example.com/fast"\n'
    assert "takes fast 1 from a repository" in refusal(poetry(index, "", more=more), index)
    lock = json.dumps({"_meta": {}, "default": {"fast": {"git": "https://x", "ref": "1"}}})
    assert "from a repository" in refusal(pipfile_lock(MemoryTree({"Pipfile.lock": lock}), "Pipfile.lock"), index)


def test_a_folder_outside_of_the_project_is_refused() -> None:
    lock = json.dumps({"_meta": {}, "default": {"fast": {"path": "../../outside"}}})
    with pytest.raises(LambdalintError, match="no folder of this project"):
        inputs(Places(MemoryTree({"src/Pipfile.lock": lock}), "src"), TARGETS[0])


def test_a_folder_in_a_lock_is_a_project_to_build() -> None:
    lock = json.dumps({"_meta": {}, "default": {"shared": {"path": "./shared", "editable": True}}})
    tree = MemoryTree({"src/Pipfile.lock": lock, "src/shared/pyproject.toml": "[project]\nname = 'shared'\n"})
    needs = inputs(Places(tree, "src"), TARGETS[0]).needs
    assert isinstance(needs, Listed)
    assert (needs.local, needs.distributions) == (("src/shared",), ())


@pytest.mark.parametrize(
    ("constraint", "inside", "outside"),
    [
        ("^1.2.3", ["1.2.3", "1.9"], ["2.0", "1.2.2"]),
        ("^0.2.3", ["0.2.9"], ["0.3"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^0", ["0.9"], ["1.0"]),
        ("~1.2.3", ["1.2.9"], ["1.3"]),
        ("~1", ["1.9"], ["2"]),
        ("1.2.*", ["1.2.7"], ["1.3"]),
        ("*", ["7"], []),
        (">=1,<2", ["1.5"], ["2"]),
        (">= 1.0 , != 1.5", ["1.4"], ["1.5"]),
        ("1.2.3", ["1.2.3"], ["1.2.4"]),
    ],
)
def test_constraints_of_poetry_mean_the_same(constraint: str, inside: list[str], outside: list[str]) -> None:
    said = SpecifierSet(specifier(constraint) or "")
    assert [version for version in inside if version not in said] == []
    assert [version for version in outside if version in said] == []


def test_alternatives_have_no_equal() -> None:
    assert specifier("^1.2 || ^2.0") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "[[package]]\nname = 1\n[metadata]\n",
        "[metadata]\nlock-version = '9.0'\nlock_version = '9'\n",
        "package = 3\n[metadata]\n",
        "[metadata]\n[[package]]\nname = 'a'\nversion = '!'\ngroups = ['main']\nfiles = []\n",
        "[metadata]\n[[package]]\nname = 'a'\nversion = '1'\ngroups = ['main']\nmarker = '!'\nmarkers = '!'",
        "lock-version = '1.0'\ncreated-by = 'x'\npackages = [{ name = 'a' }]\n",
        "lock-version = '1.0'\ncreated-by = 'x'\npackages = 7\n",
        "{}",
        '{"_meta": 1}',
        '{"_meta": {}, "default": {"a": {"version": "==1", "markers": "!"}}}',
        '{"_meta": {}, "default": []}',
        "[" * 100_000,
    ],
)
@pytest.mark.parametrize("name", ["poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock"])
def test_a_lock_that_no_tool_wrote_is_an_error(name: str, text: str) -> None:
    tree = MemoryTree({f"src/{name}": text, "src/pyproject.toml": "[project]\nname = 'a'\ndependencies = ['a']\n"})
    with pytest.raises(LambdalintError) as error:
        inputs(Places(tree, "src"), TARGETS[0])
    assert len(error.value.message) < 500


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_mutated_lock_is_read_or_an_error(name: str, data: st.DataObject) -> None:
    whole = (LOCKS / name).read_text()
    text = whole[:3000] + whole[-300:] if name.endswith("json") else whole[: data.draw(st.integers(500, 6000))]
    place = data.draw(st.integers(0, len(text)))
    mutated = text[:place] + data.draw(st.text(max_size=4)) + text[place + data.draw(st.integers(0, 4)) :]
    with suppress(LambdalintError):
        READERS[name](MemoryTree({name: mutated}), name)


def test_a_marker_that_cannot_be_decided_is_refused() -> None:
    row = {"version": "==1", "hashes": [], "markers": "platform_machine ~= 'x'"}
    tree = MemoryTree({"src/Pipfile.lock": json.dumps({"_meta": {}, "default": {"a": row}})})
    with pytest.raises(LambdalintError, match="cannot be decided"):
        inputs(Places(tree, "src"), TARGETS[0])
