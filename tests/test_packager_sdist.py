"""Source distributions: refused, built when that is asked for, never shipped for another machine than the target."""

import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import lambdalint
from lambdalint.aws.runtimes import newest_python
from lambdalint.config import Config
from lambdalint.errors import Refused, UsageError
from lambdalint.packager import measured
from lambdalint.packager.build import plan_function
from lambdalint.packager.host import Host
from lambdalint.packager.options import Options
from lambdalint.packager.plan import Plan
from lambdalint.packager.retag import retagged
from lambdalint.packager.sdist import Sdist
from lambdalint.packager.target import target
from lambdalint.readers.tree import Folder
from lambdalint.store import Store
from lambdalint_rules.artifacts.samples import linux_library, windows_library
from tests.fake_index import FakeIndex, Made, buildable, function, sdist, wheel

MINOR = sys.version_info[1]
HERE = f"python3.{MINOR}"
GLIBC = {"libc.so.6": ("GLIBC_2.17",)}
NEW = {"libc.so.6": ("GLIBC_2.99",)}


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex() as served:
        served.add(wheel("helper", "1"))
        yield served


def built(
    index: FakeIndex,
    folder: Path,
    policy: Sdist,
    wanted: str = "thing",
    architecture: str = "x86_64",
    cache: Path | None = None,
) -> Plan:
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src" / "app.py").write_text("import thing\n")
    (folder / "src" / "requirements.txt").write_text(f"{wanted}\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "UV_DEFAULT_INDEX": index.url}
    on = Host(environment, Store(cache), 2)
    made = plan_function(Folder(folder), function(runtime=HERE, architecture=architecture), Options(sdist=policy), on)
    assert isinstance(made, Plan)
    return made


def refusal(index: FakeIndex, folder: Path, policy: Sdist, wanted: str = "thing", architecture: str = "x86_64") -> str:
    with pytest.raises(Refused) as refused:
        built(index, folder, policy, wanted, architecture)
    assert "Traceback" not in refused.value.message
    return f"{refused.value.message} / {refused.value.hint}"


def names(plan: Plan) -> list[str]:
    return [distribution.filename for distribution in plan.distributions]


def native(versions: Mapping[str, tuple[str, ...]], machine: str = "x86_64", name: str = "thing") -> Made:
    suffix = f".cpython-3{MINOR}-{machine.replace('arm64', 'aarch64')}-linux-gnu.so"
    platform = machine.replace("arm64", "aarch64")
    files = {f"{name}{suffix}": linux_library(machine, versions)}
    return wheel(name, "1", f"cp3{MINOR}-cp3{MINOR}-linux_{platform}", files)


def test_nothing_is_built_unless_it_is_asked_for(index: FakeIndex, tmp_path: Path) -> None:
    index.add(buildable("thing", "1", wheel("thing", "1")))
    said = refusal(index, tmp_path, Sdist.DENY)
    assert "thing 1 has only a source distribution" in said
    assert "--sdist pure" in said


def test_pure_python_is_built_with_what_it_needs(index: FakeIndex, tmp_path: Path) -> None:
    index.add(buildable("thing", "1", wheel("thing", "1", requires=["helper"])))
    plan = built(index, tmp_path, Sdist.PURE)
    assert names(plan) == ["helper-1-py3-none-any.whl", "thing-1-py3-none-any.whl"]
    assert "thing.py" in {entry.path for entry in plan.entries}
    assert plan.notes == ("thing 1 was built here, from thing-1.tar.gz",)


def test_what_was_built_is_kept(index: FakeIndex, tmp_path: Path) -> None:
    index.add(buildable("thing", "1", wheel("thing", "1")))
    one = built(index, tmp_path, Sdist.PURE, cache=tmp_path / "cache")
    index.failing["thing-1.tar.gz"] = 500
    index.failing["thing-1"] = 500
    other = built(index, tmp_path, Sdist.PURE, cache=tmp_path / "cache")
    assert one.distributions == other.distributions


def test_a_wheel_is_taken_before_a_newer_source_distribution(index: FakeIndex, tmp_path: Path) -> None:
    index.add(wheel("thing", "1"), buildable("thing", "2", wheel("thing", "2")))
    assert names(built(index, tmp_path, Sdist.PURE)) == ["thing-1-py3-none-any.whl"]
    assert names(built(index, tmp_path, Sdist.PURE, "thing==2")) == ["thing-2-py3-none-any.whl"]


def test_native_code_is_built_only_for_a_machine_like_this_one(index: FakeIndex, tmp_path: Path) -> None:
    index.add(buildable("thing", "1", native(GLIBC)))
    assert "it builds native code" in refusal(index, tmp_path, Sdist.PURE)
    plan = built(index, tmp_path, Sdist.NATIVE)
    assert names(plan) == [f"thing-1-cp3{MINOR}-cp3{MINOR}-manylinux_2_17_x86_64.whl"]
    content = {entry.path: entry.read for entry in plan.artifact("thing.zip").entries}
    assert b"manylinux_2_17_x86_64" in content["thing-1.dist-info/WHEEL"]()
    assert "this machine is x86_64" in refusal(index, tmp_path, Sdist.NATIVE, architecture="arm64")


def test_native_code_that_would_not_load_is_refused(index: FakeIndex, tmp_path: Path) -> None:
    index.add(buildable("thing", "1", native(NEW)))
    said = refusal(index, tmp_path, Sdist.NATIVE)
    assert f"needs GLIBC_2.99; {HERE} has GLIBC_2." in said
    assert "--sdist cross" in said
    disguised = wheel("other", "1", files={"other.so": linux_library("arm64", GLIBC)})
    index.add(buildable("other", "1", disguised))
    assert "is made for arm64" in refusal(index, tmp_path, Sdist.PURE, "other")
    index.add(buildable("alien", "1", wheel("alien", "1", files={"alien.pyd": windows_library()})))
    assert "another system than Linux" in refusal(index, tmp_path, Sdist.PURE, "alien")


def test_what_does_not_build_says_its_last_words(index: FakeIndex, tmp_path: Path) -> None:
    index.add(buildable("thing", "1", wheel("thing", "1"), {"fails": ""}))
    assert "nothing works" in refusal(index, tmp_path, Sdist.PURE)
    index.add(buildable("liar", "1", wheel("another", "1")))
    assert "declares name another" in refusal(index, tmp_path, Sdist.PURE, "liar")
    index.add(sdist("empty", "1"))
    assert "does not build" in refusal(index, tmp_path, Sdist.PURE, "empty")


ZIG = """\
#!{python}
import sys
options = sys.argv[1:]
assert options[0] == "cc" and "-march=native" not in options
machine = options[options.index("-target") + 1]
open({log!r}, "a").write(machine + "\\n")
open(options[options.index("-o") + 1], "wb").write(open({folder!r} + "/" + machine.partition("-")[0], "rb").read())
"""


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", "x86_64"), ("arm64", "aarch64")])
def test_native_code_is_built_for_another_machine_by_zig(
    index: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, architecture: str, machine: str
) -> None:
    tools = tmp_path / "tools" / "ziglang"
    tools.mkdir(parents=True)
    (tools / "__init__.py").write_text("")
    log = tmp_path / "log"
    (tools / "zig").write_text(ZIG.format(python=sys.executable, folder=str(tools), log=str(log)))
    (tools / "zig").chmod(0o755)
    for name, own in (("x86_64", "x86_64"), ("aarch64", "arm64")):
        (tools / name).write_bytes(linux_library(own, GLIBC))
    monkeypatch.syspath_prepend(tools.parent)
    filename = f"thing-1-cp3{MINOR}-cp3{MINOR}-PLATFORM.whl"
    source = wheel("thing", "1", f"cp3{MINOR}-cp3{MINOR}-any", {})
    index.add(buildable("thing", "1", source, {"module.c": ""}, filename))
    plan = built(index, tmp_path, Sdist.CROSS, architecture=architecture)
    assert names(plan) == [f"thing-1-cp3{MINOR}-cp3{MINOR}-manylinux_2_17_{machine}.whl"]
    assert f"module.cpython-3{MINOR}-{machine}-linux-gnu.so" in {entry.path for entry in plan.entries}
    glibc = target(HERE, architecture).glibc
    assert log.read_text() == f"{machine}-linux-gnu.{glibc[0]}.{glibc[1]}\n"
    (tools / machine).write_bytes(linux_library("x86_64" if architecture == "arm64" else "arm64", GLIBC))
    assert "is made for" in refusal(index, tmp_path, Sdist.CROSS, architecture=architecture)


def test_a_wheel_under_another_platform_still_says_the_truth_about_itself(tmp_path: Path) -> None:
    made = native(GLIBC)
    path = tmp_path / made.filename
    path.write_bytes(made.data)
    renamed = retagged(path, measured.platform_of(measured.natives(path), target(HERE)))
    assert renamed.name.endswith("-manylinux_2_17_x86_64.whl")
    with zipfile.ZipFile(renamed) as archive:
        assert archive.testzip() is None
        record = archive.read("thing-1.dist-info/RECORD").decode()
        assert {line.partition(",")[0] for line in record.splitlines()} == set(archive.namelist())
    once = renamed.read_bytes()
    path.write_bytes(made.data)
    assert retagged(path, "manylinux_2_17_x86_64").read_bytes() == once


TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: src/, Handler: app.handler, Runtime: {runtime}}}
"""


def test_the_configuration_says_what_is_packaged(
    index: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("LAMBDALINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    index.add(buildable("thing", "1", wheel("thing", "1")))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("def handler(event, context): ...\n")
    (tmp_path / "template.yaml").write_text(TEMPLATE.format(runtime=HERE))
    project = "[project]\nname = 'orders'\ndependencies = []\n[dependency-groups]\nlambda = ['thing']\n"
    (tmp_path / "pyproject.toml").write_text(project)
    (tmp_path / "lambdalint.toml").write_text("[package]\nmanifest = 'pyproject.toml'\ngroups = ['lambda']\n")
    denied = lambdalint.package(tmp_path)
    assert "thing 1 has only a source distribution" in denied.check.failures[0].message
    found = Config.find([tmp_path])
    done = lambdalint.package(tmp_path, replace(found, package=replace(found.package, sdist="pure")), plan_only=True)
    assert [part.origin for part in done.packages[0].parts if part.origin.startswith("thing")] == ["thing 1"]
    outside = replace(found, package=replace(found.package, manifest="../elsewhere.txt"))
    with pytest.raises(UsageError, match="outside of"):
        lambdalint.package(tmp_path, outside)


def test_what_a_newer_runtime_would_give_is_said_when_asked_for(index: FakeIndex, tmp_path: Path) -> None:
    newest = newest_python().version
    assert newest is not None
    index.add(wheel("thing", "1"), wheel("thing", "2", f"cp{newest[0]}{newest[1]}-none-any"))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "requirements.txt").write_text("thing\nhelper\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "UV_DEFAULT_INDEX": index.url}
    on = Host(environment, Store(None), 2)
    made = plan_function(Folder(tmp_path), function(runtime=HERE), Options(compare=True), on)
    assert isinstance(made, Plan)
    assert f"for {HERE} you get thing 1; {newest_python().name} gives 2" in made.notes
    made = plan_function(Folder(tmp_path), function(runtime=HERE), Options(), on)
    assert isinstance(made, Plan)
    assert not any("you get" in note for note in made.notes)


def test_what_a_build_needs_comes_from_the_same_index(index: FakeIndex, tmp_path: Path) -> None:
    project = '[build-system]\nrequires = ["helper"]\nbuild-backend = "outer"\nbackend-path = ["."]\n'
    outer = "import helper\nfrom backend import build_wheel\n"
    index.add(buildable("thing", "1", wheel("thing", "1"), {"pyproject.toml": project, "outer.py": outer}))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "requirements.txt").write_text("thing\n")
    on = Host({"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_INDEX_URL": index.url}, Store(None), 2)
    made = plan_function(Folder(tmp_path), function(runtime=HERE), Options(sdist=Sdist.PURE), on)
    assert isinstance(made, Plan)
    assert names(made) == ["thing-1-py3-none-any.whl"]
    assert "/files/helper-1-py3-none-any.whl" in index.asked
