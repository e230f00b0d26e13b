from dataclasses import replace
from pathlib import Path

import pytest

from lambdalint.errors import ExitCode, UnreadableInput
from lambdalint.facts.sizes import UnpackedSizes
from lambdalint.join import artifacts
from lambdalint.join.artifacts import function_artifact, given_artifact, layer_artifact
from lambdalint.join.stacks import declare_document
from lambdalint.model.artifact import ArtifactKind
from lambdalint.model.document import Mapping
from lambdalint.model.finding import Severity
from lambdalint.model.function import Function, Layer
from lambdalint.model.values import Known
from lambdalint.readers.tree import Folder, MemoryTree, Tree
from lambdalint.readers.yaml import read_yaml
from lambdalint.testing import check_files
from lambdalint_rules.artifacts.samples import archive, changed

HANDLER = "def handler(event, context): ...\n"
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    {metadata}
    Properties:
      CodeUri: {code}
      Handler: app.handler
      Runtime: {runtime}
      Layers: [!Ref Shared]
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layer
"""


def declared(
    files: dict[str, str | bytes], code: str = "src", runtime: str = "python3.13", metadata: str = ""
) -> Function:
    tree = MemoryTree(files)
    document = read_yaml(TEMPLATE.format(code=code, runtime=runtime, metadata=metadata), "template.yaml")
    assert isinstance(document, Mapping)
    found = declare_document(document, "template.yaml", tree)
    (function,), (layer,) = found.functions, found.layers
    layer = replace(layer, artifact=layer_artifact(tree, layer, (function,)))
    return replace(function, artifact=function_artifact(tree, function), local_layers=(layer,))


def paths(tree: Tree, function: Function) -> list[str] | None:
    found = function_artifact(tree, function)
    return None if found is None else [entry.path for entry in found.entries]


def test_a_folder_is_its_files_without_those_of_tools() -> None:
    files: dict[str, str | bytes] = {
        "src/app.py": HANDLER,
        "src/tests/test_app.py": "",
        "src/__pycache__/app.pyc": "",
        "src/.venv/x.py": "",
        "src/env3/pyvenv.cfg": "",
        "src/env3/y.py": "",
        "src/node_modules/z.js": "",
    }
    assert paths(MemoryTree(files), declared(files)) == ["app.py", "tests/test_app.py"]


def test_sam_leaves_compiled_files_behind_where_it_installs_requirements() -> None:
    files: dict[str, str | bytes] = {"src/app.py": HANDLER, "src/fast.so": "", "src/requirements.txt": "fast"}
    assert paths(MemoryTree(files), declared(files)) == ["app.py", "requirements.txt"]
    built = declared(files, metadata="Metadata: {SamResourceId: Orders}")
    assert paths(MemoryTree(files), built) == ["app.py", "fast.so", "requirements.txt"]


@pytest.mark.parametrize(("runtime", "metadata"), [("java21", ""), ("python3.13", "Metadata: {BuildMethod: makefile}")])
def test_a_folder_that_is_compiled_is_no_artifact(runtime: str, metadata: str) -> None:
    files: dict[str, str | bytes] = {"src/app.py": HANDLER}
    assert paths(MemoryTree(files), declared(files, runtime=runtime, metadata=metadata)) is None


def test_an_archive_is_its_entries_and_a_file_is_itself() -> None:
    files: dict[str, str | bytes] = {"app.zip": archive({"app.py": HANDLER.encode()}), "src/app.py": HANDLER}
    function = declared(files, code="app.zip")
    found = function_artifact(MemoryTree(files), function)
    assert found
    assert (found.kind, found.function, found.runtime, found.architecture) == (
        ArtifactKind.ZIP,
        "Orders",
        "python3.13",
        "x86_64",
    )
    assert paths(MemoryTree(files), declared(files, code="src/app.py")) == ["app.py"]


def test_an_archive_that_cannot_be_read_is_reported() -> None:
    template = TEMPLATE.format(code="app.zip", runtime="python3.13", metadata="")
    result = check_files({"template.yaml": template, "app.zip": b"PK\x03\x04 cut"}, select=("LC002",))
    assert [finding.code for finding in result.findings] == ["LL001"]
    assert "cut short" in result.findings[0].message


def test_an_archive_that_cannot_be_read_is_a_finding_of_the_rule_about_it() -> None:
    template = TEMPLATE.format(code="app.zip", runtime="python3.13", metadata="")
    broken = changed({"app.py": HANDLER.encode()}, "app.py", flags=1)
    result = check_files({"template.yaml": template, "app.zip": broken}, select=("LZ001", "LH001"))
    assert [finding.code for finding in result.findings] == ["LZ001"]
    assert result.exit_code(Severity.ERROR) is ExitCode.FINDINGS
    unasked = check_files({"template.yaml": template, "app.zip": broken}, select=("LH001",))
    assert [(finding.code, finding.message) for finding in unasked.findings] == [("LL001", "app.py is encrypted")]
    assert unasked.exit_code(Severity.ERROR) is ExitCode.INCOMPLETE


def test_an_installed_tree_is_all_that_lies_there(tmp_path: Path) -> None:
    (tmp_path / "built" / ".git").mkdir(parents=True)
    (tmp_path / "built" / ".git" / "config").write_text("")
    (tmp_path / "built" / "libx.so.1").write_text("")
    (tmp_path / "built" / "libx.so.1").chmod(0o640)
    (tmp_path / "built" / "libx.so").symlink_to("libx.so.1")
    (tmp_path / "built" / "out").symlink_to("..")
    found = given_artifact(Folder(tmp_path), "built")
    assert found
    assert {entry.path: entry.mode for entry in found.entries} == {
        ".git/config": (tmp_path / "built" / ".git" / "config").stat().st_mode & 0o777,
        "libx.so": 0o640,
        "libx.so.1": 0o640,
    }
    assert found.links == {"libx.so": "libx.so.1"}
    assert given_artifact(Folder(tmp_path), "none") is None


def test_a_layer_runs_on_what_it_says_or_what_its_functions_agree_on() -> None:
    files: dict[str, str | bytes] = {"src/app.py": HANDLER, "layer/python/x.py": ""}
    function = declared(files)
    (layer,) = function.local_layers
    tree = MemoryTree(files)

    def target(layer: Layer, *users: Function) -> tuple[str | None, str | None]:
        found = layer_artifact(tree, layer, users)
        assert found
        return found.runtime, found.architecture

    assert target(layer, function) == ("python3.13", "x86_64")
    assert target(layer) == (None, None)
    older = replace(function, runtime=Known("python3.12", function.span))
    assert target(layer, function, older) == (None, "x86_64")
    said = replace(layer, compatible_runtimes=("python3.11",), compatible_architectures=("arm64",))
    assert target(said, function) == ("python3.11", "arm64")
    several = replace(layer, compatible_architectures=("arm64", "x86_64"))
    assert target(several, function) == ("python3.13", "x86_64")
    makefile = MemoryTree({**files, "layer/Makefile": ""})
    assert layer_artifact(makefile, layer, (function,)) is None


def test_sizes_are_summed_over_function_and_layers() -> None:
    files: dict[str, str | bytes] = {"src/app.py": "x" * 10, "layer/python/big/__init__.py": "x" * 30}
    sizes = UnpackedSizes.of(declared(files))
    assert (sizes.function_bytes, sizes.layer_bytes, sizes.total_bytes, sizes.complete) == (10, 30, 40, True)
    assert sizes.largest(5) == (("big", 30), ("app.py", 10))


def test_a_folder_on_disk_is_read_lazily_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src" / "lib").mkdir(parents=True)
    (tmp_path / "src" / "app.py").write_text(HANDLER)
    (tmp_path / "src" / "lib" / "tool").write_bytes(b"x" * 100)
    (tmp_path / "src" / "lib" / "tool").chmod(0o755)
    (tmp_path / "src" / "lib" / "up").symlink_to("..")
    function = declared({"src/app.py": HANDLER})
    found = function_artifact(Folder(tmp_path), function)
    assert found
    tool = next(entry for entry in found.entries if entry.path == "lib/tool")
    assert (tool.size, tool.executable, tool.head(3), len(tool.read())) == (100, True, b"xxx", 100)
    assert len(found.entries) == 2
    monkeypatch.setattr(artifacts, "MAX_FILES", 1)
    with pytest.raises(UnreadableInput, match="more than 1 files"):
        function_artifact(Folder(tmp_path), function)
    (tmp_path / "src" / "lib" / "tool").unlink()
    with pytest.raises(UnreadableInput):
        tool.read()
