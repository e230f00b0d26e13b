import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import pytest
from click.testing import CliRunner, Result

from lambdalint.cli import main
from lambdalint_rules.artifacts.samples import windows_library

APP = "import requests\n\ndef handler(event, context):\n    requests.post('https://example.com')\n"
RECORD = "app.py,,\n"


def archive(files: Mapping[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with ZipFile(made, "w") as target:
        for path, content in files.items():
            info = ZipInfo(path)
            info.external_attr = 0o644 << 16
            target.writestr(info, content)
    return made.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.zip").write_bytes(archive({"app.py": APP}))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def checked(*arguments: str) -> Any:
    done = run("check", *arguments, "--no-cache", "--output-format", "json")
    assert not done.stderr
    return json.loads(done.stdout)


def names(document: Any) -> list[str]:
    return [each["name"] for each in document["findings"]]


def test_of_an_archive_alone_nothing_is_known_and_nothing_is_said(folder: Path) -> None:
    document = checked("orders.zip")
    assert names(document) == document["errors"] == document["notes"] == []
    (function,) = document["functions"]
    assert (function["name"], function["template"], function["runtime"]) == ("orders", None, None)
    assert (function["handler"], function["architectures"], function["code"]) == (None, None, "orders.zip")


def test_what_is_said_of_an_archive_is_believed(folder: Path) -> None:
    document = checked("orders.zip", "--handler", "app.handler", "--runtime", "python3.7", "--architecture", "arm64")
    assert {"http-without-timeout", "blocked-runtime"} & set(names(document)) == {
        "http-without-timeout",
        "blocked-runtime",
    }
    (function,) = document["functions"]
    assert (function["handler"], function["architectures"]) == ("app.handler", ["arm64"])
    (found,) = (each for each in document["findings"] if each["name"] == "http-without-timeout")
    assert (found["path"], found["fix"]) == ("orders.zip/app.py", None)  # nobody can mend what is packed


def test_a_handler_that_is_not_there_is_missing_once_the_layers_are_known(folder: Path) -> None:
    assert names(checked("orders.zip", "--handler", "app.handle")) == ["missing-handler"]
    document = checked("orders.zip", "--handler", "main.handler")
    assert names(document) == []
    assert document["notes"] == [
        "main.handler was not found in orders.zip: the module may come from a layer that is not in the project"
    ]
    (folder / "layer.zip").write_bytes(archive({"python/other.py": "x = 1\n"}))
    assert names(checked("orders.zip", "--handler", "main.handler", "--layer", "layer.zip")) == ["missing-handler"]
    (folder / "layer.zip").write_bytes(archive({"python/main.py": APP}))
    found = checked("orders.zip", "--handler", "main.handler", "--layer", "layer.zip")
    assert [(each["name"], each["path"]) for each in found["findings"]] == [
        ("http-without-timeout", "layer.zip/python/main.py")
    ]


def test_an_unpacked_function_is_one_where_distributions_are_installed_or_something_is_said(folder: Path) -> None:
    (folder / "built").mkdir()
    (folder / "built" / "app.py").write_text(APP)
    assert [each["name"] for each in checked("built")["functions"]] == ["built/app.py:handler"]
    assert checked("built", "--handler", "app.handler")["functions"][0]["name"] == "built"
    (folder / "built" / "idna-3.0.dist-info").mkdir()
    assert "built" in [each["name"] for each in checked("built")["functions"]]
    # A project that keeps what it needs in its root is one all the same.
    (folder / "built" / ".git").mkdir()
    assert [each["name"] for each in checked("built")["functions"]] == ["app.py:handler"]
    (folder / "built" / ".git").rmdir()
    declared = "Resources: {A: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13, Code: {S3Key: k}}}}"
    (folder / "built" / "template.yaml").write_text(declared)
    assert "built" not in [each["name"] for each in checked("built")["functions"]]


def test_a_layer_is_one_by_its_folders(folder: Path) -> None:
    (folder / "layer.zip").write_bytes(archive({"python/other.py": "", "bin/tool": "#!/bin/sh\n"}))
    document = checked("layer.zip")
    assert document["functions"] == document["errors"] == []
    assert run("check", "layer.zip", "--no-cache").stdout.startswith("All clear: no functions, only layers")


def test_manifests_say_on_what_archives_run(folder: Path) -> None:
    (folder / "dist").mkdir()
    (folder / "orders.zip").rename(folder / "dist" / "orders.zip")
    manifest = {
        "version": 1,
        "name": "OrdersApi",
        "runtime": "python3.7",
        "architecture": "arm64",
        "handler": "app.handler",
        "tree_sha256": "",
        "entries": [],
    }
    (folder / "dist" / "orders.json").write_text(json.dumps(manifest))
    (folder / "dist" / "other.zip").write_bytes(archive({"app.py": APP}))
    for path in ("dist", "dist/orders.zip"):
        document = checked(path)
        (function,) = document["functions"]
        assert (function["name"], function["runtime"], function["handler"]) == ("OrdersApi", "python3.7", "app.handler")
        assert "http-without-timeout" in names(document)
    assert checked("dist/orders.zip", "--runtime", "python3.13")["functions"][0]["runtime"] == "python3.13"
    for broken in ("[]", "{", '{"version": 1}', "[" * 100_000):
        (folder / "dist" / "orders.json").write_text(broken)
        assert checked("dist/orders.zip")["functions"][0]["name"] == "orders"


def test_an_archive_beside_a_template_is_looked_at_when_the_template_or_somebody_names_it(folder: Path) -> None:
    template = "Resources: {{A: {{Type: AWS::Lambda::Function, Properties: {{Runtime: python3.13, Code: {code}}}}}}}"
    (folder / "template.yaml").write_text(template.format(code="{S3Bucket: b, S3Key: k}"))
    assert [each["name"] for each in checked()["functions"]] == ["A"]
    assert [each["name"] for each in checked("template.yaml", "orders.zip")["functions"]] == ["A", "orders"]
    (folder / "template.yaml").write_text(template.format(code="orders.zip"))
    assert [each["name"] for each in checked("template.yaml", "orders.zip")["functions"]] == ["A"]


def test_what_is_no_archive_says_so(folder: Path) -> None:
    (folder / "orders.zip").write_bytes(b"\x1f\x8b" + bytes(40))
    done = run("check", "orders.zip", "--no-cache", "--output-format", "concise")
    assert "unreadable-archive" in done.stdout
    assert done.exit_code == 1


def test_an_archive_of_another_language_is_not_taken_for_python(folder: Path) -> None:
    (folder / "net.zip").write_bytes(archive({"Orders.dll": windows_library()}))
    assert names(checked("net.zip")) == []
    assert "foreign-binary" not in names(checked("net.zip", "--runtime", "dotnet8"))
    (folder / "python.zip").write_bytes(archive({"app.py": APP, "fast.dll": windows_library()}))
    assert names(checked("python.zip")) == ["foreign-binary"]


def test_archives_are_not_fixed(folder: Path) -> None:
    done = run("check", "orders.zip", "--handler", "app.handler", "--fix")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: what is in an artifact is not fixed\n")
