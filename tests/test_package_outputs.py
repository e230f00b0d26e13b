"""What ``lambdalint package`` writes for programs."""

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.test_package_images import base, registry
from tests.test_package_kinds import FUNCTION, LAYER, ORDERS, Bench, bench

__all__ = ["base", "bench", "registry"]

TERRAFORM = """\
data "external" "orders" {
  program = ["lambdalint", "package", "--function", "aws_lambda_function.orders", "--output-format", "terraform"]
  query   = { source_path = "${path.module}/src" }
}

resource "aws_lambda_function" "orders" {
  function_name    = "orders"
  filename         = data.external.orders.result.path
  source_code_hash = data.external.orders.result.sha256_base64
  handler          = "app.handler"
  runtime          = "RUNTIME"
  role             = "arn:aws:iam::123456789012:role/orders"
}
"""


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


def test_names_that_become_the_same_are_refused(bench: Bench) -> None:
    twice = {"main.tf": TERRAFORM + TERRAFORM.replace("orders", "or_ders"), "src/app.py": "def handler(a, b): ...\n"}
    bench.holds(twice)
    assert bench.package("--output-format", "terraform").exit_code == 0
    done = bench.package("--output-format", "cloudformation")
    assert done.exit_code == 2
    assert "would both be called awslambdafunctionorders" in done.stderr
