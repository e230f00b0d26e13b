"""What silences a finding, in every dialect: our own comments and metadata, and other tools'."""

import json
from typing import Any

import pytest

from lambdalint.engine.registry import Registry
from lambdalint.engine.result import Result
from lambdalint.rule import Function, Known, Problem, Problems, Severity, rule
from lambdalint.testing import check_files

COVERS = (
    "checkov:CKV_AWS_50",
    "trivy:AWS-0066",
    "tflint:aws_lambda_function_invalid_*",
    "kics:lambda_functions_without_x-ray_tracing",
    "cfn-lint:E3034",
    "cfn_nag:W89",
    "cdk-nag:LambdaTracing",
    "guard:LAMBDA_TRACING",
    "bandit:B113",
    "pylint:W3101",
    "semgrep:use-timeout",
)


@rule("XX001", "long-timeout", severity=Severity.ERROR, since="1", bad={}, good={}, covers=COVERS)
def long_timeout(function: Function) -> Problems:
    """A function may not take longer than an hour.

    Source: https://example.com/
    """
    match function.timeout_s:
        case Known(int() as seconds, span) if seconds > 900:
            yield Problem(span, f"{seconds} s")


REGISTRY = Registry.of([long_timeout])

YAML = """\
Resources:
  Jobs:
    Type: AWS::Lambda::Function
    Properties:
      Timeout: 901
      Handler: app.handler
      Runtime: python3.13
"""

HCL = """\
resource "aws_lambda_function" "jobs" {
  function_name = "jobs"
  handler       = "app.handler"
  runtime       = "python3.13"
  timeout       = 901
}
"""

SERVERLESS = """\
service: shop
provider:
  name: aws
  runtime: python3.13
functions:
  jobs:
    handler: app.handler
    timeout: 901
"""


def check(path: str, text: str) -> Result:
    """Check one template with the one rule."""
    return check_files({path: text}, registry=REGISTRY)


def codes(result: Result) -> list[str]:
    """The rules that found something, without what is said about code that is not there."""
    return [finding.name for finding in result.findings]


@pytest.mark.parametrize(
    ("path", "text", "line", "sign"),
    [
        ("template.yaml", YAML, "Timeout: 901", "#"),
        ("main.tf", HCL, "timeout       = 901", "#"),
        ("main.tf", HCL, "timeout       = 901", "//"),
        ("serverless.yml", SERVERLESS, "timeout: 901", "#"),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)
def test_a_comment_on_the_line_silences_and_an_idle_one_is_said(path: str, text: str, line: str, sign: str) -> None:
    assert codes(check(path, text)) == ["long-timeout"]
    silenced = check(path, text.replace(line, f"{line} {sign} lambdalint: ignore[long-timeout]"))
    assert (codes(silenced), silenced.summary.suppressed) == ([], 1)
    idle = line.replace("901", "60")
    assert codes(check(path, text.replace(line, f"{idle} {sign} lambdalint: ignore[long-timeout]"))) == [
        "unused-ignore"
    ]


def as_json(metadata: dict[str, Any], *, top: bool = False, timeout: int = 901) -> str:
    """The template in JSON, with metadata of the function or of the template."""
    resource: dict[str, Any] = {
        "Type": "AWS::Lambda::Function",
        "Properties": {"Timeout": timeout, "Handler": "app.handler", "Runtime": "python3.13"},
        **({} if top else {"Metadata": metadata}),
    }
    return json.dumps({**({"Metadata": metadata} if top else {}), "Resources": {"Jobs": resource}}, indent=1)


MANIFEST = json.dumps(
    {"artifacts": {"S": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "S.template.json"}}}}
)


@pytest.mark.parametrize("top", [False, True])
@pytest.mark.parametrize("folder", ["", "cdk.out/"])
def test_metadata_silences_in_json_and_an_idle_one_is_said(folder: str, top: bool) -> None:
    path = f"{folder}S.template.json"
    more = {"cdk.out/manifest.json": MANIFEST} if folder else {}
    ignore = {"lambdalint": {"ignore": ["long-timeout"]}}
    for timeout, expected in ((901, []), (60, ["unused-ignore"])):
        files = {**more, path: as_json(ignore, top=top, timeout=timeout)}
        assert codes(check_files(files, registry=REGISTRY)) == expected


@pytest.mark.parametrize(
    ("metadata", "silenced"),
    [
        ({"cfn-lint": {"config": {"ignore_checks": ["E3034"]}}}, True),
        ({"cfn-lint": {"config": {"ignore_checks": ["E30"]}}}, True),
        ({"cfn-lint": {"config": {"ignore_checks": ["W"]}}}, False),
        ({"cfn_nag": {"rules_to_suppress": [{"id": "W89", "reason": "fine"}]}}, True),
        ({"cdk_nag": {"rules_to_suppress": [{"id": "LambdaTracing", "reason": "fine"}]}}, True),
        ({"checkov": {"skip": [{"id": "CKV_AWS_50", "comment": "fine"}]}}, True),
        ({"checkov": {"skip": [{"id": "CKV_AWS_5"}]}}, False),
        ({"guard": {"SuppressedRules": ["LAMBDA_TRACING"]}}, True),
    ],
)
@pytest.mark.parametrize("top", [False, True])
def test_metadata_of_other_tools_silences_what_covers_it(metadata: dict[str, Any], silenced: bool, top: bool) -> None:
    result = check("template.json", as_json(metadata, top=top))
    assert codes(result) == ([] if silenced else ["long-timeout"])
    assert result.summary.suppressed == silenced


def test_other_tools_count_only_where_the_configuration_lets_them() -> None:
    from datetime import date

    from lambdalint.engine.cache import Cache
    from lambdalint.engine.executors import Serial
    from lambdalint.engine.run import Options, run
    from lambdalint.readers.tree import MemoryTree

    text = YAML.replace("Timeout: 901", "Timeout: 901 # checkov:skip=CKV_AWS_50")
    options = Options(today=date(2026, 11, 22), honour_foreign_ignores=False)
    tree = MemoryTree({"template.yaml": text})
    result = run(tree, ("",), options, REGISTRY, cache=Cache(None), executor=Serial(), version="")
    assert codes(result) == ["long-timeout"]


@pytest.mark.parametrize(
    ("comment", "silenced"),
    [
        ("# checkov:skip=CKV_AWS_50", True),
        ("#checkov:skip=CKV_AWS_50: it may take long", True),
        ("# checkov:skip=CKV_AWS_51", False),
        ("#trivy:ignore:AVD-AWS-0066", True),
        ("#trivy:ignore:AWS-0066", True),
        ("#trivy:ignore:aws-lambda-enable-tracing", True),
        ("#tfsec:ignore:aws-sqs-enable-queue-encryption tfsec:ignore:aws-lambda-enable-tracing", True),
        ("#tfsec:ignore:aws-lambda-enable-tracing:exp:2030-01-02", True),
        ("# tflint-ignore: aws_lambda_function_invalid_memory_size", True),
        ("# tflint-ignore: aws_resource_missing_tags", False),
        ("# kics-scan ignore-line", True),
        ("# kics-scan ignore-block", True),
        ("# nosemgrep: python.requests.use-timeout", True),
    ],
)
@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize(
    ("path", "text", "line"), [("template.yaml", YAML, "      Timeout: 901"), ("main.tf", HCL, "  timeout       = 901")]
)
def test_comments_of_other_tools_silence_what_covers_them(
    path: str, text: str, line: str, comment: str, silenced: bool, above: bool
) -> None:
    indent = " " * (len(line) - len(line.lstrip()))
    commented = f"{indent}{comment}\n{line}" if above else f"{line} {comment}"
    assert codes(check(path, text.replace(line, commented))) == ([] if silenced else ["long-timeout"])


@pytest.mark.parametrize(
    ("comment", "silenced"),
    [
        ("#trivy:ignore:AVD-AWS-0066", True),
        ("# kics-scan ignore-block", True),
        ("# kics-scan ignore-line", False),
        ("# checkov:skip=CKV_AWS_50", False),
    ],
)
@pytest.mark.parametrize(
    ("path", "text", "line"),
    [("template.yaml", YAML, "  Jobs:"), ("main.tf", HCL, 'resource "aws_lambda_function" "jobs" {')],
)
def test_comments_above_a_block_are_about_all_of_it(
    path: str, text: str, line: str, comment: str, silenced: bool
) -> None:
    indent = " " * (len(line) - len(line.lstrip()))
    between = f"{indent}{comment}\n{indent}# and more\n{line}"
    assert codes(check(path, text.replace(line, between))) == ([] if silenced else ["long-timeout"])


@pytest.mark.parametrize("comment", ["# tflint-ignore-file: aws_lambda_function_invalid_timeout", "# kics-scan ignore"])
def test_a_comment_for_the_file_is_about_all_of_it(comment: str) -> None:
    assert codes(check("main.tf", f"{comment}\n{HCL}")) == []


def test_an_address_is_no_comment() -> None:
    text = HCL.replace('"jobs"\n', '"https://x//lambdalint: ignore"\n')
    assert codes(check("main.tf", text)) == ["long-timeout"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("main.tf", "locals {\n  seconds = 901\n}\n\n" + HCL.replace("901", "local.seconds # checkov:skip=CKV_AWS_50")),
        (
            "serverless.yml",
            "custom:\n  seconds: 901\n"
            + SERVERLESS.replace("timeout: 901", "# checkov:skip=CKV_AWS_50\n    timeout: ${self:custom.seconds}"),
        ),
    ],
)
def test_a_skip_inside_the_function_counts_for_what_stands_elsewhere(path: str, text: str) -> None:
    assert codes(check(path, text.replace("checkov:skip", "checkov"))) == ["long-timeout"]
    assert codes(check(path, text)) == []
