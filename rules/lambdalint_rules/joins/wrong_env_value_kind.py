"""A queue has a URL, an ARN and a name, and the SDK takes only one of them for each parameter.

``!Ref`` gives the URL of a queue, but the ARN of a topic and the name of a bucket, so the wrong intrinsic is written
easily.  The deployment succeeds, and the first call fails with ``InvalidParameterValue`` or the like.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lambdalint.aws.return_values import (
    Parameter,
    attributes_of_kind,
    kind_of_reference,
    object_parameter,
    parameters,
    resource_noun,
)
from lambdalint.aws.terraform import terraform_attribute
from lambdalint.facts.arguments import Arguments
from lambdalint.facts.expressions import Collection, Env, Expression, Literal
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.rule import (
    Applicability,
    Dialect,
    Fix,
    Function,
    Known,
    Problem,
    Problems,
    Project,
    Refer,
    Reference,
    Related,
    Rewrite,
    Severity,
    Span,
    Unknown,
    Value,
    rule,
)

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Jobs: {{Type: AWS::SQS::Queue}}
  Done: {{Type: AWS::SNS::Topic}}
  Pictures: {{Type: AWS::S3::Bucket}}
  Orders: {{Type: AWS::Serverless::SimpleTable}}
  Token: {{Type: AWS::SecretsManager::Secret}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Environment:
        Variables:
          QUEUE_URL: {queue}
          TOPIC: {topic}
          BUCKET: {bucket}
          TABLE: {table}
          SECRET: {secret}
"""
BAD: Final = TEMPLATE.format(
    queue="!GetAtt Jobs.Arn  # finding",
    topic="!GetAtt Done.TopicName  # finding",
    bucket="!Sub ${Pictures.RegionalDomainName}  # finding",
    table="!GetAtt Orders.Arn",
    secret="!Ref Token",  # noqa: S106
)
GOOD: Final = TEMPLATE.format(
    queue="!Ref Jobs",
    topic="!Ref Done",
    bucket="!Ref Pictures",
    table="!Ref Orders",
    secret="!Ref Token",  # noqa: S106
)
CONVERTED: Final = TEMPLATE.format(
    queue="!GetAtt Jobs.QueueName",
    topic="!If [Quiet, !Ref AWS::NoValue, !GetAtt Done.TopicName]",
    bucket="!GetAtt Pictures.Arn",
    table="!GetAtt Orders.Arn",
    secret="!Ref Token",  # noqa: S106
)
CODE: Final = """\
import os

import boto3

QUEUE = os.environ["QUEUE_URL"]
sqs = boto3.client("sqs")
bucket = boto3.resource("s3").Bucket(os.environ["BUCKET"])

def handler(event, context):
    sqs.send_message(QueueUrl=QUEUE, MessageBody="hello")
    publish(os.environ.get("TOPIC"))
    bucket.put_object(Key="a", Body=b"")
    boto3.resource("dynamodb").Table(os.environ["TABLE"]).scan()
    boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["SECRET"])

def publish(topic):
    boto3.client("sns").publish(TopicArn=topic, Message="hello")
"""
CONVERTING: Final = """\
import os

import boto3

sqs = boto3.client("sqs")
queue = sqs.get_queue_url(QueueName=os.environ["QUEUE_URL"])["QueueUrl"]
bucket = os.environ["BUCKET"].split(":")[-1]

def handler(event, context):
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    boto3.client("s3").get_object(Bucket=bucket, Key="a")
    if os.environ.get("TOPIC"):
        boto3.client("sns").publish(TopicArn=f"arn:aws:sns:eu-central-1:1:{os.environ['TOPIC']}", Message="hello")
"""

_CLIENT: Final = re.compile(r"(?:aio)?boto3\.(?:[Ss]ession\.)?(?:Session\(\)\.)?client\(([a-z0-9-]+)\)\.(\w+)")
_OBJECT: Final = re.compile(r"boto3\.(?:[Ss]ession\.)?(?:Session\(\)\.)?resource\(([a-z0-9-]+)\)\.(\w+)")
_SHOWN: Final = {"url": "URL", "arn": "ARN", "stream-arn": "stream's ARN", "domain": "domain name"}


@rule(
    "LX003",
    "wrong-env-value-kind",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad={"template.yaml": BAD, "src/app.py": CODE},
    good=(
        {"template.yaml": GOOD, "src/app.py": CODE},
        {"template.yaml": CONVERTED, "src/app.py": CONVERTING},
    ),
)
def check(function: Function, project: Project, calls: PathCalls, arguments: PerModule[Arguments]) -> Problems:
    match function.env:
        case Known(Mapping() as variables):
            references = dict(_references(variables))
        case _:
            return
    if not references:
        return
    template = next((each for each in project.templates if each.path == function.template), None)
    resources = template.resources if template else {}
    told = set()
    for call in calls.calls:
        for parameter, argument in _arguments(call):
            passed = arguments.get(call.path)
            for value in passed.alternatives(argument, call.call.scope) if passed is not None else ():
                reference = references.get(value.name) if isinstance(value, Env) else None
                if reference is None or not isinstance(value, Env):
                    continue
                declared = resources.get(reference.resource)
                kind = declared.type if declared else ""
                given = kind_of_reference(kind, reference.attribute)
                if given is None or kind not in parameter.types or given in parameter.takes or value.name in told:
                    continue
                told.add(value.name)
                method = (call.name or "").rpartition(".")[2]
                written = _written(reference, kind, function.dialect)
                wanted = _shown(parameter.takes[0])
                right = None if _is_elsewhere(reference, function.dialect) else _right(reference, kind, parameter)
                yield Problem(
                    variables[value.name].span,
                    f"{value.name} gets the {resource_noun(kind)}'s {_shown(given)} ({written}); "
                    f"{method} wants the {wanted}",
                    related=(*calls.way(call), Related(call.call.span, f"{method}() gets it as {parameter.name}")),
                    hint=f"write {_written(right, kind, function.dialect)}"
                    if right
                    else f"give {value.name} the {resource_noun(kind)}'s {wanted}",
                    fix=_referring(variables[value.name].span, reference, right, kind, function.dialect)
                    if right
                    else None,
                )


def _references(variables: Mapping[str, Value[Any]]) -> Iterator[tuple[str, Reference]]:
    for name, value in variables.items():
        if isinstance(value, Unknown) and value.refers is not None:
            yield name, value.refers


def _arguments(call: PathCall) -> Iterator[tuple[Parameter, Expression]]:
    """What a call of the SDK passes where a resource is to be named, entries of lists included."""
    if call.name is None:
        return
    if made := _OBJECT.fullmatch(call.name):
        parameter = object_parameter(made[1], made[2])
        if parameter is not None and call.call.args:
            yield parameter, call.call.args[0]
    elif called := _CLIENT.fullmatch(call.name):
        known = parameters(called[1])
        for name, value in call.call.keywords.items():
            if name in known:
                yield known[name], value
            elif isinstance(value, Collection) and value.kind == "list":
                for entry in value.items:
                    yield from _entries(entry, known)


def _entries(entry: Expression, known: Mapping[str, Parameter]) -> Iterator[tuple[Parameter, Expression]]:
    if isinstance(entry, Collection) and entry.kind == "dict":
        for key, value in zip(entry.keys, entry.items, strict=True):
            if isinstance(key, Literal) and isinstance(key.value, str) and key.value in known:
                yield known[key.value], value


def _shown(kind: str) -> str:
    return _SHOWN.get(kind, kind)


def _written(reference: Reference, kind: str, dialect: Dialect) -> str:
    if dialect is Dialect.TERRAFORM:
        return f"{reference.resource}.{terraform_attribute(kind, reference.attribute) or reference.attribute}"
    return (
        f"!GetAtt {reference.resource}.{reference.attribute}" if reference.attribute else f"!Ref {reference.resource}"
    )


def _is_elsewhere(reference: Reference, dialect: Dialect) -> bool:
    """Whether the resource has another name where the variable is written: in a module, or in the CDK's source."""
    return dialect is Dialect.CDK or (dialect is Dialect.TERRAFORM and reference.resource.startswith("module."))


def _right(reference: Reference, kind: str, parameter: Parameter) -> Reference | None:
    right = attributes_of_kind(kind, parameter.takes)
    return Reference(reference.resource, right[0]) if right else None


def _referring(at: Span, wrong: Reference, right: Reference, kind: str, dialect: Dialect) -> Fix:
    """The fix that takes the value which is wanted of the same resource."""
    change: Refer | Rewrite = Refer(at, wrong.resource, wrong.attribute, right.attribute)
    if dialect is Dialect.TERRAFORM:
        change = Rewrite(at, _written(wrong, kind, dialect), _written(right, kind, dialect))
    return Fix(f"write {_written(right, kind, dialect)}", Applicability.UNSAFE, changes=(change,))
