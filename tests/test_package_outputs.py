"""What ``lambdalint package`` writes for programs."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from lambdalint.errors import UsageError
from lambdalint.reporters.packages import render
from lambdalint.reporters.packages.document import Package, Packaging
from lambdalint.reporters.view import View
from tests.fake_index import wheel
from tests.made_up import result
from tests.test_docs import example
from tests.test_package_images import base, registry
from tests.test_package_kinds import FUNCTION, LAYER, ORDERS, Bench, bench

__all__ = ["base", "bench", "registry"]

TERRAFORM = example("packaging.md", "hcl").replace("python3.13", "RUNTIME")


def machine_readable(bench: Bench, name: str, *arguments: str, exit_code: int = 0) -> Any:
    done = bench.package("--output-format", name, *arguments)
    assert done.exit_code == exit_code, done.output
    return json.loads(done.stdout)


def holds_to_its_schema(document: Mapping[str, Any]) -> None:
    checked = json.loads((files("lambdalint.reporters") / "schema.json").read_text())
    own = json.loads((files("lambdalint.reporters.packages") / "schema.json").read_text())
    Draft202012Validator.check_schema(own)
    registry: Registry[Any] = Registry().with_resource(checked["$id"], Resource.from_contents(checked))
    Draft202012Validator(own, registry=registry).validate(document)


def sha256(path: str) -> bytes:
    return hashlib.sha256(Path(path).read_bytes()).digest()


def test_json_tells_all_of_each_package_and_finds_what_check_finds(bench: Bench) -> None:
    broken = FUNCTION.split("Resources:\n")[1].replace("Orders:", "Broken:").replace("app.handler", "app.absent")
    web = FUNCTION.split("Resources:\n")[1].replace("Orders:", "Web:").replace("RUNTIME", "nodejs22.x")
    bench.holds({**ORDERS, "template.yaml": FUNCTION + broken + web + LAYER, "layer/requirements.txt": "absent\n"})
    found = machine_readable(bench, "json", exit_code=3)
    holds_to_its_schema(found)
    orders, refused = found["packages"]
    manifest = bench.manifest("Orders")
    assert (orders["state"], orders["path"], orders["manifest"]) == ("written", "dist/Orders.zip", "dist/Orders.json")
    same = ("name", "kind", "runtime", "architecture", "handler", "sha256", "sha256_base64", "tree_sha256")
    assert {key: orders[key] for key in same} == {key: manifest[key] for key in same}
    assert orders["packed_bytes"] == Path(orders["path"]).stat().st_size
    assert sum(part["unpacked_bytes"] for part in orders["parts"]) == orders["unpacked_bytes"]
    assert (refused["name"], refused["state"], refused["sha256"]) == ("Broken", "refused", None)
    assert [each["name"] for each in found["skipped"]] == ["Web"]
    assert {(each["function"], each["severity"]) for each in found["findings"]} == {("Broken", "error")}
    assert "Shared cannot be packaged" in found["errors"][0]["message"]


@pytest.mark.parametrize("kind", ["dir", "layer", "plan"])
def test_json_of_other_forms_has_what_they_have(bench: Bench, kind: str) -> None:
    bench.holds(ORDERS)
    asked = ("--plan",) if kind == "plan" else ("--kind", kind)
    found = machine_readable(bench, "json", *asked)
    holds_to_its_schema(found)
    (package,) = found["packages"]
    assert package["tree_sha256"]
    assert (package["sha256"] is None) == (kind != "layer")
    assert package["state"] == ("planned" if kind == "plan" else "written")


def test_an_image_has_a_digest_and_once_pushed_an_address(bench: Bench, base: str, registry: str) -> None:
    bench.holds(ORDERS)
    image = ("--kind", "image", "--base", base)
    found = machine_readable(bench, "json", *image)
    holds_to_its_schema(found)
    digest = found["packages"][0]["image"]["digest"]
    assert digest == f"sha256:{bench.manifest('Orders')['sha256']}"
    pushed = machine_readable(bench, "terraform", *image, "--to", f"{registry}/orders:1", "--function", "Orders")
    assert (pushed["image_digest"], pushed["image_uri"]) == (digest, f"{registry}/orders@{digest}")
    assert "sha256" not in pushed


def test_terraform_reads_what_it_asks_for_and_only_what_is_there(bench: Bench) -> None:
    bench.holds({"main.tf": TERRAFORM, "src/app.py": ORDERS["src/app.py"], "src/requirements.txt": "helper\n"})
    asked = json.dumps({"source_path": "src"})
    command = ["package", "--function", "aws_lambda_function.orders", "--output-format", "terraform"]
    done = subprocess.run(
        [sys.executable, "-m", "lambdalint", *command], input=asked, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert all(isinstance(value, str) for value in found.values())
    assert found["path"] == "dist/aws_lambda_function.orders.zip"
    assert found["sha256_base64"] == base64.b64encode(sha256(found["path"])).decode()
    assert "packaged" in done.stderr
    every = machine_readable(bench, "terraform")
    assert every["aws_lambda_function_orders_sha256"] == found["sha256"]
    (bench.folder / "src" / "app.py").write_text("")
    refused = bench.package(*command[1:])
    assert (refused.exit_code, json.loads(refused.stdout)) == (1, {})
    assert "error" in refused.stderr


def test_cloudformation_gets_a_file_of_parameters(bench: Bench) -> None:
    bench.holds({**ORDERS, "template.yaml": FUNCTION + LAYER, "layer/requirements.txt": "helper\n"})
    rows = machine_readable(bench, "cloudformation")
    assert all(set(row) == {"ParameterKey", "ParameterValue"} for row in rows)
    found = {row["ParameterKey"]: row["ParameterValue"] for row in rows}
    assert all(key.isalnum() for key in found)
    assert set(found) == {f"{name}{fact}" for name in ("Orders", "Shared") for fact in ("Path", "Sha256", "CodeSha256")}
    assert found["OrdersSha256"] == sha256(found["OrdersPath"]).hex()
    assert found["OrdersCodeSha256"] == base64.b64encode(sha256(found["OrdersPath"])).decode()


def test_outputs_of_a_step_are_one_a_line(bench: Bench) -> None:
    bench.holds(ORDERS)
    done = bench.package("--output-format", "github", "--output", "outputs.txt")
    assert done.stdout == ""
    assert "packaged" in done.stderr
    found = dict(line.split("=", 1) for line in Path("outputs.txt").read_text().splitlines())
    assert found["Orders_path"] == "dist/Orders.zip"
    assert found["Orders_sha256"] == sha256("dist/Orders.zip").hex()
    assert all(name.isidentifier() for name in found)


def test_a_value_of_several_lines_is_kept_from_being_read_as_others(bench: Bench) -> None:
    bench.holds(ORDERS)
    done = bench.package("--output-format", "github", "--out", "odd\nOrders_sha256=0", "--function", "Orders")
    first, second, third, end, *rest = done.stdout.splitlines()
    assert first == f"path<<{end}"
    assert (second, third) == ("odd", "Orders_sha256=0/Orders.zip")
    assert all("=" in line for line in rest)


def outputs(text: str) -> dict[str, str]:
    """What the runner of GitHub Actions reads: ``name=value``, or lines between two that are the same."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        name, equals, value = line.partition("=")
        if "<<" in name or not equals:
            name, _, end = line.partition("<<")
            value = "\n".join(iter(lines.__next__, end))
        if line:
            found[name] = value
    return found


def written(name: str, path: str = "a.zip") -> Package:
    return Package(name, path, "python3.13", "arm64", 1, 1, 1, "0f" * 32, tree_sha256="f0" * 32)


names = st.text(st.sampled_from("aZ9_ .ü"), min_size=1, max_size=6)
paths = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1)


@given(st.dictionaries(names, paths, max_size=4))
def test_whatever_packages_are_called_each_output_is_read_as_it_is(named: dict[str, str]) -> None:
    packages = tuple(written(name, path) for name, path in named.items())
    packaging = Packaging(packages, (), result((), failures=()), 0.1)
    with suppress(UsageError):  # names that become the same
        text = render("github", packaging, View())
        found = outputs(text)
        assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in found)
        assert sorted(value for name, value in found.items() if name.endswith("_path")) == sorted(named.values())
        assert json.loads(render("terraform", packaging, View())) == found


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("terraform", "Or-ders", "Or_ders"), ("terraform", "A", "A_tree"), ("cloudformation", "Orders", "OrdersCode")],
)
def test_facts_that_would_have_one_name_are_refused(name: str, first: str, second: str) -> None:
    packaging = Packaging((written(first), written(second)), (), result((), failures=()), 0.1)
    with pytest.raises(UsageError, match=f"facts about {first} and {second} would both be called "):
        render(name, packaging, View())


def test_names_that_become_the_same_are_refused(bench: Bench) -> None:
    twice = {"main.tf": TERRAFORM + TERRAFORM.replace("orders", "or_ders"), "src/app.py": "def handler(a, b): ...\n"}
    bench.holds(twice)
    assert bench.package("--output-format", "terraform").exit_code == 0
    done = bench.package("--output-format", "cloudformation")
    assert done.exit_code == 2
    assert "would both be called awslambdafunctionordersPath" in done.stderr


def bill_of(name: str) -> Any:
    text = Path("dist", f"{name}.cdx.json").read_text()
    # Raised by the library's own validator where the schema of CycloneDX is not kept.
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return json.loads(text)


def test_a_bill_of_materials_names_all_that_is_in_the_package(bench: Bench) -> None:
    bench.index.add(
        wheel("Top-Level", "1", files={"top.py": ""}, requires=["helper[fast]", "native; python_version < '3'"]),
        wheel("helper", "3", files={"helper/__init__.py": ""}, requires=["quick; extra == 'fast'"], licence="MIT"),
        wheel("quick", "1.0", files={"quick.py": ""}, licence="Apache-2.0 OR BSD-2-Clause"),
    )
    bench.holds({**ORDERS, "src/requirements.txt": "top-level\nnative\n"})
    found = machine_readable(bench, "json", "--sbom")
    holds_to_its_schema(found)
    assert found["packages"][0]["sbom"] == "dist/Orders.cdx.json"
    bill, manifest = bill_of("Orders"), bench.manifest("Orders")
    root = bill["metadata"]["component"]
    assert (root["name"], root["type"]) == ("Orders", "application")
    assert root["hashes"] == [{"alg": "SHA-256", "content": manifest["sha256"]}]
    assert "timestamp" not in bill["metadata"]
    components = {each["name"]: each for each in bill["components"]}
    assert set(components) == {"helper", "native", "quick", "top-level"}
    wheels: Any = manifest["distributions"]
    for each in wheels:
        component = components[each["name"]]
        assert component["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"
        assert component["hashes"][0]["content"] == each["sha256"]
        assert component["externalReferences"][0]["url"] == each["url"]
    assert components["helper"]["licenses"] == [{"license": {"id": "MIT"}}]
    assert components["quick"]["licenses"] == [{"license": {"name": "Apache-2.0 OR BSD-2-Clause"}}]
    entries: Any = manifest["entries"]
    listed = {
        file["name"]: file["hashes"][0]["content"]
        for component in (root, *bill["components"])
        for file in component["components"]
    }
    assert listed == {entry["path"]: entry["sha256"] for entry in entries}
    names = {each["bom-ref"]: each["name"] for each in (root, *bill["components"])}
    graph = {names[row["ref"]]: {names[each] for each in row.get("dependsOn", ())} for row in bill["dependencies"]}
    assert graph["Orders"] == {"top-level", "native"}
    assert graph["top-level"] == {"helper"}
    assert graph["helper"] == {"quick"}
    assert graph["quick"] == graph["native"] == set()


@pytest.mark.parametrize(
    ("headers", "licences"),
    [
        ("MIT\nLicense-Expression: MIT OR LicenseRef-Own", [{"expression": "MIT OR LicenseRef-Own"}]),
        ("MIT\nLicense-Expression:", [{"license": {"id": "MIT"}}]),
        ("UNKNOWN\nClassifier: License :: OSI Approved :: MIT License", [{"license": {"name": "MIT License"}}]),
        ("text " * 100, None),
    ],
)
def test_a_licence_is_what_the_metadata_says_of_it(bench: Bench, headers: str, licences: Any) -> None:
    bench.index.add(wheel("said", "1", licence=headers))
    bench.holds({**ORDERS, "src/requirements.txt": "said\n"})
    assert bench.package("--sbom").exit_code == 0
    (component,) = bill_of("Orders")["components"]
    assert component.get("licenses") == licences


def test_a_bill_of_materials_is_the_same_each_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.holds({**ORDERS, "lambdalint.toml": "[package]\nsbom = true\n"})
    command = [sys.executable, "-m", "lambdalint", "package"]
    texts = set()
    for seed in ("1", "2"):
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True)
        texts.add(Path("dist/Orders.cdx.json").read_bytes())
    assert len(texts) == 1
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert bench.package().exit_code == 0
    assert bill_of("Orders")["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert bench.package("--no-sbom", "--out", "other").exit_code == 0
    assert not Path("other/Orders.cdx.json").exists()


def test_what_asks_for_each_other_is_reached_all_the_same(bench: Bench) -> None:
    bench.index.add(wheel("hen", "1", requires=["egg"]), wheel("egg", "1", requires=["hen", "absent; extra == 'x'"]))
    bench.holds({**ORDERS, "src/requirements.txt": "helper\nhen\n"})
    assert bench.package("--sbom").exit_code == 0
    rows = {row["ref"]: row.get("dependsOn") for row in bill_of("Orders")["dependencies"]}
    assert rows["package:Orders"] == ["pkg:pypi/egg@1", "pkg:pypi/helper@2"]


def test_a_bill_of_an_image_names_what_it_rests_on(bench: Bench, base: str) -> None:
    bench.holds(ORDERS)
    assert bench.package("--kind", "image", "--base", base, "--sbom").exit_code == 0
    bill = bill_of("Orders")
    assert bill["metadata"]["component"]["type"] == "container"
    (below,) = (each for each in bill["components"] if each["type"] == "container")
    image: Any = bench.manifest("Orders")["image"]
    assert (below["name"], below["version"]) == (image["base"], image["base_digest"])


def test_without_the_library_the_extra_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.holds(ORDERS)
    monkeypatch.setattr("lambdalint.packager.sbom.find_spec", lambda name: None)
    done = bench.package("--sbom")
    assert done.exit_code == 2
    assert "pip install 'lambdalint[sbom]'" in done.stderr
    assert not Path("dist").exists()
