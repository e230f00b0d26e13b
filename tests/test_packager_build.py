"""Whole packages: planned, written, written again elsewhere, started."""

import json
import marshal
import os
import stat
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType

import pytest

import lambdalint
from lambdalint.errors import LambdalintError, Refused
from lambdalint.model.artifact import ArtifactKind
from lambdalint.model.function import CodeKind
from lambdalint.packager import bytecode
from lambdalint.packager.build import Packager, plan_function
from lambdalint.packager.bytecode import Bytecode, bytecode_path, compiled, interpreter
from lambdalint.packager.host import Host
from lambdalint.packager.options import Options
from lambdalint.packager.pack import RawMember, keep, lookup
from lambdalint.packager.plan import Plan, Skipped
from lambdalint.packager.write import write
from lambdalint.readers.tree import Folder, MemoryTree
from lambdalint.store import Store
from tests.fake_index import FakeIndex, function, wheel
from tests.runtime_api import invoked

HERE = f"python3.{sys.version_info[1]}"
APP = """\
import requests_like

def handler(event, context):
    return {"said": requests_like.version, "event": event, "file": requests_like.__spec__.cached}
"""


LOADER = """\
try:
    import helper.bad
except SyntaxError:
    pass
"""
HELPER = {
    "helper/__init__.py": LOADER,
    "helper/bad.py": "print 1",
    "helper/later.py": "",
    "helper/tests/test_it.py": "",
}


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex() as served:
        served.add(
            wheel(
                "requests-like",
                "1.0",
                files={"requests_like.py": "import helper\nversion = '1.0'\n"},
                requires=["helper"],
            ),
            wheel("helper", "2", files=HELPER),
        )
        yield served


def host(index: FakeIndex | None, cache: Path | None, jobs: int = 2, **more: str) -> Host:
    url = {} if index is None else {"UV_DEFAULT_INDEX": index.url}
    return Host({"PATH": os.environ["PATH"], "HOME": "/nonexistent", **url, **more}, Store(cache), jobs)


def project(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder


ORDERS = {
    "template.yaml": "",
    "src/app.py": APP,
    "src/requirements.txt": "requests-like\n",
    "src/run.sh": "#!/bin/sh\n",
}


def built(root: Path, on: Host, **asked: str) -> Plan:
    plan = plan_function(Folder(root), function(**{"runtime": HERE, **asked}), host=on)  # type: ignore[arg-type]
    assert isinstance(plan, Plan)
    return plan


def test_a_plan_holds_source_distributions_and_bytecode(index: FakeIndex, tmp_path: Path) -> None:
    plan = built(project(tmp_path, ORDERS), host(index, None))
    tag = sys.implementation.cache_tag
    origins = {entry.path: entry.origin for entry in plan.entries}
    assert list(origins) == sorted(origins)
    assert {path: origins[path] for path in origins if "dist-info" not in path} == {
        f"__pycache__/app.{tag}.pyc": "bytecode",
        f"__pycache__/requests_like.{tag}.pyc": "bytecode",
        "app.py": "source",
        f"helper/__pycache__/__init__.{tag}.pyc": "bytecode",
        "helper/__init__.py": "helper 2",
        "helper/bad.py": "helper 2",
        "helper/later.py": "helper 2",
        "requests_like.py": "requests-like 1.0",
        "run.sh": "source",
    }
    assert plan.notes == (f"not Python {HERE[6:]}, hence without bytecode: helper/bad.py",)
    assert [distribution.name for distribution in plan.distributions] == ["helper", "requests-like"]
    artifact = plan.artifact("dist/Orders.zip")
    assert (artifact.kind, artifact.runtime, artifact.architecture) == (ArtifactKind.PLAN, HERE, "x86_64")
    assert artifact.unpacked_bytes == plan.unpacked_bytes
    assert artifact.packed_bytes is not None
    assert next(entry for entry in artifact.entries if entry.path == "app.py").read() == APP.encode()
    shares = {share.origin: share for share in plan.shares()}
    assert shares["source"].files == 3
    assert 0 < shares["source"].bytecode_bytes < shares["source"].unpacked_bytes


def test_the_manifest_says_where_everything_is_from_and_nothing_of_the_machine(
    index: FakeIndex, tmp_path: Path
) -> None:
    root = project(tmp_path / "project", ORDERS)
    written = write(built(root, host(index, tmp_path / "cache")), tmp_path / "dist")
    text = written.manifest_path.read_text()
    document = json.loads(text)
    assert document["version"] == 1
    assert document["sha256"] == written.sha256
    assert document["sha256_base64"] == written.sha256_base64
    assert document["packed_bytes"] == written.path.stat().st_size == written.packed_bytes
    assert document["unpacked_bytes"] == sum(entry["size"] for entry in document["entries"])
    assert [given["path"] for given in document["inputs"]] == ["src/requirements.txt"]
    assert document["distributions"][1]["url"].endswith("/files/requests_like-1.0-py3-none-any.whl")
    assert document["bytecode_compiler"].startswith("CPython 3.")
    assert str(tmp_path) not in text
    with zipfile.ZipFile(written.path) as archive:
        assert archive.namelist() == [entry["path"] for entry in document["entries"]]
    assert sorted(path.name for path in (tmp_path / "dist").iterdir()) == ["Orders.json", "Orders.zip"]


def test_the_function_answers_under_aws_s_client_from_a_read_only_folder(index: FakeIndex, tmp_path: Path) -> None:
    written = write(built(project(tmp_path / "project", ORDERS), host(index, None)), tmp_path / "dist")
    root = tmp_path / "task"
    with zipfile.ZipFile(written.path) as archive:
        archive.extractall(root)
    for path in [*root.rglob("*"), root]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    answer = invoked(root, "app.handler", {"id": 1})
    assert (answer["said"], answer["event"]) == ("1.0", {"id": 1})
    assert Path(answer["file"]).is_file()


def test_a_second_build_asks_the_network_nothing(index: FakeIndex, tmp_path: Path) -> None:
    root, on = project(tmp_path / "project", ORDERS), host(index, tmp_path / "cache")
    first = write(built(root, on), tmp_path / "one")
    count = len(index.asked)
    (root / "src" / "app.py").write_text(APP + "# edited\n")
    second = write(built(root, on), tmp_path / "two")
    assert len(index.asked) == count
    assert first.sha256 != second.sha256
    (root / "src" / "app.py").write_text(APP)
    assert write(built(root, on), tmp_path / "three").sha256 == first.sha256


def test_a_damaged_cache_is_as_good_as_none(index: FakeIndex, tmp_path: Path) -> None:
    root, on = project(tmp_path / "project", ORDERS), host(index, tmp_path / "cache")
    first = write(built(root, on), tmp_path / "one").sha256
    for number, path in enumerate(sorted(path for path in (tmp_path / "cache").rglob("*") if path.is_file())):
        data = path.read_bytes()
        path.write_bytes((b"", data[: len(data) // 2], data[:-1] + bytes([data[-1] ^ 1]), b"garbage" * 40)[number % 4])
    assert write(built(root, on), tmp_path / "two").sha256 == first


def test_a_pack_is_found_again_and_a_cut_one_is_not(tmp_path: Path) -> None:
    on = host(None, tmp_path)
    raws = [RawMember("a", b"x" * 1000), RawMember("b", os.urandom(100), executable=True)]
    kept = keep(on, ["k"], raws, ["remark"])
    found = lookup(on, ["k"])
    assert found is not None
    assert [(member.path, member.read(), member.executable) for member in found.members] == [
        (raw.path, raw.data, raw.executable) for raw in raws
    ]
    assert found.remarks == kept.remarks
    place = next(path for path in tmp_path.rglob("*") if path.is_file())
    whole = place.read_bytes()
    for size in range(0, len(whole), 7):
        place.write_bytes(whole[:size])
        assert lookup(on, ["k"]) is None


def test_own_files_replace_those_of_distributions_and_that_is_said(index: FakeIndex, tmp_path: Path) -> None:
    index.add(wheel("one", "1", files={"same.py": "x", "ns/__init__.py": "1\n"}))
    index.add(wheel("two", "1", files={"same.py": "x", "ns/__init__.py": "2\n"}))
    files = {"src/requirements.txt": "one\ntwo\nhelper\n", "src/helper/__init__.py": "own = 1\n", "src/app.py": ""}
    plan = built(project(tmp_path, files), host(index, None))
    entries = {entry.path: entry for entry in plan.entries}
    assert entries["helper/__init__.py"].origin == "source"
    assert entries["ns/__init__.py"].origin == "two 1"
    assert "own files replace those of helper 2: helper/__init__.py" in plan.notes
    assert "one 1 and two 1 both bring ns/__init__.py, with different content; that of two 1 is taken" in plan.notes
    by = interpreter(sys.version_info[:2], {})
    assert by is not None
    expected = compiled({0: [RawMember("helper/__init__.py", b"own = 1\n")]}, by, 1)[0].members[0].data
    assert entries[bytecode_path("helper/__init__.py", by)].member.read() == expected


def test_a_file_where_another_has_a_folder_is_refused(index: FakeIndex, tmp_path: Path) -> None:
    files = {"src/requirements.txt": "helper\n", "src/helper": "a file\n"}
    with pytest.raises(Refused, match="source has a file helper, where helper 2 has a folder"):
        built(project(tmp_path, files), host(index, None))


def test_bytecode_is_unchecked_names_lambda_s_paths_and_does_not_depend_on_its_neighbours() -> None:
    by = interpreter(sys.version_info[:2], {})
    assert by is not None
    sources = [
        RawMember("a/mod.py", b"import os\nif __name__ in {'normalize', 'decimal'}:\n    f'{os}'\n"),
        RawMember("b.py", b"x = {'normalize': '\\N{BULLET}', 'k': 1.5, '{': (1, 'a')}\n"),
        RawMember("c.py", b"def f(:\n"),
        RawMember("d.py", b"# coding: latin-1\nx = '\xe9'\n"),
    ]
    together = compiled({0: sources}, by, 1)[0]
    assert together.failed == ("c.py",)
    data = {member.path: member.data for member in together.members}
    alone = {member.path: member.data for raw in reversed(sources) for member in compiled({0: [raw]}, by, 1)[0].members}
    assert data == alone
    first = data[bytecode_path("a/mod.py", by)]
    assert first[4:8] == b"\x01\x00\x00\x00"
    code = marshal.loads(first[16:])
    assert isinstance(code, CodeType)
    assert code.co_filename == "/var/task/a/mod.py"


def test_without_an_interpreter_of_the_target_there_is_no_bytecode_and_that_is_said(tmp_path: Path) -> None:
    root = project(tmp_path, {"src/app.py": "x = 1\n"})
    on = Host({"PATH": str(tmp_path), "HOME": str(tmp_path)}, Store(None), 1)
    plan = built(root, on, runtime="python3.14" if sys.version_info[:2] != (3, 14) else "python3.13")
    assert [entry.path for entry in plan.entries] == ["app.py"]
    assert plan.compiler is None
    assert "no Python 3.1" in plan.notes[0]
    assert "uv python install" in plan.notes[0]
    none = plan_function(Folder(root), function(runtime=HERE), Options(bytecode=Bytecode.NONE), on)
    assert isinstance(none, Plan)
    assert (len(none.entries), none.notes) == (1, ())


def test_an_interpreter_on_the_path_is_asked_what_it_is(tmp_path: Path) -> None:
    program = tmp_path / "python3.14"
    program.write_text("#!/bin/sh\necho cpython-314 final 3 14 9\n")
    program.chmod(0o755)
    found = interpreter((3, 14), {"PATH": str(tmp_path), "HOME": str(tmp_path)})
    if sys.version_info[:2] != (3, 14):
        assert found is not None
        assert (found.version, found.cache_tag) == ("3.14.9", "cpython-314")
    program.write_text("#!/bin/sh\nexit 1\n")
    if sys.version_info[:2] != (3, 14):
        assert interpreter((3, 14), {"PATH": str(tmp_path), "HOME": str(tmp_path)}) is None


def test_bytecode_is_left_out_before_the_package_grows_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path, {"src/app.py": "x = 1\n", "src/more.py": "y = 2\n" * 100})
    monkeypatch.setattr("lambdalint.packager.compiling.limit", lambda *_: 850)
    plan = built(root, host(None, None))
    assert plan.unpacked_bytes <= 850
    assert any("left without bytecode" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"runtime": "nodejs22.x"}, "it runs on nodejs22.x; only Python is built"),
        ({"kind": CodeKind.INLINE}, "its code stands in the template; there is nothing to build"),
        ({"kind": CodeKind.REMOTE}, "its code is already uploaded"),
        ({"kind": CodeKind.IMAGE}, "it is a container image that is built elsewhere"),
        ({"kind": CodeKind.ZIP, "path": "app.zip"}, "app.zip is a finished archive"),
        ({"kind": CodeKind.MISSING, "path": "gone"}, "there is nothing at gone"),
    ],
)
def test_what_is_not_built_says_why(asked: dict[str, object], reason: str) -> None:
    assert plan_function(MemoryTree({}), function(**asked), host=host(None, None)) == Skipped("Orders", reason)  # type: ignore[arg-type]


def test_a_function_that_is_one_file_holds_that_file() -> None:
    tree = MemoryTree({"src/app.py": "x = 1\n", "src/other.py": "", "src/requirements.txt": "gone"})
    plan = plan_function(
        tree, function(kind=CodeKind.FILE, path="src/app.py"), Options(bytecode=Bytecode.NONE), host(None, None)
    )
    assert isinstance(plan, Plan)
    assert [entry.path for entry in plan.entries] == ["app.py"]


def test_functions_share_what_is_the_same(index: FakeIndex, tmp_path: Path) -> None:
    root = project(tmp_path, ORDERS)
    with Packager(Folder(root), host=host(index, None)) as packager:
        one, two = (packager.plan(function(name, HERE)) for name in ("One", "Two"))
    assert isinstance(one, Plan)
    assert isinstance(two, Plan)
    assert one.tree_sha256 == two.tree_sha256
    assert len([path for path in index.asked if path.endswith(".whl")]) == 2


def test_progress_is_heard(index: FakeIndex, tmp_path: Path) -> None:
    heard: list[str] = []
    root = project(tmp_path, ORDERS)
    on = host(index, None)
    plan = plan_function(
        Folder(root), function(runtime=HERE), host=on, progress=lambda stage, name, done, total: heard.append(stage)
    )
    assert isinstance(plan, Plan)
    write(plan, tmp_path / "dist", lambda stage, name, done, total: heard.append(stage))
    assert list(dict.fromkeys(heard)) == ["source", "resolve", "fetch", "unpack", "compile", "write"]


def test_a_failed_write_leaves_what_was_there(
    index: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = built(project(tmp_path / "project", ORDERS), host(index, None))
    before = write(plan, tmp_path / "dist").path.read_bytes()

    def broken(entries: object, modified_s: int) -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    monkeypatch.setattr("lambdalint.packager.write.zip_chunks", broken)
    with pytest.raises(KeyboardInterrupt):
        write(plan, tmp_path / "dist")
    assert (tmp_path / "dist" / "Orders.zip").read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "dist").iterdir()) == ["Orders.json", "Orders.zip"]
    (tmp_path / "blocked").write_text("a file")
    with pytest.raises(LambdalintError):
        write(plan, tmp_path / "blocked")


def test_written_files_are_readable_by_all_as_the_umask_has_it(tmp_path: Path) -> None:
    plan = built(project(tmp_path / "project", {"src/app.py": ""}), host(None, None))
    assert stat.S_IMODE(write(plan, tmp_path / "dist").path.stat().st_mode) == 0o644


BACKEND = """\
import base64, hashlib, pathlib, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "shared-1-py3-none-any.whl"
    files = {
        "shared.py": pathlib.Path("shared.py").read_text(),
        "shared-1.dist-info/METADATA": "Metadata-Version: 2.1\\nName: shared\\nVersion: 1\\nRequires-Dist: helper\\n",
        "shared-1.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "shared-1.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name
"""
SHARED = {
    "libs/shared/pyproject.toml": """\
[project]
name = "shared"
version = "1"
dependencies = ["helper"]

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
""",
    "libs/shared/backend.py": BACKEND,
    "libs/shared/shared.py": "shared = True\n",
}


def test_a_project_of_the_user_s_own_is_built_and_brings_its_dependencies(index: FakeIndex, tmp_path: Path) -> None:
    files = {**SHARED, "src/app.py": "", "src/requirements.txt": "-e ../libs/shared\n"}
    plan = built(project(tmp_path, files), host(index, None))
    assert [distribution.name for distribution in plan.distributions] == ["helper", "shared"]
    assert plan.distributions[1].url is None
    assert "shared.py" in [entry.path for entry in plan.entries]


def test_a_workspace_member_in_a_lock_is_built(index: FakeIndex, tmp_path: Path) -> None:
    helper = next(iter(index.projects["helper"].values()))
    lock = f"""\
version = 1
requires-python = ">=3.8"

[[package]]
name = "app"
version = "0"
source = {{ virtual = "src" }}
dependencies = [{{ name = "shared" }}]

[[package]]
name = "shared"
version = "1"
source = {{ editable = "libs/shared" }}
dependencies = [{{ name = "helper" }}]

[[package]]
name = "helper"
version = "2"
source = {{ registry = "{index.url}" }}
wheels = [{{ url = "{index.url[:-7]}/files/{helper.filename}", hash = "sha256:{helper.sha256}", size = 1 }}]
"""
    pyproject = '[project]\nname = "app"\nversion = "0"\ndependencies = ["shared"]\n'
    files = {**SHARED, "src/app.py": "", "src/pyproject.toml": pyproject, "uv.lock": lock}
    plan = built(project(tmp_path, files), host(index, None))
    assert [distribution.name for distribution in plan.distributions] == ["helper", "shared"]
    assert [given.path for given in plan.inputs] == ["uv.lock", "src/pyproject.toml"]


def test_a_project_that_does_not_build_is_refused_in_words(index: FakeIndex, tmp_path: Path) -> None:
    files = {**SHARED, "libs/shared/backend.py": "raise SystemExit('no')\n", "src/requirements.txt": "../libs/shared\n"}
    with pytest.raises(Refused, match="libs/shared cannot be built"):
        built(project(tmp_path, files), host(index, None))


def test_a_wheel_of_the_project_is_installed(index: FakeIndex, tmp_path: Path) -> None:
    made = wheel("own", "1", requires=["helper"])
    root = project(tmp_path, {"src/app.py": "", "src/requirements.txt": f"./vendor/{made.filename}\n"})
    (root / "src" / "vendor").mkdir()
    (root / "src" / "vendor" / made.filename).write_bytes(made.data)
    plan = built(root, host(index, None))
    assert [distribution.name for distribution in plan.distributions] == ["helper", "own"]
    assert plan.inputs[1].path == f"src/vendor/{made.filename}"


def test_the_compiler_s_program_is_part_of_the_cache_s_key() -> None:
    assert len(bytecode.FINGERPRINT) == 16


def test_what_cannot_be_packaged_is_said_with_the_place_of_it(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.py").write_text("def handler(event, context): ...\n")
    (tmp_path / "src/requirements.txt").write_text("# needed\nsix==\n")
    (tmp_path / "template.yaml").write_text(
        "Resources: {Orders: {Type: AWS::Serverless::Function, Properties: "
        "{CodeUri: src, Handler: app.handler, Runtime: python3.13}}}\nTransform: AWS::Serverless-2016-10-31\n"
    )
    (failure,) = lambdalint.package(tmp_path, plan_only=True).check.failures
    assert failure.path == "src/requirements.txt"
    assert failure.message.startswith("Orders cannot be packaged: line 2: six== is no requirement: ")
