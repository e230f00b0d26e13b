"""What of its package and layers a handler reaches."""

from collections.abc import Mapping

import pytest

from lambdalint.facts.package_imports import ImportClosure, PackageImports, source_of
from lambdalint.model.artifact import Entry
from lambdalint.model.project import Project
from lambdalint.testing import check_files, project_of
from lambdalint_rules.artifacts.samples import archive, macos_library

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders.zip
      Handler: app.handler
      Runtime: python3.13
"""
LAYERED = f"""{TEMPLATE}\
      Layers: [!Ref Shared]
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: shared.zip
"""
HANDLER = b"\ndef handler(event, context): ...\n"


def installed(name: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """*files* as a distribution brings them."""
    record = "".join(f"{path},,\n" for path in files).encode()
    return {**files, f"{name}-1.0.dist-info/RECORD": record + f"{name}-1.0.dist-info/RECORD,,\n".encode()}


def project(files: Mapping[str, bytes], template: str = TEMPLATE, **layers: Mapping[str, bytes]) -> Project:
    archives = {f"{name}.zip": archive(content) for name, content in {"orders": files, **layers}.items()}
    return project_of({"template.yaml": template, **archives})


def reached(files: Mapping[str, bytes], template: str = TEMPLATE) -> dict[str, bool | None]:
    """What is said of each file of the one function's package."""
    [function] = project(files, template).functions
    closure = ImportClosure.of(function)
    assert function.artifact is not None
    artifact = function.artifact
    return {entry.path: closure.reaches(artifact, entry) for entry in artifact.entries}


RATES = {
    **installed("rates", {"rates/__init__.py": b"", "rates/eur.py": b"", "rates/data.json": b"{}"}),
    **installed("never", {"never/__init__.py": b"", "never/core.so": b"\x7fELF"}),
}


def test_what_is_imported_is_reached_and_what_nobody_imports_is_not() -> None:
    files = {"app.py": b"import rates\n" + HANDLER, "other.py": b"", "__pycache__/app.cpython-313.pyc": b"", **RATES}
    found = reached(files)
    assert found["app.py"] is True
    assert found["__pycache__/app.cpython-313.pyc"] is True
    assert found["rates/__init__.py"] is True
    assert found["rates/eur.py"] is False
    assert found["rates/data.json"] is None
    assert found["other.py"] is False
    assert (found["never/__init__.py"], found["never/core.so"]) == (False, False)


@pytest.mark.parametrize(
    "code",
    [
        b"import importlib\nimportlib.import_module(NAME)\n",
        b"import sys\nsys.path.insert(0, 'vendored')\n",
    ],
)
def test_nothing_is_certain_where_the_project_imports_by_other_ways(code: bytes) -> None:
    assert set(reached({"app.py": code + HANDLER, **RATES}).values()) == {True, None}


@pytest.mark.parametrize(
    "more",
    [
        "      Layers: [!Ref Unknown]\n",
        "      Environment: {Variables: {AWS_LAMBDA_EXEC_WRAPPER: /opt/start}}\n",
    ],
)
def test_nothing_is_certain_with_a_layer_or_wrapper_that_nobody_sees(more: str) -> None:
    assert set(reached({"app.py": HANDLER, **RATES}, TEMPLATE + more).values()) == {True, None}


def test_a_handler_that_a_variable_names_is_reached() -> None:
    template = f"{TEMPLATE}      Environment: {{Variables: {{REAL_HANDLER: other.handler}}}}\n"
    assert reached({"app.py": HANDLER, "other.py": HANDLER}, template)["other.py"] is True


def test_plugins_may_be_reached_where_somebody_asks_for_entry_points() -> None:
    plugin = {"never-1.0.dist-info/entry_points.txt": b"[rates.plugins]\nx = never\n"}
    asking = {**RATES, **installed("never", {"never/__init__.py": b"", **plugin})}
    asking["rates/__init__.py"] = b"from importlib.metadata import entry_points\n"
    assert reached({"app.py": b"import rates\n" + HANDLER, **asking})["never/__init__.py"] is None


def test_layers_are_on_the_path_and_known_to_who_has_them() -> None:
    files = {"app.py": b"import rates\n" + HANDLER}
    layer = {"python/rates/__init__.py": b"", "python/unused.py": b""}
    found = project(files, LAYERED, shared=layer)
    [shared] = [each for each in found.artifacts if each.layer]
    imports = PackageImports.of(found)

    def is_unreached(entry: Entry) -> bool:
        return imports.unreached(shared, entry)

    assert [entry.path for entry in shared.entries if is_unreached(entry)] == ["python/unused.py"]


@pytest.mark.parametrize(("code", "expected"), [(b"import fast\n", "high"), (b"", "medium")])
def test_a_fault_in_what_nobody_imports_is_less_sure(code: bytes, expected: str) -> None:
    files = {
        "app.py": code + HANDLER,
        **installed(
            "fast",
            {"fast/__init__.py": b"from . import core", "fast/core.cpython-313-darwin.so": macos_library("arm64")},
        ),
    }
    [finding] = check_files({"template.yaml": TEMPLATE, "orders.zip": archive(files)}, select=("LZ015",)).findings
    assert finding.confidence.value == expected


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a/__pycache__/b.cpython-313.pyc", "a/b.py"),
        ("__pycache__/b.cpython-313.opt-1.pyc", "b.py"),
        ("a/b.pyc", "a/b.pyc"),
        ("a/b.py", "a/b.py"),
    ],
)
def test_bytecode_belongs_to_a_source(path: str, source: str) -> None:
    assert source_of(path) == source
