"""What the configuration says to rules, and which sizes they hold against which limits."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import lambdalint
from lambdalint.config import Config
from lambdalint.errors import ConfigError, LambdalintError
from lambdalint.facts.sizes import UnpackedSizes
from lambdalint.model.artifact import ArtifactKind
from lambdalint.model.image import Image, ImageKind, ImageLayer
from lambdalint.rule import example_files
from lambdalint.testing import check_files, project_of
from lambdalint_rules.artifacts.foreign_account_layer import check as foreign_account_layer
from lambdalint_rules.artifacts.nearly_oversized import check as nearly_oversized
from lambdalint_rules.artifacts.oversized_function import check as oversized_function
from lambdalint_rules.artifacts.oversized_upload import check as oversized_upload
from lambdalint_rules.artifacts.public_layer import check as public_layer
from lambdalint_rules.artifacts.samples import archive, linux_library

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
"""


def found(folder: Path, files: dict[str, str | bytes], settings: str) -> list[tuple[str, str]]:
    """What is found in *files* with *settings*, as codes and messages."""
    for path, content in {**files, "lambdalint.toml": settings}.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    result = lambdalint.check([folder], cache=False)
    return [(each.code, each.message) for each in result.findings]


def test_layers_of_an_account_that_is_allowed_are_trusted(tmp_path: Path) -> None:
    files = example_files(foreign_account_layer.bad[0])
    assert found(tmp_path, files, 'select = ["LY005"]\n')
    assert not found(tmp_path, files, 'select = ["LY005"]\nallowed-layer-accounts = ["111122223333"]\n')


def test_a_layer_that_is_published_on_purpose_is_no_finding(tmp_path: Path) -> None:
    files = example_files(public_layer.bad[0])
    assert found(tmp_path, files, 'select = ["LY007"]\n')
    assert not found(tmp_path, files, 'select = ["LY007"]\npublished-layers = ["Deps"]\n')


@pytest.mark.parametrize("settings", ["allowed-layer-accounts = [111122223333]", 'allowed-layer-accounts = ["aws"]'])
def test_an_account_has_twelve_digits_in_quotes(tmp_path: Path, settings: str) -> None:
    (tmp_path / "lambdalint.toml").write_text(settings)
    with pytest.raises(ConfigError, match="allowed-layer-accounts must be"):
        Config.find([tmp_path])


def test_a_package_that_has_grown_by_more_than_it_may_is_found(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "template.yaml": TEMPLATE,
        "src/app.py": "def handler(event, context): ...\n",
        "src/rates.bin": bytes(12 * 1024 * 1024),
    }
    before = {"version": 1, "packages": [{"name": "Orders", "unpacked_bytes": 10 * 1024 * 1024}]}
    (tmp_path / "sizes.json").write_text(json.dumps(before))
    settings = 'select = ["LZ010"]\nsize-baseline = "sizes.json"\n'
    assert found(tmp_path, files, settings) == [
        ("LZ010", "Orders has grown by 2.0 MB to 12.0 MB, 20 % more than the baseline; 10 % are allowed: rates.bin 12")
    ]
    assert not found(tmp_path, files, f"{settings}max-growth = 0.25\n")


def test_a_baseline_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sizes.json").write_text("[]")
    with pytest.raises(LambdalintError, match=r"sizes\.json is no report of lambdalint package"):
        found(tmp_path, {"template.yaml": TEMPLATE}, 'size-baseline = "sizes.json"\n')


def test_an_image_that_is_nearly_too_large_is_found() -> None:
    files = {"template.yaml": TEMPLATE, "src/app.py": "def handler(event, context): ...\n"}
    project = project_of(files)
    [function] = project.functions

    def said(size: int) -> list[str]:
        layer = ImageLayer("sha256:0", "", 0, unpacked_bytes=size)
        image = Image("orders.tar", ImageKind.OCI, layers=(layer,), function=function.name)
        return [
            each.message
            for each in nearly_oversized.check(function, UnpackedSizes.of(function), replace(project, images=(image,)))
        ]

    assert said(9 * 1024**3) == ["9.0 of 10 GB are used"]
    assert not said(7 * 1024**3)
    assert not said(11 * 1024**3)  # oversized-image says it


def test_debug_information_is_named_where_bytes_are_short() -> None:
    library = linux_library(debug_bytes=3 * 1024 * 1024)
    files: dict[str, str | bytes] = {
        "template.yaml": TEMPLATE.replace("src/", "orders.zip"),
        "orders.zip": archive(
            {"app.py": b"handler = print\n", "fast.so": library, "rates.bin": bytes(210 * 1024 * 1024)}
        ),
    }
    [finding] = check_files(files, select=("LZ010",)).findings
    assert finding.message == "213 of 250 MB are used: rates.bin 210, fast.so 3; debug information: fast.so 3 MB"


def test_the_limits_of_archives_do_not_hold_for_the_part_of_an_image() -> None:
    project = project_of(dict(example_files(oversized_function.bad[0])))
    [function] = project.functions
    assert function.artifact is not None
    part = replace(function.artifact, kind=ArtifactKind.IMAGE, via_s3=False)
    packed = replace(function, artifact=part)
    assert list(oversized_function.check(function, UnpackedSizes.of(function)))
    assert not list(oversized_function.check(packed, UnpackedSizes.of(packed)))
    large = replace(part, entries=tuple(replace(each, packed_bytes=1 << 30) for each in part.entries))
    assert list(oversized_upload.check(replace(large, kind=ArtifactKind.ZIP), project))
    assert not list(oversized_upload.check(large, project))
