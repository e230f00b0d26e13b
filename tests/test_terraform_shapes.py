import json
import re
from collections.abc import Mapping
from textwrap import dedent
from typing import Any

import pytest

from lambdalint.aws.tables import table
from lambdalint.aws.terraform import community_module, shape, terraform_attribute
from lambdalint.join.artifacts import function_artifact
from lambdalint.join.cloudformation import Declared
from lambdalint.join.discover import discover
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.terraform import declare_terraform
from lambdalint.model.function import Code, CodeKind, Function, TriggerKind
from lambdalint.model.network import Network, RouteTarget, Subnet
from lambdalint.model.places import Span
from lambdalint.model.role import Role
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Reference, Unknown
from lambdalint.readers.tree import MemoryTree, Mounted
from lambdalint.testing import check_files, project_of

FUNCTION = """\
resource "aws_lambda_function" "orders" {
  function_name = "orders"
  role          = "arn:aws:iam::123456789012:role/orders"
  filename      = "orders.zip"
  handler       = "app.handler"
  runtime       = "python3.13"
  %s
}
"""


def declared(text: str | Mapping[str, str | bytes], **files: str) -> Declared:
    given = {"main.tf": text} if isinstance(text, str) else dict(text)
    said = Said()
    (found,) = declare_terraform(Mounted(MemoryTree({**given, **files})), "", Inputs(), said)
    assert not said.failures, said.failures[0].message
    return found


def resources(text: str) -> Mapping[str, Resource]:
    return declared(dedent(text)).template.resources


def function(settings: str = "", more: str = "", files: Mapping[str, str | bytes] | None = None) -> Function:
    found = declared({"main.tf": FUNCTION % settings + more, **(files or {})})
    return next(each for each in found.functions if each.name == "aws_lambda_function.orders")


def plain(value: Any) -> Any:
    if isinstance(value, Unknown):
        return value.refers
    if isinstance(value, Known):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


@pytest.mark.parametrize("name", table("terraform")["resource"])
def test_every_shape_has_a_source_and_a_type_of_cloudformation(name: str) -> None:
    row = table("terraform")["resource"][name]
    assert row["source"].startswith("https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["as_of"])
    known = shape(name)
    assert known is not None
    assert re.fullmatch(r"AWS::\w+::\w+(\.\w+)?", known.type)
    assert not known.ref & known.attributes.keys()
    paths = [argument.property for argument in known.arguments]
    assert len(set(paths)) == len(paths)
    for argument in known.arguments:
        assert (
            sum(part.endswith("[]") for part in argument.path) == sum(part.endswith("[]") for part in argument.property)
            or name == "aws_iot_topic_rule"
        ), argument


@pytest.mark.parametrize("module", table("terraform_modules")["module"], ids=lambda row: row["source"])
def test_every_output_of_a_community_module_is_of_a_resource_that_it_makes(module: Mapping[str, Any]) -> None:
    made = {each["address"].partition("[")[0] for each in module["resource"]}
    assert {target.rpartition(".")[0].partition("[")[0] for target in module["outputs"].values()} <= made
    for row in module["resource"]:
        known = shape(row["type"])
        assert known is not None
        arguments = {argument.path[0].removesuffix("[]") for argument in known.arguments}
        arguments |= {"filename", "publish", "tags", "qualifier", "hash_key", "range_key", "stream_enabled"}
        for path in (*row.get("same", ()), *row.get("arguments", {}).values(), *row.get("given", {})):
            assert path.partition(".")[0] in arguments, (row["address"], path)


def test_blocks_become_properties() -> None:
    found = function(
        """
        timeout                        = 30
        memory_size                    = 512
        architectures                  = ["arm64"]
        reserved_concurrent_executions = -1
        kms_key_arn                    = aws_kms_key.main.arn

        environment {
          variables = {
            TEXT   = "a"
            NUMBER = 3
            FLAG   = true
          }
        }

        ephemeral_storage {
          size = 1024
        }

        dead_letter_config {
          target_arn = aws_sqs_queue.dead.arn
        }

        file_system_config {
          arn              = aws_efs_access_point.files.arn
          local_mount_path = "/mnt/files"
        }

        snap_start {
          apply_on = "PublishedVersions"
        }
        """,
        """
        resource "aws_kms_key" "main" {}
        resource "aws_sqs_queue" "dead" {}
        resource "aws_efs_access_point" "files" {
          file_system_id = "fs-1"
        }
        """,
    )
    assert plain(found.timeout_s) == 30
    assert plain(found.memory_mb) == 512
    assert plain(found.ephemeral_mb) == 1024
    assert plain(found.architectures) == ["arm64"]
    assert plain(found.env) == {"TEXT": "a", "NUMBER": "3", "FLAG": "true"}
    assert found.file_mounts == ("/mnt/files",)
    properties = plain(found.resource.properties)
    assert properties["KmsKeyArn"] == Reference("aws_kms_key.main", "Arn")
    assert properties["DeadLetterConfig"] == {"TargetArn": Reference("aws_sqs_queue.dead", "Arn")}
    assert properties["FileSystemConfigs"] == [
        {"Arn": Reference("aws_efs_access_point.files", "Arn"), "LocalMountPath": "/mnt/files"}
    ]
    assert properties["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert "ReservedConcurrentExecutions" not in properties


def test_a_value_stands_where_it_is_stated() -> None:
    found = function("timeout = 30\n  environment {\n    variables = { A = 1 }\n  }")
    assert isinstance(found.timeout_s, Known)
    assert found.timeout_s.span.line == 7
    assert found.span.line == 1
    assert isinstance(found.env, Known)
    assert found.env.span.line == 9


def test_defaults_of_the_service_hold() -> None:
    found = function()
    assert isinstance(found.timeout_s, Known)
    assert (found.timeout_s.value, found.timeout_s.stated) == (3, False)
    assert plain(found.memory_mb) == 128


@pytest.mark.parametrize(
    ("kind", "attribute", "expected"),
    [
        ("aws_sqs_queue", "url", None),
        ("aws_sqs_queue", "id", None),
        ("aws_sqs_queue", "arn", "Arn"),
        ("aws_sqs_queue", "name", "QueueName"),
        ("aws_s3_bucket", "bucket", None),
        ("aws_s3_bucket", "arn", "Arn"),
        ("aws_sns_topic", "arn", None),
        ("aws_sns_topic", "name", "TopicName"),
        ("aws_dynamodb_table", "name", None),
        ("aws_dynamodb_table", "stream_arn", "StreamArn"),
        ("aws_kinesis_stream", "name", None),
        ("aws_kinesis_stream", "id", "Arn"),
        ("aws_secretsmanager_secret", "arn", None),
        ("aws_kms_key", "key_id", None),
        ("aws_subnet", "id", None),
        ("aws_db_instance", "address", "Endpoint.Address"),
        ("aws_sqs_queue", "owner", "owner"),
    ],
)
def test_attributes_become_those_of_ref_and_getatt(kind: str, attribute: str, expected: str | None) -> None:
    more = f'resource "{kind}" "it" {{}}\n'
    found = function(f"environment {{\n    variables = {{ V = {kind}.it.{attribute} }}\n  }}", more)
    assert plain(found.env) == {"V": Reference(f"{kind}.it", expected)}


def test_an_attribute_is_spelled_as_terraform_does() -> None:
    assert terraform_attribute("AWS::SQS::Queue", None) == "url"
    assert terraform_attribute("AWS::SQS::Queue", "Arn") == "arn"
    assert terraform_attribute("AWS::S3::Bucket", None) == "bucket"
    assert terraform_attribute("AWS::Made::Up", None) is None


def test_tags_of_the_provider_are_merged() -> None:
    found = function(
        'tags = { Stage = "test" }',
        """
        provider "aws" {
          default_tags {
            tags = { Team = "shop", Stage = "none" }
          }
        }
        """,
    )
    assert plain(found.resource.properties["Tags"]) == [
        {"Key": "Team", "Value": "shop"},
        {"Key": "Stage", "Value": "test"},
    ]


# Where the code is.

APP = "def handler(event, context): ...\n"


def code(text: str, files: Mapping[str, str | bytes]) -> Code | None:
    (found,) = declared({"main.tf": text, **files}).functions
    return found.code


def archived(source: str, output: str = "orders.zip") -> str:
    archive = f'data "archive_file" "code" {{\n  type = "zip"\n  output_path = "{output}"\n  {source}\n}}\n'
    return FUNCTION.replace('"orders.zip"', "data.archive_file.code.output_path") % "" + archive


@pytest.mark.parametrize(
    ("source", "kind", "path"),
    [
        ('source_dir = "src"', CodeKind.FOLDER, "src"),
        ('source_dir = "${path.module}/src/"', CodeKind.FOLDER, "src"),
        ('source_file = "${path.root}/src/app.py"', CodeKind.FILE, "src/app.py"),
        ('source_dir = "gone"', CodeKind.MISSING, "gone"),
        ('source_file = "src/gone.py"', CodeKind.MISSING, "src/gone.py"),
        ('source {\n content = file("src/app.py")\n filename = "app.py"\n}', CodeKind.FILE, "src/app.py"),
    ],
)
def test_an_archive_is_what_it_is_made_of(source: str, kind: CodeKind, path: str) -> None:
    found = code(archived(source), {"src/app.py": APP, "src/lib.py": ""})
    assert found is not None
    assert (found.kind, found.path, found.via_s3) == (kind, path, False)


@pytest.mark.parametrize("source", ['source_dir = "/src"', "source_dir = var.unset", 'source_dir = "../../src"'])
def test_an_archive_of_what_is_elsewhere_is_unknown(source: str) -> None:
    assert code(archived(source) + 'variable "unset" {}\n', {"src/app.py": APP}) is None


def test_a_literal_path_is_that_of_the_archive_which_writes_it() -> None:
    text = archived('source_dir = "src"').replace("data.archive_file.code.output_path", '"${path.module}/orders.zip"')
    found = code(text, {"src/app.py": APP, "orders.zip": b"an old one"})
    assert found is not None
    assert (found.kind, found.path) == (CodeKind.FOLDER, "src")


def test_an_archive_without_a_block_is_looked_at_itself() -> None:
    found = code(FUNCTION % "", {"orders.zip": b"PK"})
    assert found is not None
    assert (found.kind, found.path, found.via_s3) == (CodeKind.ZIP, "orders.zip", False)
    assert function().code == Code(CodeKind.MISSING, function().code.span, "orders.zip", via_s3=False)  # type: ignore[union-attr]


def test_code_in_a_bucket_is_found_where_the_object_comes_from() -> None:
    text = archived('source_dir = "src"').replace(
        "filename      = data.archive_file.code.output_path",
        "s3_bucket = aws_s3_object.code.bucket\n  s3_key = aws_s3_object.code.key",
    )
    uploaded = """
    resource "aws_s3_object" "code" {
      bucket = "artifacts"
      key    = "orders.zip"
      source = data.archive_file.code.output_path
    }
    """
    found = code(text + uploaded, {"src/app.py": APP})
    assert found is not None
    assert (found.kind, found.path, found.via_s3) == (CodeKind.FOLDER, "src", True)
    without = code(text + uploaded.replace("source = data.archive_file.code.output_path", 'source = "/x.zip"'), {})
    assert without is not None
    assert without.kind is CodeKind.REMOTE


def test_an_image_is_an_image() -> None:
    text = FUNCTION.replace('filename      = "orders.zip"', 'image_uri = "x.dkr.ecr/y"\n  package_type = "Image"') % ""
    (found,) = declared(text).functions
    assert found.image
    assert found.code is not None
    assert found.code.kind is CodeKind.IMAGE


WRITTEN = """\
source {
    filename = "%s"
    content  = <<-EOT
      import requests

      def handler(event, context):
          return requests.get(event["url"])
    EOT
  }
"""


@pytest.mark.parametrize("name", ["app.py", "lib/app.py"])
def test_sources_in_the_configuration_are_files_of_the_code(name: str) -> None:
    text = archived(WRITTEN % name).replace("app.handler", name.replace("/", ".").replace(".py", ".handler"))
    (finding,) = check_files({"main.tf": text}, select=("http-without-timeout",)).findings
    assert isinstance(finding.at, Span)
    line = next(number for number, each in enumerate(text.split("\n"), 1) if "requests.get" in each)
    assert (finding.path, finding.at.line) == (
        ("main.tf", line) if name == "app.py" else ("main.tf#data.archive_file.code/lib/app.py", 4)
    )


def test_files_left_out_of_an_archive_are_not_in_the_artifact() -> None:
    files: dict[str, str | bytes] = {
        "src/app.py": APP,
        "src/tests/data.bin": b"1",
        "src/tests/deep/data.bin": b"1",
        "src/notes.md": "",
        "src/lib/notes.md": "",
        "src/lib/x.py": "",
    }
    text = archived('source_dir = "src"\n  excludes = ["tests/**", "*.md", "lib/{x,y}.py"]')
    tree = Mounted(MemoryTree({"main.tf": text, **files}))
    (found,) = next(declare_terraform(tree, "", Inputs(), Said())).functions
    artifact = function_artifact(tree, found)
    assert artifact is not None
    assert [entry.path for entry in artifact.entries] == ["app.py", "lib/notes.md"]
    assert artifact.via_s3 is False


def test_what_is_left_out_may_be_unknown() -> None:
    tree = Mounted(
        MemoryTree(
            {"main.tf": archived('source_dir = "src"\n  excludes = var.it') + 'variable "it" {}\n', "src/app.py": APP}
        )
    )
    (found,) = next(declare_terraform(tree, "", Inputs(), Said())).functions
    assert found.code is not None
    assert found.code.kind is CodeKind.FOLDER
    assert function_artifact(tree, found) is None


# What is stated in several places.


def triggers(text: str) -> list[tuple[TriggerKind, str, int]]:
    found = declared(FUNCTION % "" + dedent(text))
    return [(each.kind, each.function, each.span.line) for each in found.triggers]


ORDERS = "aws_lambda_function.orders"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            """
            resource "aws_cloudwatch_event_rule" "r" {
              schedule_expression = "rate(1 day)"
            }
            resource "aws_cloudwatch_event_target" "t" { # here
              rule = aws_cloudwatch_event_rule.r.name
              arn  = aws_lambda_function.orders.arn
            }
            """,
            TriggerKind.SCHEDULE,
        ),
        (
            """
            resource "aws_cloudwatch_event_target" "t" { # here
              rule = "of somebody else"
              arn  = aws_lambda_function.orders.arn
            }
            """,
            TriggerKind.EVENTBRIDGE,
        ),
        (
            """
            resource "aws_s3_bucket" "b" {}
            resource "aws_s3_bucket_notification" "n" {
              bucket = aws_s3_bucket.b.bucket
              lambda_function { # here
                lambda_function_arn = aws_lambda_function.orders.arn
                events              = ["s3:ObjectCreated:*"]
              }
            }
            """,
            TriggerKind.S3,
        ),
        (
            """
            resource "aws_s3_bucket_notification" "n" {
              bucket = "of-somebody-else"
              lambda_function { # here
                lambda_function_arn = aws_lambda_function.orders.arn
                events              = ["s3:ObjectCreated:*"]
              }
            }
            """,
            TriggerKind.S3,
        ),
        (
            """
            resource "aws_lambda_alias" "live" {
              name             = "live"
              function_name    = aws_lambda_function.orders.function_name
              function_version = aws_lambda_function.orders.version
            }
            resource "aws_sns_topic" "t" {}
            resource "aws_sns_topic_subscription" "s" { # here
              topic_arn = aws_sns_topic.t.arn
              protocol  = "lambda"
              endpoint  = aws_lambda_alias.live.arn
            }
            """,
            TriggerKind.SNS,
        ),
        (
            """
            resource "aws_lb_target_group" "g" {
              target_type = "lambda"
            }
            resource "aws_lb_target_group_attachment" "a" { # here
              target_group_arn = aws_lb_target_group.g.arn
              target_id        = aws_lambda_function.orders.arn
            }
            """,
            TriggerKind.ALB,
        ),
        (
            """
            resource "aws_kinesis_stream" "s" {
              name = "s"
            }
            resource "aws_lambda_event_source_mapping" "m" { # here
              event_source_arn = aws_kinesis_stream.s.arn
              function_name    = aws_lambda_function.orders.arn
            }
            """,
            TriggerKind.KINESIS,
        ),
        (
            """
            resource "aws_lambda_function_url" "u" { # here
              function_name      = aws_lambda_function.orders.function_name
              authorization_type = "NONE"
            }
            """,
            TriggerKind.FUNCTION_URL,
        ),
        (
            """
            resource "aws_scheduler_schedule" "s" { # here
              schedule_expression = "rate(1 hour)"
              flexible_time_window {
                mode = "OFF"
              }
              target {
                arn      = aws_lambda_function.orders.arn
                role_arn = "arn:aws:iam::123456789012:role/scheduler"
              }
            }
            """,
            TriggerKind.SCHEDULE,
        ),
        (
            """
            resource "aws_cloudwatch_log_subscription_filter" "f" { # here
              name            = "f"
              log_group_name  = "g"
              filter_pattern  = ""
              destination_arn = aws_lambda_function.orders.arn
            }
            """,
            TriggerKind.LOGS,
        ),
        (
            """
            resource "aws_cognito_user_pool" "p" {
              name = "p"
              lambda_config {
                pre_sign_up = aws_lambda_function.orders.arn # here
              }
            }
            """,
            TriggerKind.COGNITO,
        ),
    ],
)
def test_what_invokes_a_function_is_found(text: str, kind: TriggerKind) -> None:
    line = next(number for number, each in enumerate((FUNCTION % "" + dedent(text)).split("\n"), 1) if "# here" in each)
    assert triggers(text) == [(kind, ORDERS, line)]


def test_an_integration_is_a_method_with_the_settings_of_both() -> None:
    text = """
    resource "aws_api_gateway_rest_api" "api" {
      name = "api"
    }
    resource "aws_api_gateway_method" "get" {
      rest_api_id   = aws_api_gateway_rest_api.api.id
      resource_id   = aws_api_gateway_rest_api.api.root_resource_id
      http_method   = "GET"
      authorization = "NONE"
    }
    resource "aws_api_gateway_integration" "get" {
      rest_api_id             = aws_api_gateway_rest_api.api.id
      resource_id             = aws_api_gateway_rest_api.api.root_resource_id
      http_method             = aws_api_gateway_method.get.http_method
      integration_http_method = "POST"
      type                    = "AWS"
      uri                     = aws_lambda_function.orders.invoke_arn
    }
    """
    found = declared(FUNCTION % "" + dedent(text))
    (trigger,) = found.triggers
    assert (trigger.kind, trigger.proxy, trigger.payload_version) == (TriggerKind.REST_API, False, "1.0")
    assert trigger.source is not None
    assert trigger.source.name == "aws_api_gateway_rest_api.api"
    method = found.template.resources["aws_api_gateway_integration.get"]
    assert plain(method.properties["AuthorizationType"]) == "NONE"
    assert plain(method.properties["HttpMethod"]) == "GET"
    assert found.template.resources["aws_api_gateway_method.get"].type == "aws_api_gateway_method"


def test_an_api_may_make_its_integration_itself() -> None:
    text = """
    resource "aws_apigatewayv2_api" "api" {
      name          = "api"
      protocol_type = "HTTP"
      target        = aws_lambda_function.orders.arn
    }
    """
    (trigger,) = declared(FUNCTION % "" + dedent(text)).triggers
    assert (trigger.kind, trigger.proxy, trigger.payload_version) == (TriggerKind.HTTP_API, True, None)


def test_an_integration_has_the_old_format_unless_it_says_so() -> None:
    text = """
    resource "aws_apigatewayv2_api" "api" {
      name          = "api"
      protocol_type = "HTTP"
    }
    resource "aws_apigatewayv2_integration" "i" {
      api_id           = aws_apigatewayv2_api.api.id
      integration_type = "AWS_PROXY"
      integration_uri  = aws_lambda_function.orders.invoke_arn
    }
    """
    (trigger,) = declared(FUNCTION % "" + dedent(text)).triggers
    assert trigger.payload_version == "1.0"


def test_a_role_has_the_policies_that_are_attached_to_it() -> None:
    found = resources(
        """
        data "aws_iam_policy_document" "trust" {
          statement {
            actions = ["sts:AssumeRole"]
            principals {
              type        = "Service"
              identifiers = ["lambda.amazonaws.com"]
            }
            condition {
              test     = "StringEquals"
              variable = "aws:SourceAccount"
              values   = ["123456789012"]
            }
          }
        }
        resource "aws_sqs_queue" "jobs" {}
        resource "aws_iam_role" "r" {
          assume_role_policy = data.aws_iam_policy_document.trust.json
        }
        resource "aws_iam_policy" "p" {
          policy = <<-EOT
            {"Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "${aws_sqs_queue.jobs.arn}"}}
          EOT
        }
        resource "aws_iam_role_policy" "i" {
          role   = aws_iam_role.r.id
          policy = jsonencode({ Statement = [{ Action = "*", Resource = "${aws_sqs_queue.jobs.arn}" }] })
        }
        resource "aws_iam_role_policy_attachment" "a" {
          role       = aws_iam_role.r.name
          policy_arn = aws_iam_policy.p.arn
        }
        """
    )
    role = plain(found["aws_iam_role.r"].properties)
    assert role["AssumeRolePolicyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["sts:AssumeRole"],
                "Principal": {"Service": ["lambda.amazonaws.com"]},
                "Condition": {"StringEquals": {"aws:SourceAccount": ["123456789012"]}},
            }
        ],
    }
    assert role["ManagedPolicyArns"] == [Reference("aws_iam_policy.p")]
    queue = Reference("aws_sqs_queue.jobs", "Arn")
    policy = plain(found["aws_iam_policy.p"].properties["PolicyDocument"])
    assert policy["Statement"] == {"Effect": "Allow", "Action": "sqs:*", "Resource": queue}
    inline = plain(found["aws_iam_role_policy.i"].properties)
    assert inline["PolicyDocument"]["Statement"][0]["Resource"] == queue
    assert inline["Roles"] == [Reference("aws_iam_role.r")]


def role(more: str) -> Role:
    text = FUNCTION.replace('"arn:aws:iam::123456789012:role/orders"', "aws_iam_role.r.arn") % ""
    text += 'resource "aws_iam_role" "r" {\n  name = "orders"\n  assume_role_policy = "{}"\n}\n' + dedent(more)
    (found,) = project_of({"main.tf": text}).functions
    assert isinstance(found.role, Role)
    return found.role


ATTACHED = """
variable "role" {}
resource "aws_iam_role_policy_attachment" "a" {
  role       = %s
  policy_arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
}
"""


@pytest.mark.parametrize("name", ["aws_iam_role.r.name", "aws_iam_role.r.id", '"orders"'])
def test_a_function_may_do_what_is_attached_to_its_role(name: str) -> None:
    found = role(ATTACHED % name)
    assert plain(found.managed) == ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
    assert found.complete


def test_an_attachment_to_nobody_knows_which_role_may_be_one_to_any() -> None:
    assert not role(ATTACHED % "var.role").complete
    assert role(ATTACHED % '"of-somebody-else"').complete


def test_documents_build_upon_documents_and_end() -> None:
    found = resources(
        """
        data "aws_iam_policy_document" "a" {
          statement {
            actions   = ["s3:GetObject"]
            resources = ["*"]
          }
        }
        data "aws_iam_policy_document" "b" {
          source_policy_documents = [data.aws_iam_policy_document.a.json]
          statement {
            actions   = ["s3:PutObject"]
            resources = ["*"]
          }
        }
        data "aws_iam_policy_document" "round" {
          source_policy_documents = [data.aws_iam_policy_document.round.json]
        }
        resource "aws_iam_policy" "b" {
          policy = data.aws_iam_policy_document.b.json
        }
        resource "aws_iam_policy" "round" {
          policy = data.aws_iam_policy_document.round.json
        }
        """
    )
    statements = plain(found["aws_iam_policy.b"].properties["PolicyDocument"])["Statement"]
    assert [each["Action"] for each in statements] == [["s3:GetObject"], ["s3:PutObject"]]
    assert isinstance(found["aws_iam_policy.round"].properties["PolicyDocument"], Unknown)


def test_a_queue_knows_where_its_dead_letters_go() -> None:
    found = resources(
        """
        resource "aws_sqs_queue" "dead" {}
        resource "aws_sqs_queue" "jobs" {
          visibility_timeout_seconds = 60
          redrive_policy = jsonencode({
            deadLetterTargetArn = aws_sqs_queue.dead.arn
            maxReceiveCount     = 3
          })
        }
        """
    )
    assert plain(found["aws_sqs_queue.jobs"].properties) == {
        "VisibilityTimeout": 60,
        "RedrivePolicy": {"deadLetterTargetArn": Reference("aws_sqs_queue.dead", "Arn"), "maxReceiveCount": 3},
    }


def test_a_table_without_a_stream_has_none() -> None:
    text = 'resource "aws_dynamodb_table" "t" {\n  name = "t"\n  stream_view_type = "KEYS_ONLY"\n  %s\n}'
    assert "StreamSpecification" not in resources(text % "")["aws_dynamodb_table.t"].properties
    streaming = resources(text % "stream_enabled = true")["aws_dynamodb_table.t"]
    assert plain(streaming.properties["StreamSpecification"]) == {"StreamViewType": "KEYS_ONLY"}


# The network.

NETWORK = """
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "a" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.1.0/24"
}
resource "aws_internet_gateway" "gateway" {
  vpc_id = aws_vpc.main.id
}
resource "aws_nat_gateway" "nat" {
  subnet_id = aws_subnet.a.id
}
"""
IN_VPC = "vpc_config {\n    subnet_ids = [aws_subnet.a.id]\n    security_group_ids = []\n  }"


def network(more: str) -> Network:
    found = function(IN_VPC, NETWORK + dedent(more)).network
    assert isinstance(found, Network)
    return found


def subnet(more: str) -> Subnet:
    (found,) = network(more).subnets
    return found


def routes(more: str) -> list[tuple[str | None, RouteTarget]] | None:
    table = subnet(more).table
    return None if table is None else [(route.destination, route.target) for route in table.routes]


def test_a_subnet_without_a_table_uses_the_main_one_of_its_vpc() -> None:
    assert subnet("").vpc == "aws_vpc.main"
    assert routes("") == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("nat_gateway_id = aws_nat_gateway.nat.id", RouteTarget.NAT_GATEWAY),
        ("gateway_id = aws_internet_gateway.gateway.id", RouteTarget.INTERNET_GATEWAY),
        ("vpc_peering_connection_id = var.peering", RouteTarget.PEERING),
        ("transit_gateway_id = var.peering", RouteTarget.OTHER),
    ],
)
@pytest.mark.parametrize("inline", [True, False])
def test_routes_lead_where_they_say(target: str, expected: RouteTarget, inline: bool) -> None:
    block = f'route {{\n    cidr_block = "0.0.0.0/0"\n    {target}\n  }}' if inline else ""
    own = f"""
    resource "aws_route" "out" {{
      route_table_id         = aws_route_table.t.id
      destination_cidr_block = "0.0.0.0/0"
      {target}
    }}
    """
    text = f"""
    variable "peering" {{}}
    resource "aws_route_table" "t" {{
      vpc_id = aws_vpc.main.id
      {block}
    }}
    resource "aws_route_table_association" "a" {{
      subnet_id      = aws_subnet.a.id
      route_table_id = aws_route_table.t.id
    }}
    """
    assert routes(text + ("" if inline else own)) == [("0.0.0.0/0", expected)]


def test_routes_that_nobody_knows_may_lead_out() -> None:
    text = """
    variable "routes" {}
    resource "aws_route_table" "t" {
      vpc_id = aws_vpc.main.id
      dynamic "route" {
        for_each = var.routes
        content {
          cidr_block     = route.value
          nat_gateway_id = aws_nat_gateway.nat.id
        }
      }
    }
    resource "aws_route_table_association" "a" {
      subnet_id      = aws_subnet.a.id
      route_table_id = aws_route_table.t.id
    }
    """
    found = routes(text)
    assert found
    assert {target for _, target in found} <= {RouteTarget.OTHER, RouteTarget.NAT_GATEWAY}


@pytest.mark.parametrize(
    "text",
    [
        """
        resource "aws_route" "out" {
          route_table_id         = aws_vpc.main.main_route_table_id
          destination_cidr_block = "0.0.0.0/0"
          nat_gateway_id         = aws_nat_gateway.nat.id
        }
        """,
        """
        resource "aws_default_route_table" "main" {
          default_route_table_id = aws_vpc.main.default_route_table_id
          route {
            cidr_block     = "0.0.0.0/0"
            nat_gateway_id = aws_nat_gateway.nat.id
          }
        }
        """,
        """
        resource "aws_route_table" "t" {
          vpc_id = aws_vpc.main.id
          route {
            cidr_block     = "0.0.0.0/0"
            nat_gateway_id = aws_nat_gateway.nat.id
          }
        }
        resource "aws_main_route_table_association" "m" {
          vpc_id         = aws_vpc.main.id
          route_table_id = aws_route_table.t.id
        }
        """,
    ],
)
def test_the_main_table_may_be_given_routes(text: str) -> None:
    assert routes(text) == [("0.0.0.0/0", RouteTarget.NAT_GATEWAY)]


def test_a_main_table_that_nobody_knows_is_unknown() -> None:
    text = """
    resource "aws_main_route_table_association" "m" {
      vpc_id         = aws_vpc.main.id
      route_table_id = "rtb-1"
    }
    """
    assert routes(text) is None


def test_what_an_unknown_module_is_given_may_be_changed_there() -> None:
    text = """
    module "network" {
      source = "example/network/aws"
      subnet = aws_subnet.a.id
    }
    """
    assert routes(text) is None


@pytest.mark.parametrize(
    "service",
    [
        '"com.amazonaws.eu-west-1.s3"',
        '"com.amazonaws.${data.aws_region.current.region}.s3"',
        "data.aws_vpc_endpoint_service.s3.service_name",
    ],
)
def test_endpoints_serve_what_they_name(service: str) -> None:
    text = f"""
    data "aws_region" "current" {{}}
    data "aws_vpc_endpoint_service" "s3" {{
      service = "s3"
    }}
    resource "aws_route_table" "t" {{
      vpc_id = aws_vpc.main.id
    }}
    resource "aws_vpc_endpoint" "s3" {{
      vpc_id       = aws_vpc.main.id
      service_name = {service}
    }}
    resource "aws_vpc_endpoint_route_table_association" "s3" {{
      vpc_endpoint_id = aws_vpc_endpoint.s3.id
      route_table_id  = aws_route_table.t.id
    }}
    """
    (found,) = network(text).endpoints
    assert (found.service, found.gateway, found.tables) == ("s3", True, ("aws_route_table.t",))


def test_private_names_are_off_unless_they_are_asked_for() -> None:
    found = resources('resource "aws_vpc_endpoint" "e" {\n  vpc_id = "v"\n  service_name = "s"\n}')
    assert plain(found["aws_vpc_endpoint.e"].properties["PrivateDnsEnabled"]) is False


def test_rules_of_a_group_are_one_for_each_range() -> None:
    found = resources(
        """
        resource "aws_security_group" "none" {
          name = "none"
        }
        resource "aws_security_group" "g" {
          name = "g"
          egress {
            from_port   = 443
            to_port     = 443
            protocol    = "tcp"
            cidr_blocks = ["10.0.0.0/16", "10.1.0.0/16"]
            self        = true
          }
        }
        resource "aws_security_group_rule" "in" {
          type                     = "ingress"
          from_port                = 5432
          to_port                  = 5432
          protocol                 = "tcp"
          security_group_id        = aws_security_group.g.id
          source_security_group_id = aws_security_group.none.id
        }
        resource "aws_vpc_security_group_egress_rule" "out" {
          security_group_id = aws_security_group.g.id
          cidr_ipv4         = "0.0.0.0/0"
          ip_protocol       = "-1"
        }
        """
    )
    assert plain(found["aws_security_group.none"].properties["SecurityGroupEgress"]) == []
    common = {"FromPort": 443, "ToPort": 443, "IpProtocol": "tcp"}
    assert plain(found["aws_security_group.g"].properties["SecurityGroupEgress"]) == [
        {**common, "CidrIp": "10.0.0.0/16"},
        {**common, "CidrIp": "10.1.0.0/16"},
        {**common, "DestinationSecurityGroupId": Reference("aws_security_group.g")},
    ]
    rule = found["aws_security_group_rule.in"]
    assert rule.type == "AWS::EC2::SecurityGroupIngress"
    assert plain(rule.properties["SourceSecurityGroupId"]) == Reference("aws_security_group.none")
    assert found["aws_vpc_security_group_egress_rule.out"].type == "AWS::EC2::SecurityGroupEgress"


# The community's modules.

MODULE = """
module "orders" {
  source  = "terraform-aws-modules/lambda/aws"
  version = "~> 8.0"

  function_name = "orders"
  handler       = "app.handler"
  runtime       = "python3.13"
  source_path   = "src"
  %s
}
"""
MADE = "module.orders.aws_lambda_function.this[0]"


def community(settings: str = "", more: str = "", files: Mapping[str, str | bytes] | None = None) -> Declared:
    return declared({"main.tf": MODULE % settings + more, "src/app.py": APP, **(files or {})})


@pytest.mark.parametrize(
    "source",
    [
        "terraform-aws-modules/lambda/aws",
        "registry.terraform.io/terraform-aws-modules/lambda/aws",
        "registry.opentofu.org/terraform-aws-modules/lambda/aws",
        "github.com/terraform-aws-modules/terraform-aws-lambda",
        "git::https://github.com/terraform-aws-modules/terraform-aws-lambda.git?ref=v8.1.0",
        "git@github.com:terraform-aws-modules/terraform-aws-lambda.git",
    ],
)
def test_the_lambda_module_is_known_by_every_name(source: str) -> None:
    found = community_module(source)
    assert found is not None
    assert found.name == "terraform-aws-modules/lambda/aws"


@pytest.mark.parametrize(
    "source", ["./lambda", "example/lambda/aws", "terraform-aws-modules/lambda/aws//modules/x", ""]
)
def test_other_modules_are_not_it(source: str) -> None:
    assert community_module(source) is None


def test_inputs_of_the_module_are_settings_of_the_function() -> None:
    found = community(
        """
        timeout                = 20
        memory_size            = 1024
        ephemeral_storage_size = 2048
        architectures          = ["arm64"]
        environment_variables  = { QUEUE = aws_sqs_queue.q.url }
        dead_letter_target_arn = aws_sqs_queue.q.arn
        """,
        'resource "aws_sqs_queue" "q" {}\n',
    )
    (function,) = found.functions
    assert function.name == MADE
    assert plain(function.timeout_s) == 20
    assert plain(function.memory_mb) == 1024
    assert plain(function.ephemeral_mb) == 2048
    assert plain(function.architectures) == ["arm64"]
    assert plain(function.env) == {"QUEUE": Reference("aws_sqs_queue.q")}
    assert function.code is not None
    assert (function.code.kind, function.code.path, function.code.via_s3) == (CodeKind.FOLDER, "src", False)
    assert plain(function.resource.properties["Role"]) == Reference("module.orders.aws_iam_role.lambda[0]", "Arn")


@pytest.mark.parametrize(
    ("source", "kind", "path", "picked"),
    [
        ('source_path = ["src"]', CodeKind.FOLDER, "src", False),
        ('source_path = [{ path = "src", pip_requirements = true }]', CodeKind.FOLDER, "src", False),
        ('source_path = [{ path = "src", patterns = ["!tests/.*"] }]', CodeKind.FOLDER, "src", True),
        ('source_path = ["src", "shared"]', CodeKind.FOLDER, "src", True),
        ('source_path = "src/app.py"', CodeKind.FILE, "src/app.py", False),
        ('create_package = false\n local_existing_package = "a.zip"', CodeKind.ZIP, "a.zip", False),
        ('create_package = false\n s3_existing_package = { bucket = "b", key = "k" }', CodeKind.REMOTE, None, False),
        ('create_package = false\n package_type = "Image"\n image_uri = "x"', CodeKind.IMAGE, None, False),
    ],
)
def test_the_module_packages_what_it_is_told(source: str, kind: CodeKind, path: str | None, picked: bool) -> None:
    text = (MODULE % "").replace('source_path   = "src"', source)
    (found,) = declared({"main.tf": text, "src/app.py": APP, "shared/x.py": "", "a.zip": b"PK"}).functions
    assert found.code is not None
    assert (found.code.kind, found.code.path, found.code.picked) == (kind, path, picked)


def test_the_module_makes_mappings_permissions_and_urls() -> None:
    found = community(
        """
        create_lambda_function_url = true
        event_source_mapping = {
          jobs = {
            event_source_arn        = aws_sqs_queue.q.arn
            batch_size              = 5
            function_response_types = ["ReportBatchItemFailures"]
          }
        }
        allowed_triggers = {
          api = {
            service    = "apigateway"
            source_arn = "arn:aws:execute-api:eu-west-1:123456789012:x/*/*"
          }
        }
        """,
        'resource "aws_sqs_queue" "q" {}\n',
    )
    kinds = {trigger.kind: trigger for trigger in found.triggers}
    assert set(kinds) == {TriggerKind.SQS, TriggerKind.FUNCTION_URL}
    mapping = kinds[TriggerKind.SQS]
    assert mapping.name == 'module.orders.aws_lambda_event_source_mapping.this["jobs"]'
    assert mapping.span.line == 13
    assert plain(mapping.settings["BatchSize"]) == 5
    assert {plain(each.settings["Principal"]) for each in found.permissions} == {"apigateway.amazonaws.com"}
    assert {each.function for each in found.permissions} == {MADE}


def test_outputs_of_the_module_lead_to_what_it_makes() -> None:
    found = community(
        "",
        """
        module "layer" {
          source       = "terraform-aws-modules/lambda/aws"
          create_layer = true
          layer_name   = "shared"
          source_path  = "layer"
        }
        resource "aws_sns_topic_subscription" "s" {
          topic_arn = "arn:aws:sns:eu-west-1:123456789012:t"
          protocol  = "lambda"
          endpoint  = module.orders.lambda_function_arn
        }
        """,
        {"layer/python/shared.py": ""},
    )
    assert [(each.kind, each.function) for each in found.triggers] == [(TriggerKind.SNS, MADE)]
    assert [(each.name, each.code.path) for each in found.layers] == [
        ("module.layer.aws_lambda_layer_version.this[0]", "layer")
    ]


def test_a_layer_of_the_module_lies_in_the_folder_that_it_names() -> None:
    found = community(
        "",
        """
        module "layer" {
          source       = "terraform-aws-modules/lambda/aws"
          create_layer = true
          layer_name   = "shared"
          source_path  = [{ path = "layer", prefix_in_zip = "/python/" }]
        }
        """,
        {"layer/shared.py": "x = 1\n"},
    )
    (layer,) = found.layers
    assert (layer.code.path, layer.code.prefix) == ("layer", "python")


def test_policies_of_the_module_are_those_of_its_role() -> None:
    found = community(
        """
        attach_network_policy    = true
        attach_policy_statements = true
        policy_statements = {
          read = {
            effect    = "Allow"
            actions   = ["s3:GetObject"]
            resources = ["*"]
          }
        }
        """
    ).template.resources
    role = plain(found["module.orders.aws_iam_role.lambda[0]"].properties)
    assert role["ManagedPolicyArns"] == ["arn:aws:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": ["lambda.amazonaws.com"]}
    policy = plain(found["module.orders.aws_iam_role_policy.additional_inline[0]"].properties["PolicyDocument"])
    assert policy["Statement"] == [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}]


def test_a_module_that_is_switched_off_makes_nothing() -> None:
    assert not community("create = false").template.resources


def test_a_queue_of_a_module_is_the_source_of_a_mapping() -> None:
    text = """
    module "jobs" {
      source                     = "terraform-aws-modules/sqs/aws"
      name                       = "jobs"
      visibility_timeout_seconds = 10
    }
    resource "aws_lambda_event_source_mapping" "m" {
      event_source_arn = module.jobs.queue_arn
      function_name    = aws_lambda_function.orders.arn
    }
    """
    (trigger,) = declared(FUNCTION % "" + text).triggers
    assert trigger.source is not None
    assert plain(trigger.source.properties["VisibilityTimeout"]) == 10


# The whole way.


def test_a_fault_in_a_local_module_is_found_where_it_is_stated_and_silenced_there() -> None:
    settings = "timeout = var.timeout\n  memory_size = 64 # lambdalint: ignore[memory-out-of-range]"
    files = {
        "main.tf": 'module "a" {\n  source  = "./modules/f"\n  timeout = 1000\n}\n',
        "modules/f/main.tf": 'variable "timeout" {}\n' + FUNCTION % settings,
        "modules/f/orders.zip": "",
    }
    found = [
        (finding.name, finding.path, finding.at.line)
        for finding in check_files(files, select=("LC",)).findings
        if isinstance(finding.at, Span)
    ]
    assert found == [("timeout-out-of-range", "main.tf", 3)]


def test_a_skip_of_checkov_counts_in_the_block_of_a_module() -> None:
    settings = (
        '# checkov:skip=CKV_AWS_45: no secret\n  environment {\n    variables = { DB_PASSWORD = "h4mst3r-Wheel!" }\n  }'
    )
    files = {"main.tf": 'module "a" {\n  source = "./f"\n}\n', "f/main.tf": FUNCTION % settings}
    assert not check_files(files, select=("literal-secret-env",)).findings
    without = files | {"f/main.tf": files["f/main.tf"].replace("checkov:skip=CKV_AWS_45: no secret", "")}
    assert [finding.path for finding in check_files(without, select=("literal-secret-env",)).findings] == ["f/main.tf"]


def test_a_value_of_the_wrong_kind_is_named_as_terraform_does() -> None:
    files = {
        "main.tf": archived('source_dir = "src"') + 'resource "aws_sqs_queue" "jobs" {}\n'.replace("{}", "{}") + "",
        "src/app.py": "import os\nimport boto3\n\nsqs = boto3.client('sqs')\n\n\ndef handler(event, context):\n"
        "    sqs.send_message(QueueUrl=os.environ['QUEUE'], MessageBody='x')\n",
    }
    files["main.tf"] = files["main.tf"].replace(
        'runtime       = "python3.13"',
        'runtime       = "python3.13"\n  environment {\n    variables = { QUEUE = aws_sqs_queue.jobs.arn }\n  }',
    )
    (finding,) = check_files(files, select=("LX003",)).findings
    assert "(aws_sqs_queue.jobs.arn)" in finding.message
    assert finding.hint == "write aws_sqs_queue.jobs.url"


def test_values_that_stand_in_many_places_are_worked_out_once() -> None:
    text = """
    locals {
      a = { for n in range(100) : "k${n}" => n }
      b = { for n in range(100) : "k${n}" => local.a }
    }
    resource "aws_made_up" "it" {
      count = 450
      all   = local.b
    }
    """
    said = Said()
    (found,) = declare_terraform(Mounted(MemoryTree({"main.tf": text})), "", Inputs(), said)
    assert len(found.template.resources) == 450
    assert [failure.message for failure in said.failures] == [
        "the resources have more than 4,000,000 values; the rest is unknown"
    ]


def test_a_network_of_nobody_knows_how_many_subnets_is_not_judged() -> None:
    text = """
    variable "zones" {}
    resource "aws_subnet" "all" {
      for_each   = var.zones
      vpc_id     = aws_vpc.main.id
      cidr_block = each.value
    }
    resource "aws_route_table" "t" {
      vpc_id = aws_vpc.main.id
    }
    resource "aws_route_table_association" "all" {
      for_each       = var.zones
      subnet_id      = aws_subnet.all[each.key].id
      route_table_id = aws_route_table.t.id
    }
    """
    subnets = "vpc_config {\n    subnet_ids = [for each in aws_subnet.all : each.id]\n    security_group_ids = []\n  }"
    found = function(subnets, NETWORK + dedent(text)).network
    assert isinstance(found, Network)
    assert not found.complete


def test_json_declares_the_same() -> None:
    document = {
        "resource": {
            "aws_lambda_function": {
                "orders": {
                    "function_name": "orders",
                    "role": "arn:aws:iam::123456789012:role/orders",
                    "filename": "${data.archive_file.code.output_path}",
                    "handler": "app.handler",
                    "runtime": "python3.13",
                    "environment": {"variables": {"A": "b"}},
                    "vpc_config": [{"subnet_ids": ["subnet-1"], "security_group_ids": []}],
                }
            }
        },
        "data": {"archive_file": {"code": {"type": "zip", "source_dir": "src", "output_path": "x.zip"}}},
    }
    (found,) = declared({"main.tf.json": json.dumps(document), "src/app.py": APP}).functions
    assert plain(found.env) == {"A": "b"}
    assert found.code is not None
    assert found.code.path == "src"
    assert isinstance(found.network, Network)
    assert not found.network.complete


def test_what_is_not_read_is_said() -> None:
    files = {
        "main.tf": 'module "a" {\n  source = "acme/lambda/aws"\n}\nmodule "b" {\n  source = "../b"\n}\n',
        "live/terragrunt.hcl": "inputs = {\n  memory = 64\n}\n",
    }
    assert check_files(files).notes == (
        "1 Terragrunt file was not read; variables set there stay unset",
        "module.b is made from ../b, which is not among these files",
        "acme/lambda/aws is a module from elsewhere and was not looked at",
    )


@pytest.mark.parametrize(
    ("files", "roots"),
    [
        ({"a": '  source = "../b"', "b": ""}, ["a"]),
        ({"a": '  # source = "../b"\n  source = "acme/b/aws"', "b": ""}, ["a", "b"]),
        ({"a": '  source = "../b"', "b": '  source = "../a"'}, ["a"]),
        ({"a": '  source = "./"', "b": ""}, ["a", "b"]),
    ],
)
def test_a_module_is_a_root_unless_another_one_calls_it(files: Mapping[str, str], roots: list[str]) -> None:
    tree = MemoryTree({f"{folder}/main.tf": f'module "m" {{\n{call}\n}}\n' for folder, call in files.items()})
    assert [folder for _, folder in discover(tree, [""]).roots] == roots
