"""``lambdalint package --emit-template``: what is deployed from the templates that it writes."""

import difflib
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

import lambdalint
from lambdalint.aws.tables import table
from tests.fake_index import wheel
from tests.test_package_images import DOCKERFILE, IMAGE_FUNCTION, SOURCE, base, registry
from tests.test_package_kinds import FUNCTION, LAYER, ORDERS, Bench, bench

__all__ = ["base", "bench", "registry"]

EMIT = "--emit-template"


def emitted(bench: Bench, path: str = "dist/template.yaml") -> Any:
    return yaml_parse((bench.folder / path).read_text())


def changes(bench: Bench, before: str, after: str) -> list[str]:
    """The lines that differ, without those of the mark."""
    old, new = ((bench.folder / path).read_text().splitlines() for path in (before, after))
    lines = [line for line in difflib.unified_diff(old, new, n=0, lineterm="") if line[:2] not in ("--", "++", "@@")]
    return [line for line in lines if not line.endswith(("Metadata:", "lambdalint:")) and "emitted-from" not in line]


def functions(path: str = ".") -> Mapping[str, str | None]:
    """The functions that a check finds, with where their code is."""
    result = lambdalint.check([Path(path)], cache=False)
    assert not result.failures
    return {each.name: each.code for each in result.functions}


def deployed(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """What AWS's own transform makes of *template* after ``sam package``, which puts one address in place of paths."""
    document: dict[str, Any] = json.loads(json.dumps(template))
    document.pop("Metadata", None)
    for resource in document["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if isinstance(resource.get("Properties", {}).get(name), str):
                resource["Properties"][name] = "s3://bucket/key"
    made: Mapping[str, Any] = Translator({}, Parser()).translate(document, {})
    return made


def test_a_template_names_the_packages_beside_it_and_is_else_as_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    template = f"""\
# Orders and what they share
{FUNCTION.replace("src/", "src/  # here")}\
  Quoted:  # the same
    Type: AWS::Serverless::Function
    Properties: {{Handler: app.handler, Runtime: RUNTIME, CodeUri: './src', Layers: [!Ref Shared]}}
  Web:
    Type: AWS::Serverless::Function
    Properties: {{Handler: index.handler, Runtime: nodejs22.x, CodeUri: web}}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {{Handler: index.handler, Runtime: RUNTIME, InlineCode: "def handler(event, context): pass"}}
{LAYER}"""
    bench.holds(
        {**ORDERS, "template.yaml": template, "layer/requirements.txt": "native\n", "web/index.js": "exports.handler=1"}
    )
    done = bench.package(EMIT)
    assert done.exit_code == 0, done.output
    assert "emitted   dist/template.yaml" in done.output
    assert "Web is not packaged, since it runs on nodejs22.x; only Python is built: web goes up as it is" in done.output
    assert "Inline is not" not in done.output
    changed = changes(bench, "template.yaml", "dist/template.yaml")
    assert "+      CodeUri: Orders.zip  # here" in changed
    assert len(changed) == 8
    found = emitted(bench)
    properties = {name: each["Properties"] for name, each in found["Resources"].items()}
    assert properties["Quoted"]["CodeUri"] == "Quoted.zip"
    assert properties["Web"]["CodeUri"] == "../web"
    assert properties["Shared"]["ContentUri"] == "Shared.zip"
    assert deployed(found) == deployed(emitted(bench, "template.yaml"))


def test_what_is_emitted_declares_nothing_twice_and_can_be_checked(bench: Bench) -> None:
    bench.holds(ORDERS)
    for _ in "12":
        done = bench.package(EMIT)
        assert done.exit_code == 0, done.output
    assert functions() == {"Orders": "src"}
    assert functions("dist/template.yaml") == {"Orders": "dist/Orders.zip"}
    result = lambdalint.check([Path("dist/template.yaml")], cache=False)
    assert result.functions[0].artifact_bytes == bench.manifest("Orders")["unpacked_bytes"]
    (bench.folder / "template.yaml").unlink()
    assert functions() == {"Orders": "dist/Orders.zip"}


def test_json_stays_json(bench: Bench) -> None:
    template = json.dumps(yaml.safe_load(FUNCTION), indent=2)
    bench.holds({**ORDERS, "template.yaml": "", "template.json": template})
    assert bench.package(EMIT).exit_code == 0
    found = json.loads((bench.folder / "dist/template.json").read_text())
    assert found.pop("Metadata") == {"lambdalint": {"emitted-from": "../template.json"}}
    expected = json.loads((bench.folder / "template.json").read_text())
    expected["Resources"]["Orders"]["Properties"]["CodeUri"] = "Orders.zip"
    assert found == expected


def test_stacks_within_stacks_are_emitted_with_the_one_that_nests_them(bench: Bench) -> None:
    bench.holds(
        {
            **ORDERS,
            "app/root.yaml": """\
Resources:
  Api:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ../stacks/api.yaml}
  Data:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: data.yaml}
""",
            "app/data.yaml": "Resources: {Queue: {Type: AWS::SQS::Queue}}\n",
            "stacks/api.yaml": FUNCTION.replace("src/", "../src/"),
            "template.yaml": "",
        }
    )
    done = bench.package(EMIT)
    assert done.exit_code == 0, done.output
    root, api = emitted(bench, "dist/app/root.yaml"), emitted(bench, "dist/stacks/api.yaml")
    assert root["Resources"]["Api"]["Properties"]["TemplateURL"] == "../stacks/api.yaml"
    assert root["Resources"]["Data"]["Properties"]["TemplateURL"] == "../../app/data.yaml"
    assert api["Resources"]["Orders"]["Properties"]["CodeUri"] == "../Api.Orders.zip"
    assert functions() == {"Api.Orders": "src"}
    assert functions("dist/app/root.yaml") == {"Api.Orders": "dist/Api.Orders.zip"}


def stated(way: str, value: str) -> dict[str, Any]:
    """Properties in which *way* leads to *value*."""
    made: Any = value
    for key in reversed(way.split(".")):
        made = {key.replace("*", "Any"): made}
    return dict(made)


def in_all(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in in_all(each)]
    return [text for each in value for text in in_all(each)] if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    ("kind", "way"),
    [(kind, way) for kind, ways in table("local_paths")["properties"].items() if "::" in kind for way in ways],
)
def test_every_local_path_leads_where_it_led(bench: Bench, kind: str, way: str) -> None:
    resource = json.dumps({"Type": kind, "Properties": stated(way, "./files/some")})
    bench.holds({**ORDERS, "files/some": "", "template.yaml": f"{FUNCTION}  Other: {resource}\n"})
    assert bench.package(EMIT).exit_code == 0
    (path,) = in_all(emitted(bench)["Resources"]["Other"]["Properties"])
    assert path == "../files/some"


def test_paths_are_moved_in_globals_in_metadata_and_in_transforms(bench: Bench) -> None:
    without_code = FUNCTION.replace("      CodeUri: src/\n", "")
    bench.holds(
        {
            **ORDERS,
            "api.yaml": "openapi: 3.0.0\n",
            "template.yaml": f"""\
Metadata:
  AWS::ServerlessRepo::Application: {{Name: a, LicenseUrl: LICENSE, ReadmeUrl: "https://example.org"}}
Globals:
  Function: {{CodeUri: src/, Runtime: RUNTIME}}
  Api: {{DefinitionUri: s3://bucket/api.yaml}}
{without_code}\
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      DefinitionBody:
        Fn::Transform: {{Name: AWS::Include, Parameters: {{Location: ./api.yaml}}}}
  Elsewhere:
    Type: AWS::Serverless::Function
    Metadata: {{BuildMethod: makefile, ContextPath: .}}
    Properties: {{Runtime: provided.al2023, Handler: bootstrap, CodeUri: !Sub "${{AWS::Region}}/x"}}
""",
        }
    )
    assert bench.package(EMIT).exit_code == 0
    found = emitted(bench)
    assert found["Metadata"]["AWS::ServerlessRepo::Application"]["LicenseUrl"] == "../LICENSE"
    assert found["Metadata"]["AWS::ServerlessRepo::Application"]["ReadmeUrl"] == "https://example.org"
    assert found["Globals"]["Function"]["CodeUri"] == "../src/"
    assert found["Globals"]["Api"]["DefinitionUri"] == "s3://bucket/api.yaml"
    resources = found["Resources"]
    assert resources["Orders"]["Properties"]["CodeUri"] == "Orders.zip"
    body = resources["Rest"]["Properties"]["DefinitionBody"]
    assert body["Fn::Transform"]["Parameters"]["Location"] == "../api.yaml"
    assert resources["Elsewhere"]["Metadata"]["ContextPath"] == ".."
    assert resources["Elsewhere"]["Properties"]["CodeUri"] == {"Fn::Sub": "${AWS::Region}/x"}


def test_code_beside_the_template_is_named_when_it_is_not_packaged(bench: Bench) -> None:
    web = "  Web:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: nodejs22.x, Handler: a.b}\n"
    bench.holds({**ORDERS, "template.yaml": FUNCTION + web})
    assert bench.package(EMIT).exit_code == 0
    assert emitted(bench)["Resources"]["Web"]["Properties"]["CodeUri"] == "../"


def test_no_template_is_written_while_a_package_is_missing(bench: Bench) -> None:
    bench.holds({**ORDERS, "template.yaml": FUNCTION + FUNCTION.split("Resources:\n")[1].replace("Orders", "Broken")})
    template = bench.folder / "template.yaml"
    template.write_text(template.read_text().replace("app.handler", "app.absent", 2).replace("absent", "handler", 1))
    done = bench.package(EMIT)
    assert done.exit_code == 1
    assert "withheld  dist/template.yaml" in done.output
    assert "there is no package of Broken" in done.output
    assert not (bench.folder / "dist/template.yaml").exists()
    assert "emitted" in bench.package(EMIT, "--function", "Orders").output
    assert emitted(bench)["Resources"]["Broken"]["Properties"]["CodeUri"] == "../src/"


def test_nothing_is_written_with_a_plan(bench: Bench) -> None:
    bench.holds(ORDERS)
    assert bench.package(EMIT, "--plan").exit_code == 0
    assert not (bench.folder / "dist").exists()


def test_a_folder_is_named_as_such_and_not_built_again(bench: Bench) -> None:
    bench.holds(ORDERS)
    assert bench.package(EMIT, "--kind", "dir").exit_code == 0
    orders = emitted(bench)["Resources"]["Orders"]
    assert (orders["Properties"]["CodeUri"], orders["Metadata"]) == ("Orders", {"SkipBuild": True})
    refused = bench.package(EMIT, "--kind", "layer")
    assert refused.exit_code == 2
    assert "no template can name it" in refused.output


def test_what_somebody_wrote_is_not_overwritten(bench: Bench) -> None:
    bench.holds({**ORDERS, "out/template.yaml": "Resources: {}\n"})
    for out in ("out", "."):
        done = bench.package(EMIT, "--out", out)
        assert done.exit_code == 3
        assert "lambdalint did not write it" in done.output
    assert (bench.folder / "out/template.yaml").read_text() == "Resources: {}\n"
    bench.holds({"taken/template.yaml/file": ""})
    done = bench.package(EMIT, "--out", "taken")
    assert done.exit_code == 3
    assert "taken/template.yaml is there, and lambdalint did not write it" in done.output
    bench.holds({"template.yaml": "", "Orders.json": json.dumps(yaml.safe_load(FUNCTION))})
    done = bench.package(EMIT)
    assert done.exit_code == 3
    assert "is the place of a package" in done.output
    assert "entries" in bench.manifest("Orders")


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ("{<<: *common, Handler: app.handler}", "Orders.zip"),
        ("*all", None),
    ],
)
def test_what_is_shared_by_an_anchor_is_changed_for_one_or_not_at_all(
    bench: Bench, properties: str, code: str | None
) -> None:
    common = "{CodeUri: src/, Runtime: RUNTIME}"
    whole = "{CodeUri: src/, Runtime: RUNTIME, Handler: app.handler}"
    template = f"""\
x-common: &common {common}
x-all: &all {whole}
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {properties}
"""
    bench.holds({**ORDERS, "template.yaml": template})
    done = bench.package(EMIT)
    if code is None:
        assert done.exit_code == 3
        assert "cannot be changed without changing more" in done.output
        assert not (bench.folder / "dist/template.yaml").exists()
    else:
        assert done.exit_code == 0, done.output
        assert emitted(bench)["Resources"]["Orders"]["Properties"]["CodeUri"] == code


def test_one_template_for_two_stacks_names_one_package_or_none(bench: Bench) -> None:
    stack = """\
  {}:
    Type: AWS::Serverless::Application
    Properties: {{Location: api.yaml, Parameters: {{P: {}}}}}
"""
    api = "Parameters: {P: {Type: String}}\n" + FUNCTION.replace("src/", "!Ref P")
    bench.holds({**ORDERS, "api.yaml": api, "other/app.py": "def handler(event, context): ...\n"})
    root = bench.folder / "template.yaml"
    root.write_text("Resources:\n" + stack.format("One", "src") + stack.format("Two", "src"))
    done = bench.package(EMIT)
    assert done.exit_code == 0, done.output
    assert emitted(bench, "dist/api.yaml")["Resources"]["Orders"]["Properties"]["CodeUri"] == "One.Orders.zip"
    root.write_text("Resources:\n" + stack.format("One", "src") + stack.format("Two", "other"))
    done = bench.package(EMIT)
    assert done.exit_code == 3
    assert "declares One.Orders, Two.Orders, whose packages differ" in done.output


def test_one_template_that_two_others_nest_is_written_for_one_of_them(bench: Bench) -> None:
    root = "Resources:\n  {}:\n    Type: AWS::Serverless::Application\n    Properties: {{Location: api.yaml}}\n"
    bench.holds(
        {**ORDERS, "api.yaml": FUNCTION, "template.yaml": root.format("One"), "second.yaml": root.format("Two")}
    )
    done = bench.package(EMIT)
    assert done.exit_code == 3
    assert "api.yaml is nested by several templates, and its packages differ with them" in done.output
    assert bench.package(EMIT, "second.yaml", "--out", "second").exit_code == 0
    assert emitted(bench, "second/api.yaml")["Resources"]["Orders"]["Properties"]["CodeUri"] == "Two.Orders.zip"


def test_an_image_is_named_by_its_archive_or_by_its_digest(bench: Bench, base: str, registry: str) -> None:
    bench.holds({"template.yaml": IMAGE_FUNCTION, "src/Dockerfile": DOCKERFILE, **SOURCE})
    done = bench.package(EMIT, "--base", base, "--to", "docker-archive")
    assert done.exit_code == 0, done.output
    orders = emitted(bench)["Resources"]["Orders"]
    assert orders["Properties"]["ImageUri"] == "Orders.tar"
    assert orders["Metadata"] == {"DockerContext": "../src", "Dockerfile": "Dockerfile", "SkipBuild": True}
    assert bench.package(EMIT, "--base", base, "--to", f"{registry}/orders:1").exit_code == 0
    digest = bench.manifest("Orders")["sha256"]
    assert emitted(bench)["Resources"]["Orders"]["Properties"]["ImageUri"] == f"{registry}/orders@sha256:{digest}"
    done = bench.package(EMIT, "--base", base)
    assert done.exit_code == 3
    assert "Orders is a folder with an image, which nothing deploys from" in done.output
    done = bench.package(EMIT, "--kind", "zip")
    assert done.exit_code == 3
    assert "Orders is declared as an image and packaged as an archive" in done.output


TERRAFORM = """\
data "archive_file" "{name}" {{
  {many}
  type        = "zip"
  source_dir  = "${{path.module}}/{source}"
  output_path = "${{path.module}}/{source}.zip"
}}

resource "aws_lambda_function" "{name}" {{
  {many}
  function_name = "{name}"
  role          = "arn:aws:iam::123456789012:role/orders"
  handler       = "app.handler"
  runtime       = "RUNTIME"
  filename      = data.archive_file.{name}{key}.output_path
}}
"""
OVERRIDES = "lambdalint_override.tf.json"
LAYERS = "lambdalint_layers.tf.json"


def overridden(bench: Bench, folder: str = "") -> Any:
    return json.loads((bench.folder / folder / OVERRIDES).read_text())


def with_overrides(folder: Path) -> Mapping[str, str | None]:
    """The functions as Terraform has them once it merges the overrides, which a check leaves out by their name."""
    place = folder / OVERRIDES
    place.rename(folder / "any_override.tf.json")
    try:
        return functions()
    finally:
        (folder / "any_override.tf.json").rename(place)


def test_overrides_name_the_packages_of_terraform(bench: Bench) -> None:
    bench.holds(
        {
            "infra/main.tf": TERRAFORM.format(name="orders", source="../src", many="", key="")
            + """\
resource "aws_lambda_function" "stored" {
  function_name = "stored"
  role          = "arn:aws:iam::123456789012:role/orders"
  handler       = "app.handler"
  runtime       = "RUNTIME"
  s3_bucket     = aws_s3_object.stored.bucket
  s3_key        = aws_s3_object.stored.key
}

resource "aws_s3_object" "stored" {
  bucket = "code"
  key    = "stored"
  source = data.archive_file.orders.output_path
}

module "community" {
  source        = "terraform-aws-modules/lambda/aws"
  function_name = "community"
  handler       = "app.handler"
  runtime       = "RUNTIME"
  source_path   = "../src"
}
""",
            **SOURCE,
        }
    )
    for _ in "12":
        done = bench.package(EMIT)
        assert done.exit_code == 0, done.output
        assert f"emitted   infra/{OVERRIDES}" in done.output
    place = "${path.module}/../dist/aws_lambda_function.orders.zip"
    found = overridden(bench, "infra")
    orders, stored = (found["resource"]["aws_lambda_function"][name] for name in ("orders", "stored"))
    assert orders == {"filename": place, "source_code_hash": f'${{filebase64sha256("{place}")}}'}
    assert (stored["s3_bucket"], stored["s3_key"]) == (None, None)
    assert found["module"]["community"]["create_package"] is False
    assert functions() == dict.fromkeys(with_overrides(bench.folder / "infra"), "src")
    assert with_overrides(bench.folder / "infra") == {
        "aws_lambda_function.orders": "dist/aws_lambda_function.orders.zip",
        "aws_lambda_function.stored": "dist/aws_lambda_function.stored.zip",
        "module.community.aws_lambda_function.this[0]": "dist/module.community.aws_lambda_function.this-0.zip",
    }


@pytest.mark.parametrize(
    ("many", "key", "source", "places"),
    [
        ('for_each = toset(["a", "b"])', "each.key", "${each.key}", {'"a"': "-a", '"b"': "-b"}),
        (
            'for_each = { "$${x}" = "a", "%%{y}" = "b", "\\"" = "a" }',
            "each.key",
            "${each.value}",
            {'"${x}"': "-x", '"%{y}"': "-y", '"\\""': ""},
        ),
        ("count = 2", "count.index", '${["a", "b"][count.index]}', {"0": "-0", "1": "-1"}),
    ],
)
def test_each_instance_has_its_package(
    bench: Bench, many: str, key: str, source: str, places: Mapping[str, str]
) -> None:
    files = {f"{name}/app.py": f"def handler(event, context):\n    return '{name}'\n" for name in "ab"}
    text = TERRAFORM.format(name="many", source=source, many=many, key=f"[{key}]")
    bench.holds({"main.tf": text, **files})
    done = bench.package(EMIT)
    assert done.exit_code == 0, done.output
    assert with_overrides(bench.folder) == {
        f"aws_lambda_function.many[{each}]": f"dist/aws_lambda_function.many{end}.zip" for each, end in places.items()
    }


def test_each_call_of_the_communitys_module_has_its_package(bench: Bench) -> None:
    call = """\
module "many" {
  source        = "terraform-aws-modules/lambda/aws"
  for_each      = toset(["a", "b"])
  function_name = each.key
  handler       = "app.handler"
  runtime       = "RUNTIME"
  source_path   = each.key
  store_on_s3   = true
}
"""
    files = {f"{name}/app.py": f"def handler(event, context):\n    return '{name}'\n" for name in "ab"}
    bench.holds({"main.tf": call, **files})
    done = bench.package(EMIT)
    assert done.exit_code == 0, done.output
    assert overridden(bench)["module"]["many"]["store_on_s3"] is False
    assert with_overrides(bench.folder) == {
        f'module.many["{name}"].aws_lambda_function.this[0]': f"dist/module.many-{name}-.aws_lambda_function.this-0.zip"
        for name in "ab"
    }


def test_what_is_too_large_without_s3_is_not_taken_out_of_it(bench: Bench) -> None:
    stored = """\
resource "aws_s3_object" "large" {
  bucket = "code"
  key    = "large"
  source = data.archive_file.large.output_path
}
"""
    text = TERRAFORM.format(name="large", source="src", many="", key="")
    direct = "filename      = data.archive_file.large.output_path"
    via_s3 = "s3_bucket     = aws_s3_object.large.bucket\n  s3_key        = aws_s3_object.large.key"
    bench.holds({"main.tf": text.replace(direct, via_s3) + stored, **SOURCE})
    (bench.folder / "src" / "large.bin").write_bytes(random.Random(0).randbytes(52 * 1024 * 1024))
    done = bench.package(EMIT)
    assert done.exit_code == 3
    assert "aws_lambda_function.large.zip has 52.0 MB, and Lambda takes 50 MB without S3" in done.output
    assert not (bench.folder / OVERRIDES).exists()


def test_shared_layers_are_declared_beside_the_overrides(bench: Bench) -> None:
    bench.index.add(wheel("large", "1", files={"large.py": f"text = {'0123456789abcdef' * 80_000!r}\n"}))
    own = """\
resource "aws_lambda_layer_version" "own" {
  layer_name          = "own"
  filename            = data.archive_file.layer.output_path
  compatible_runtimes = ["RUNTIME"]
}

data "archive_file" "layer" {
  type        = "zip"
  source_dir  = "${path.module}/layer"
  output_path = "${path.module}/layer.zip"
}
"""
    with_own = 'runtime       = "RUNTIME"\n  layers        = [aws_lambda_layer_version.own.arn]  # ours'
    second = TERRAFORM.format(name="b", source="b", many="", key="").replace('runtime       = "RUNTIME"', with_own)
    code = "import large\n\n\ndef handler(event, context):\n    return large.text\n"
    files = {f"{name}/app.py": code for name in "ab"} | {f"{name}/requirements.txt": "large\n" for name in "ab"}
    first = TERRAFORM.format(name="a", source="a", many="", key="")
    bench.holds({"main.tf": first + second + own, "layer/python/ours.py": "x = 1\n", **files})
    done = bench.package(EMIT, "--layers", "shared")
    assert done.exit_code == 0, done.output
    (layer,) = (bench.folder / "dist").glob("shared-*.zip")
    declared = json.loads((bench.folder / LAYERS).read_text())["resource"]["aws_lambda_layer_version"]
    ((name, arguments),) = declared.items()
    assert arguments["filename"] == f"${{path.module}}/dist/{layer.name}"
    found = overridden(bench)["resource"]["aws_lambda_function"]
    arn = f"aws_lambda_layer_version.{name}.arn"
    assert found["a"]["layers"] == f"${{[{arn}]}}"
    assert found["b"]["layers"] == f"${{concat([aws_lambda_layer_version.own.arn], [{arn}])}}"
    (bench.folder / LAYERS).rename(bench.folder / "more.tf.json")
    (bench.folder / OVERRIDES).rename(bench.folder / "any_override.tf.json")
    result = lambdalint.check([Path()], cache=False)
    sizes = [each.artifact_bytes for each in result.functions]
    assert all(size is not None and size > 80_000 * 16 for size in sizes)
    (bench.folder / "more.tf.json").rename(bench.folder / LAYERS)
    (bench.folder / "any_override.tf.json").unlink()
    assert bench.package(EMIT).exit_code == 0
    assert [*json.loads((bench.folder / LAYERS).read_text())] == ["//"]


def test_a_module_that_is_called_twice_cannot_say_two_packages(bench: Bench) -> None:
    calls = "".join(f'module "{name}" {{\n  source = "./fn"\n  code = "{name}"\n}}\n' for name in "ab")
    inner = 'variable "code" {}\n' + TERRAFORM.format(name="own", source="../${var.code}", many="", key="")
    files = {f"{name}/app.py": f"def handler(event, context):\n    return '{name}'\n" for name in "ab"}
    bench.holds({"main.tf": calls, "fn/main.tf": inner, **files})
    done = bench.package(EMIT)
    assert done.exit_code == 3
    assert "whose packages differ: an override names one" in done.output
    assert not (bench.folder / "fn" / OVERRIDES).exists()
    (bench.folder / "b/app.py").write_text(files["a/app.py"])
    done = bench.package(EMIT)
    assert done.exit_code == 0, done.output
    assert "resource" in overridden(bench, "fn")


SERVICE = """\
service: orders
plugins:
  - serverless-offline
  - serverless-python-requirements
provider: {name: aws, runtime: RUNTIME}
functions:
  orders:
    handler: src/app.handler  # the first
    package:
      patterns: ["!**", "src/**"]
  second: {handler: src/app.handler}
layers:
  shared:
    path: layer
    compatibleRuntimes: [RUNTIME]
"""


def test_a_service_names_the_packages_and_installs_nothing_into_them(bench: Bench) -> None:
    bench.holds({"serverless.yml": SERVICE, **SOURCE, "layer/requirements.txt": "native\n"})
    for _ in "12":
        done = bench.package(EMIT)
        assert done.exit_code == 0, done.output
        assert "emitted   serverless.lambdalint.yml" in done.output
    assert not [name for name in bench.archived("orders") if name.startswith("serverless")]
    expected = yaml.safe_load((bench.folder / "serverless.yml").read_text())
    expected["plugins"] = ["serverless-offline"]
    expected["functions"]["orders"]["package"]["artifact"] = "dist/orders.zip"
    expected["functions"]["second"]["package"] = {"artifact": "dist/second.zip"}
    expected["layers"]["shared"]["package"] = {"artifact": "dist/SharedLambdaLayer.zip"}
    assert yaml.safe_load((bench.folder / "serverless.lambdalint.yml").read_text()) == expected
    assert functions() == {"orders": "", "second": ""}
    assert functions("serverless.lambdalint.yml") == {"orders": "dist/orders.zip", "second": "dist/second.zip"}


def test_a_layer_that_a_plugin_would_make_is_an_error(bench: Bench) -> None:
    layer = "provider:\n  name: aws\n  runtime: RUNTIME\n  layers: [!Ref PythonRequirementsLambdaLayer]\n"
    service = SERVICE.replace("provider: {name: aws, runtime: RUNTIME}\n", layer).partition("layers:\n  shared")[0]
    bench.holds({"serverless.yml": service, **SOURCE})
    done = bench.package(EMIT)
    assert done.exit_code == 3
    assert "has functions with PythonRequirementsLambdaLayer" in done.output


def test_a_service_that_takes_its_functions_from_elsewhere_is_left_alone(bench: Bench) -> None:
    service = SERVICE.partition("functions:")[0] + "functions: ${file(functions.yml)}\n"
    bench.holds({"serverless.yml": service, "functions.yml": "orders: {handler: src/app.handler}\n", **SOURCE})
    done = bench.package(EMIT)
    assert done.exit_code == 3
    assert "orders is declared in functions.yml, which serverless.yml takes in" in done.output


def test_what_the_cdk_makes_anew_is_said_in_words(bench: Bench) -> None:
    stack = {
        "Resources": {
            "Orders": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"S3Bucket": "assets", "S3Key": "0a.zip"},
                    "Handler": "app.handler",
                    "Runtime": "RUNTIME",
                    "Role": "arn:aws:iam::123456789012:role/orders",
                },
                "Metadata": {"aws:cdk:path": "App/Orders/Resource", "aws:asset:path": "asset.0a"},
            }
        }
    }
    properties = {"templateFile": "App.template.json"}
    artifact = {"type": "aws:cloudformation:stack", "environment": "aws://unknown/unknown", "properties": properties}
    bench.holds(
        {
            "cdk.out/manifest.json": json.dumps({"version": "36.0.0", "artifacts": {"App": artifact}}),
            "cdk.out/App.template.json": json.dumps(stack),
            "cdk.out/asset.0a/app.py": "def handler(event, context): ...\n",
        }
    )
    done = bench.package(EMIT)
    assert done.exit_code == 3
    assert "Code.from_asset('" in done.output


def test_the_configuration_can_ask_for_it(bench: Bench) -> None:
    bench.holds({**ORDERS, "lambdalint.toml": "[package]\nemit-template = true\n"})
    assert bench.package().exit_code == 0
    assert emitted(bench)["Resources"]["Orders"]["Properties"]["CodeUri"] == "Orders.zip"
    (bench.folder / "dist/template.yaml").unlink()
    assert bench.package("--no-emit-template").exit_code == 0
    assert not (bench.folder / "dist/template.yaml").exists()


def test_machines_are_told_what_was_emitted(bench: Bench) -> None:
    bench.holds(ORDERS)
    found = json.loads(bench.package(EMIT, "--output-format", "json").stdout)
    assert found["templates"] == [{"path": "dist/template.yaml", "state": "written", "notes": []}]
