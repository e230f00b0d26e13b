"""Layers that a project declares, in every language of templates, and those that its functions come to share."""

import json
import marshal
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lambdalint.cli import main
from lambdalint.packager.bytecode import bytecode_path, interpreter
from lambdalint_rules.artifacts.samples import linux_library
from tests.fake_index import FakeIndex, wheel

HERE = f"python3.{sys.version_info[1]}"
TAG = HERE.replace(".", "")
LARGE = "x = " + repr("0123456789abcdef" * 65536) + "\n"
FUNCTION = """\
  NAME:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: FOLDER/
      Handler: app.handler
      Runtime: RUNTIME
"""
HEAD = "Transform: AWS::Serverless-2016-10-31\nResources:\n"
APP = "import helper\n\n\ndef handler(event, context):\n    return helper.version\n"


@dataclass
class Bench:
    """A project and the index that it is built from."""

    folder: Path
    index: FakeIndex

    def holds(self, files: Mapping[str, str]) -> "Bench":
        for path, text in files.items():
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text.replace("RUNTIME", HERE))
        return self

    def has(self, functions: Mapping[str, str], more: str = "") -> "Bench":
        """Functions by name, each with the distributions that it requires and imports; *more* goes to the template."""
        template = HEAD
        for name, required in functions.items():
            template += FUNCTION.replace("NAME", name).replace("FOLDER", name.lower())
            imports = "".join(f"import {each}\n" for each in required.split())
            self.holds(
                {
                    f"{name.lower()}/app.py": f"{imports}\n\ndef handler(event, context):\n    return 1\n",
                    f"{name.lower()}/requirements.txt": "\n".join(required.split()) + "\n",
                }
            )
        return self.holds({"template.yaml": template + more})

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    def shared(self, *arguments: str) -> Result:
        return self.run("package", "--layers", "shared", *arguments)

    def manifest(self, name: str) -> dict[str, object]:
        document: dict[str, object] = json.loads((self.folder / "dist" / f"{name}.json").read_text())
        return document

    def archived(self, name: str) -> list[str]:
        with zipfile.ZipFile(self.folder / "dist" / f"{name}.zip") as archive:
            return [path for path in archive.namelist() if "__pycache__" not in path and ".dist-info/" not in path]

    def layers(self) -> set[str]:
        return {path.stem for path in (self.folder / "dist").glob("shared-*.zip")}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("LAMBDALINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with FakeIndex() as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        index.add(
            wheel("helper", "2", files={"helper/__init__.py": "version = '2'\n", "helper/data.txt": "x" * 4000}),
            wheel("large", "1", files={"large/__init__.py": LARGE, "large/more.py": "y = 1\n"}),
            wheel("other", "1", files={"other.py": LARGE}),
            wheel("small", "1", files={"small.py": "z = 1\n"}),
            wheel("part-one", "1", files={"both/__init__.py": "", "both/one.py": LARGE}),
            wheel("part-two", "1", files={"both/two.py": ""}),
        )
        yield Bench(folder, index)


CLOUDFORMATION = """\
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Code: src/
      Handler: app.handler
      Runtime: RUNTIME
      Role: arn:aws:iam::111122223333:role/orders
      Layers: [!Ref Deps]
  Deps:
    Type: AWS::Lambda::LayerVersion
    Properties:
      Content: layer/
      CompatibleRuntimes: [RUNTIME]
"""
TERRAFORM = """\
data "archive_file" "layer" {
  type        = "zip"
  source_dir  = "${path.module}/layer"
  output_path = "${path.module}/build/layer.zip"
}
data "archive_file" "code" {
  type        = "zip"
  source_dir  = "${path.module}/src"
  output_path = "${path.module}/build/code.zip"
}
resource "aws_lambda_layer_version" "deps" {
  layer_name          = "deps"
  filename            = data.archive_file.layer.output_path
  compatible_runtimes = ["RUNTIME"]
}
resource "aws_lambda_function" "orders" {
  function_name = "orders"
  role          = "arn:aws:iam::111122223333:role/orders"
  filename      = data.archive_file.code.output_path
  handler       = "app.handler"
  runtime       = "RUNTIME"
  layers        = [aws_lambda_layer_version.deps.arn]
}
"""
MODULE = """\
module "layer" {
  source              = "terraform-aws-modules/lambda/aws"
  create_layer        = true
  layer_name          = "deps"
  compatible_runtimes = ["RUNTIME"]
  runtime             = "RUNTIME"
  source_path         = SOURCE
}
module "orders" {
  source        = "terraform-aws-modules/lambda/aws"
  function_name = "orders"
  handler       = "app.handler"
  runtime       = "RUNTIME"
  source_path   = "${path.module}/src"
  layers        = [module.layer.lambda_layer_arn]
}
"""
SERVERLESS = """\
service: shop
provider: {name: aws, runtime: RUNTIME}
functions:
  orders:
    handler: src/app.handler
    layers: [!Ref DepsLambdaLayer]
layers:
  deps:
    path: layer
    compatibleRuntimes: [RUNTIME]
"""


def asset(property_: str, path: str, more: Mapping[str, object]) -> dict[str, object]:
    """A resource with an asset as CDK writes it."""
    kind = "Function" if property_ == "Code" else "LayerVersion"
    return {
        "Type": f"AWS::Lambda::{kind}",
        "Properties": {property_: {"S3Bucket": "assets", "S3Key": f"{path}.zip"}, **more},
        "Metadata": {
            "aws:cdk:path": f"Shop/{kind}/Resource",
            "aws:asset:path": path,
            "aws:asset:is-bundled": False,
            "aws:asset:property": property_,
        },
    }


CDK = {
    "cdk.out/manifest.json": json.dumps(
        {
            "version": "36.0.0",
            "artifacts": {
                "Shop": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Shop.template.json"}}
            },
        }
    ),
    "cdk.out/Shop.template.json": json.dumps(
        {
            "Resources": {
                "Orders": asset(
                    "Code",
                    "src",
                    {
                        "Handler": "app.handler",
                        "Runtime": "RUNTIME",
                        "Role": "arn:aws:iam::111122223333:role/orders",
                        "Layers": [{"Ref": "Deps"}],
                    },
                ),
                "Deps": asset("Content", "layer", {"CompatibleRuntimes": ["RUNTIME"]}),
            }
        }
    ),
}
PREFIXED = '[{ path = "${path.module}/layer", pip_requirements = true, prefix_in_zip = "python" }]'


@pytest.mark.parametrize(
    ("files", "base", "layer"),
    [
        ({"template.yaml": CLOUDFORMATION}, "", "Deps"),
        ({"main.tf": TERRAFORM}, "", "aws_lambda_layer_version.deps"),
        (
            {"main.tf": MODULE.replace("SOURCE", '"${path.module}/layer"')},
            "",
            "module.layer.aws_lambda_layer_version.this-0",
        ),
        ({"main.tf": MODULE.replace("SOURCE", PREFIXED)}, "", "module.layer.aws_lambda_layer_version.this-0"),
        ({"serverless.yml": SERVERLESS}, "", "DepsLambdaLayer"),
        (CDK, "cdk.out/", "Shop-LayerVersion"),
    ],
    ids=["CloudFormation", "Terraform", "module", "module with a prefix", "Serverless", "CDK"],
)
def test_a_layer_with_requirements_is_built_in_every_language(
    bench: Bench, files: Mapping[str, str], base: str, layer: str
) -> None:
    bench.holds({**files, f"{base}src/app.py": APP, f"{base}layer/requirements.txt": "helper\n"})
    done = bench.run("package")
    assert done.exit_code == 0, done.output
    assert "2 packaged" in done.output
    assert "warning" not in done.output
    assert bench.archived(layer) == ["python/helper/__init__.py", "python/helper/data.txt"]
    checked = bench.run("check", ".")
    assert checked.exit_code == 0, checked.output


def test_a_layer_with_an_error_is_not_written(bench: Bench) -> None:
    bench.holds({"template.yaml": CLOUDFORMATION, "src/app.py": "handler = print\n", "layer/python/empty.py": ""})
    done = bench.run("package")
    assert done.exit_code == 1
    assert "refused   Deps" in done.output
    assert not (bench.folder / "dist/Deps.zip").exists()


def test_files_that_a_module_puts_into_a_folder_of_the_layer_lie_there(bench: Bench) -> None:
    source = '[{ path = "${path.module}/layer", prefix_in_zip = "python" }]'
    bench.holds({"main.tf": MODULE.replace("SOURCE", source), "src/app.py": APP, "layer/helper.py": "version = 1\n"})
    done = bench.run("package")
    assert done.exit_code == 0, done.output
    assert bench.archived("module.layer.aws_lambda_layer_version.this-0") == ["python/helper.py"]
    assert "bytecode" not in done.output
    assert bench.run("check", ".").exit_code == 0


def test_what_functions_need_alike_lies_in_layers(bench: Bench) -> None:
    bench.has({"One": "large other small", "Two": "large other small", "Three": "large small", "Four": "helper"})
    assert bench.run("package", "--out", "own").exit_code == 0
    done = bench.shared()
    assert done.exit_code == 0, done.output
    assert "warning" not in done.output
    both, all_ = f"shared-other-{TAG}-x86_64", f"shared-large-{TAG}-x86_64"
    assert bench.layers() == {both, all_}
    assert bench.archived(all_) == ["python/large/__init__.py", "python/large/more.py", "python/small.py"]
    assert bench.archived(both) == ["python/other.py"]
    assert bench.archived("One") == ["app.py"]
    assert "helper/__init__.py" in bench.archived("Four")
    assert f"zipped: attach arn:aws:lambda:REGION:ACCOUNT:layer:{all_}:VERSION to them" in done.output
    assert "One, Three and Two are " in done.output
    assert (bench.folder / "dist/Four.zip").read_bytes() == (bench.folder / "own/Four.zip").read_bytes()
    assert bench.manifest(all_)["kind"] == "layer"
    assert [each["name"] for each in bench.manifest(all_)["distributions"]] == ["large", "small"]  # type: ignore[attr-defined]
    assert bench.manifest("One")["distributions"] == []


def test_a_function_starts_with_its_shared_layers(bench: Bench) -> None:
    bench.has({"One": "large small", "Two": "large small"})
    assert bench.shared().exit_code == 0
    layer = f"dist/shared-large-{TAG}-x86_64.zip"
    done = bench.run("boot", "dist/One.zip", "--layer", layer, "--no-cache")
    assert done.exit_code == 0, done.output
    by = interpreter(sys.version_info[:2], {})
    assert by is not None
    with zipfile.ZipFile(layer) as archive:
        code = marshal.loads(archive.read(f"python/{bytecode_path('large/__init__.py', by)}")[16:])
    assert code.co_filename == "/opt/python/large/__init__.py"


def test_a_layer_has_the_bytecode_that_any_of_its_functions_starts_with(bench: Bench) -> None:
    bench.has({"One": "large", "Two": "large"})
    bench.holds({"two/app.py": "import large.more\n\n\ndef handler(event, context):\n    return 1\n"})
    assert bench.shared().exit_code == 0
    with zipfile.ZipFile(f"dist/shared-large-{TAG}-x86_64.zip") as archive:
        assert sum(path.endswith(".pyc") for path in archive.namelist()) == 2


def test_the_order_of_functions_does_not_show(bench: Bench) -> None:
    bench.has({"One": "large other", "Two": "large other", "Three": "large"})
    assert bench.shared().exit_code == 0
    before = {path.name: path.read_bytes() for path in (bench.folder / "dist").iterdir()}
    bench.has({"Three": "large", "Two": "large other", "One": "large other"})
    assert bench.shared().exit_code == 0
    after = {path.name: path.read_bytes() for path in (bench.folder / "dist").iterdir()}
    assert before == after


def test_what_saves_next_to_nothing_is_in_no_layer(bench: Bench) -> None:
    bench.has({"One": "small", "Two": "small"})
    assert bench.shared().exit_code == 0
    assert bench.layers() == set()


def test_functions_of_different_machines_share_nothing(bench: Bench) -> None:
    bench.has({"One": "large", "Two": "large"}, "      Architectures: [arm64]\n")
    assert bench.shared().exit_code == 0
    assert bench.layers() == set()


def test_packages_that_are_one_package_to_python_stay_together(bench: Bench) -> None:
    bench.has({"One": "part-one", "Two": "part-one part-two"})
    bench.holds({"one/app.py": "import both.one\n\n\ndef handler(event, context): ...\n"})
    bench.holds({"two/app.py": "import both.one, both.two\n\n\ndef handler(event, context): ...\n"})
    assert bench.shared().exit_code == 0
    assert bench.layers() == set()


@pytest.mark.parametrize("own", ["large.py", "large/__init__.py", "large/mine.py"])
def test_what_the_project_adds_to_stays_in_the_function(bench: Bench, own: str) -> None:
    bench.has({"One": "large other", "Two": "large other"})
    bench.holds({f"one/{own}": "x = 1\n"})
    bench.shared()
    assert bench.layers() == {f"shared-other-{TAG}-x86_64"}
    assert "large/more.py" in bench.archived("One")


def test_a_handler_in_a_distribution_stays_in_the_function(bench: Bench) -> None:
    bench.has({"One": "large other", "Two": "large other"})
    template = (bench.folder / "template.yaml").read_text()
    bench.holds({"template.yaml": template.replace("app.handler", "large.x", 1)})
    bench.shared()
    assert bench.layers() == {f"shared-other-{TAG}-x86_64"}


def test_functions_with_layers_that_nobody_knows_keep_what_they_need(bench: Bench) -> None:
    arn = "arn:aws:lambda:eu-central-1:111122223333:layer:tools:3"
    bench.has({"One": "large", "Three": "large", "Two": "large"}, f"      Layers: [{arn}]\n")
    done = bench.shared()
    assert "it shares no layers: nobody knows what its other layers hold" in done.output
    assert "large/more.py" in bench.archived("Two")
    assert "One and Three are " in done.output


def test_what_a_declared_layer_has_is_not_moved_into_another(bench: Bench) -> None:
    layer = (
        "      Layers: [!Ref Deps]\n  Deps:\n    Type: AWS::Serverless::LayerVersion\n    Properties:\n"
        "      ContentUri: layer/\n      CompatibleRuntimes: [RUNTIME]\n"
    )
    bench.has({"One": "large other", "Two": "large other"}, layer).holds({"layer/requirements.txt": "large\n"})
    assert bench.shared("--function", "One", "--function", "Two").exit_code == 0
    assert bench.layers() == {f"shared-other-{TAG}-x86_64"}


def test_a_function_with_five_layers_gets_no_more(bench: Bench) -> None:
    names = [f"L{number}" for number in range(5)]
    more = f"      Layers: [{', '.join(f'!Ref {name}' for name in names)}]\n"
    for name in names:
        more += f"  {name}:\n    Type: AWS::Serverless::LayerVersion\n    Properties: {{ContentUri: {name}/}}\n"
        bench.holds({f"{name}/python/{name.lower()}.py": "x = 1\n"})
    bench.has({"One": "large", "Two": "large"}, more)
    done = bench.shared()
    assert done.exit_code == 0, done.output
    assert bench.layers() == set()


def test_of_a_subset_only_that_shares(bench: Bench) -> None:
    bench.has({"One": "large", "Two": "large", "Three": "large"})
    done = bench.shared("--function", "One", "--function", "Three")
    assert "One and Three are " in done.output
    assert not (bench.folder / "dist/Two.zip").exists()


def test_the_configuration_can_say_it_for_good(bench: Bench) -> None:
    bench.has({"One": "large", "Two": "large"})
    bench.holds({"pyproject.toml": '[tool.lambdalint.package]\nlayers = "shared"\n'})
    assert "2 packaged" not in bench.run("package").output
    assert bench.layers() == {f"shared-large-{TAG}-x86_64"}
    assert bench.run("package", "--layers", "own", "--out", "again").output.count("packaged  ") == 2


def test_a_template_that_is_emitted_has_the_shared_layers(bench: Bench) -> None:
    bench.has({"One": "large other", "Two": "large", "Three": "helper"})
    done = bench.shared("--emit-template")
    assert done.exit_code == 0, done.output
    assert "One and Two are " in done.output
    assert "arn:" not in done.output
    template = bench.folder / "dist/template.yaml"
    assert template.read_text().count("shared-large") == 1
    assert template.read_text().count("Ref") == 2
    checked = bench.run("check", "dist/template.yaml")
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize("kind", ["dir", "layer", "image"])
def test_what_has_no_layers_is_refused(bench: Bench, kind: str) -> None:
    bench.has({"One": "large", "Two": "large"})
    done = CliRunner().invoke(main, ["package", "--layers", "shared", "--kind", kind])
    assert done.exit_code == 2
    assert "hint: leave out" in done.output


def test_a_library_stays_with_what_is_linked_with_it(bench: Bench) -> None:
    linked = linux_library(needed=("libbase.so.1",), search="$ORIGIN/../base")
    bench.index.add(
        wheel("base", "1", files={"base/__init__.py": "x = 1\n", "base/libbase.so.1": linux_library()}),
        wheel("user", "1", files={"user/__init__.py": LARGE, "user/_native.so": linked}),
    )
    bench.has({"One": "user base other", "Two": "user base other"})
    assert bench.shared().exit_code == 0
    (layer,) = bench.layers()
    assert {"python/base/libbase.so.1", "python/user/_native.so"} <= set(bench.archived(layer))
    bench.holds({"one/base/__init__.py": "x = 2\n"})
    bench.shared("--out", "again")
    with zipfile.ZipFile(bench.folder / "again/One.zip") as archive:
        assert {"base/libbase.so.1", "user/_native.so"} <= set(archive.namelist())


def test_a_package_without_an_init_may_lie_in_both_places(bench: Bench) -> None:
    bench.index.add(
        wheel("space-one", "1", files={"space/one.py": LARGE}),
        wheel("space-two", "1", files={"space/two.py": "y = 2\n"}),
    )
    bench.has({"One": "space-one", "Two": "space-one space-two"})
    bench.holds({"one/app.py": "import space.one\n\n\ndef handler(event, context):\n    return 1\n"})
    bench.holds({"two/app.py": "import space.one, space.two\n\n\ndef handler(event, context):\n    return 1\n"})
    assert bench.shared().exit_code == 0
    (layer,) = bench.layers()
    assert "space/two.py" in bench.archived("Two")
    done = bench.run("boot", "dist/Two.zip", "--layer", f"dist/{layer}.zip", "--no-cache")
    assert done.exit_code == 0, done.output


def test_the_report_says_for_whom_a_layer_is(bench: Bench) -> None:
    bench.has({"One": "large", "Two": "large"})
    document = json.loads(bench.shared("--output-format", "json").stdout)
    functions = {each["name"]: each["functions"] for each in document["packages"]}
    assert functions == {"One": [], "Two": [], f"shared-large-{TAG}-x86_64": ["One", "Two"]}
