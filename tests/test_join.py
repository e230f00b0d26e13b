"""Templates become functions: intrinsics, Globals, code, layers, triggers."""

import io
import zipfile
from typing import Any

import pytest

from lambdalint.engine.registry import Registry
from lambdalint.engine.result import Result
from lambdalint.model.function import CodeKind, Function, Handling, TriggerKind
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Reference, Unknown
from lambdalint.testing import check_files, project_of

NO_RULES = Registry.of([])
APP = "def handler(event, context):\n    return {}\n"


def checked(template: str) -> Result:
    return check_files({"template.yaml": template, "src/app.py": APP}, registry=NO_RULES)


def function(template: str, files: dict[str, str | bytes] | None = None) -> Function:
    named: dict[str, str | bytes] = {"template.yaml": template, "src/app.py": APP}
    return project_of(named | (files or {})).functions[0]


def sam(properties: str, rest: str = "", head: str = "") -> str:
    lines = "".join(f"      {line}\n" for line in properties.splitlines())
    return (
        f"Transform: AWS::Serverless-2016-10-31\n{head}Resources:\n  Orders:\n"
        f"    Type: AWS::Serverless::Function\n    Properties:\n{lines}{rest}"
    )


BASE = "CodeUri: src/\nHandler: app.handler\nRuntime: python3.13\n"


def value(of: Any) -> Any:
    assert isinstance(of, Known)
    return of.value


HEAD = """\
Parameters:
  Memory: {Type: Number, Default: 512}
  Stage: {Type: String, Default: dev}
  Subnet: {Type: "AWS::EC2::Subnet::Id"}
  Zones: {Type: CommaDelimitedList, Default: "a, b"}
  Secret: {Type: "AWS::SSM::Parameter::Value<String>", Default: /orders/secret}
Mappings:
  Sizes:
    dev: {Memory: 256}
    prod: {Memory: 1024}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  Always: !Equals [a, a]
  Never: !Not [{Condition: Always}]
  Both: !And [!Condition Always, !Condition Never]
  Circle: !Not [!Condition Circle]
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("512", 512),
        ('"512"', 512),
        ("!Ref Memory", 512),
        ("{Ref: Memory}", 512),
        ("!FindInMap [Sizes, !Ref Stage, Memory]", 256),
        ("{'Fn::FindInMap': [Sizes, prod, Memory]}", 1024),
        ("!If [Always, 1, 2]", 1),
        ("!If [Never, 1, 2]", 2),
        ("!If [Both, 1, 2]", 2),
        ("!If [IsProd, 300, 300]", 300),
        ("!Select [1, [128, 256]]", 256),
        ("!Select ['0', !Split ['-', '128-256']]", 128),
        ("!Sub '${Memory}'", 512),
        ("!Join ['', [1, 28]]", 128),
        ("!If [Always, !Ref 'AWS::NoValue', 2]", 128),
    ],
)
def test_an_intrinsic_has_the_value_that_the_template_gives_it(expression: str, expected: int) -> None:
    assert value(function(sam(BASE + f"MemorySize: {expression}", head=HEAD)).memory_mb) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "!Ref Subnet",
        "!Ref Secret",
        "!Ref Nothing",
        "!Ref AWS::AccountId",
        "!ImportValue other",
        "!If [IsProd, 1, 2]",
        "!If [Circle, 1, 2]",
        "!If [Nowhere, 1, 2]",
        "!FindInMap [Sizes, !Ref Nothing, Memory]",
        "!GetAtt Thing.Size",
        "!Select [7, [1]]",
        "!Transform {Name: Thing}",
        "'{{resolve:ssm:memory}}'",
        "!If [too, few]",
    ],
)
def test_what_is_decided_elsewhere_is_unknown(expression: str) -> None:
    assert isinstance(function(sam(BASE + f"MemorySize: {expression}", head=HEAD)).memory_mb, Unknown)


def test_a_condition_keeps_both_worlds() -> None:
    memory = function(sam(BASE + "MemorySize: !If [IsProd, 1024, !Ref Memory]", head=HEAD)).memory_mb
    assert isinstance(memory, Unknown)
    assert [value(choice) for choice in memory.choices] == [1024, 512]


def test_text_with_known_and_unknown_parts_mentions_what_it_refers_to() -> None:
    env = value(
        function(
            sam(
                BASE
                + "Environment:\n  Variables:\n    NAME: !Sub 'orders-${Stage}'\n    URL: !Sub 'https://${Api}.x'\n"
                "    QUEUE: !Sub '${Jobs}'\n    LITERAL: !Sub 'a${!b}'",
                rest="  Api: {Type: AWS::Serverless::Api}\n  Jobs: {Type: AWS::SQS::Queue}\n",
                head=HEAD,
            )
        ).env
    )
    assert (value(env["NAME"]), env["NAME"].parameter) == ("orders-dev", "Stage")
    assert env["URL"].mentions == (Reference("Api"),)
    assert env["QUEUE"].refers == Reference("Jobs")
    assert value(env["LITERAL"]) == "a${b}"


def test_globals_fill_in_merge_and_append() -> None:
    found = function(
        sam(
            "CodeUri: src/\nHandler: app.handler\nTimeout: 7\nEnvironment: {Variables: {A: own}}\nLayers: [two]",
            head="Globals:\n  Function:\n    Runtime: python3.12\n    Timeout: 60\n    Layers: [one]\n"
            "    Environment: {Variables: {A: global, B: global}}\n",
        )
    )
    assert (value(found.runtime), value(found.timeout_s)) == ("python3.12", 7)
    assert {name: value(each) for name, each in value(found.env).items()} == {"A": "own", "B": "global"}
    assert [value(layer) for layer in value(found.layers)] == ["one", "two"]


def test_defaults_of_the_service_are_known_but_not_stated() -> None:
    found = function(sam(BASE))
    settings = (found.memory_mb, found.timeout_s, found.ephemeral_mb)
    assert [(value(each), each.stated) for each in settings if isinstance(each, Known)] == [
        (128, False),
        (3, False),
        (512, False),
    ]
    assert [value(each) for each in value(found.architectures)] == ["x86_64"]


CLOUDFORMATION = """\
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Code: {code}
      Handler: {handler}
      Runtime: python3.13
"""


@pytest.mark.parametrize(
    ("code", "handler", "kind"),
    [
        ("src/", "app.handler", CodeKind.FOLDER),
        ("./src", "app.handler", CodeKind.FOLDER),
        ("src/app.py", "app.handler", CodeKind.FILE),
        ("{ZipFile: 'def handler(event, context): ...'}", "index.handler", CodeKind.INLINE),
        ("{S3Bucket: a, S3Key: b}", "app.handler", CodeKind.REMOTE),
        ("{ImageUri: a}", "app.handler", CodeKind.IMAGE),
        ("nowhere/", "app.handler", CodeKind.MISSING),
    ],
)
def test_code_is_found_in_every_form(code: str, handler: str, kind: CodeKind) -> None:
    found = function(CLOUDFORMATION.format(code=code, handler=handler))
    assert found.code is not None
    assert found.code.kind is kind
    resolved = kind in (CodeKind.FOLDER, CodeKind.FILE, CodeKind.INLINE)
    assert (found.target.state is Handling.RESOLVED) is resolved


def test_the_handler_is_looked_for_in_an_archive() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("orders/app.py", APP)
        archive.writestr("orders/__init__.py", "")
    template = CLOUDFORMATION.format(code="build/orders.zip", handler="orders.app.handler")
    found = function(template, {"build/orders.zip": data.getvalue()})
    assert found.handler_path == "build/orders.zip/orders/app.py"
    missing = function(template.replace("orders.app", "app"), {"build/orders.zip": data.getvalue()})
    assert missing.target.state is Handling.NO_MODULE


def test_a_template_in_a_folder_names_code_relative_to_itself() -> None:
    template = CLOUDFORMATION.format(code="../src", handler="app.handler")
    project = project_of({"infra/template.yaml": template, "src/app.py": APP})
    assert project.functions[0].handler_path == "src/app.py"


def test_json_says_the_same_as_yaml() -> None:
    template = """{"Resources": {"Orders": {"Type": "AWS::Lambda::Function", "Properties": {
        "Code": "src", "Handler": "app.handler", "Runtime": {"Ref": "Version"}, "Timeout": {"Fn::Sub": "10"}}}},
        "Parameters": {"Version": {"Type": "String", "Default": "python3.12"}}}"""
    found = project_of({"template.json": template, "src/app.py": APP}).functions[0]
    assert (value(found.runtime), value(found.timeout_s), found.handler_path) == ("python3.12", 10, "src/app.py")


EVENTS = """\
Events:
  Rest: {Type: Api, Properties: {Path: /, Method: get}}
  Http: {Type: HttpApi}
  Jobs: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn, BatchSize: 5}}
  Hourly: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
  Odd: {Type: Nothing}
FunctionUrlConfig: {AuthType: NONE}
"""


def test_sam_events_become_triggers() -> None:
    found = function(sam(BASE + EVENTS, rest="  Jobs: {Type: AWS::SQS::Queue}\n"))
    kinds = {trigger.name: trigger for trigger in found.triggers}
    assert {name: each.kind for name, each in kinds.items()} == {
        "Rest": TriggerKind.REST_API,
        "Http": TriggerKind.HTTP_API,
        "Jobs": TriggerKind.SQS,
        "Hourly": TriggerKind.SCHEDULE,
        "FunctionUrlConfig": TriggerKind.FUNCTION_URL,
    }
    assert (kinds["Rest"].payload_version, kinds["Rest"].proxy) == ("1.0", True)
    assert (kinds["Http"].payload_version, kinds["Http"].proxy) == ("2.0", True)
    assert kinds["Jobs"].source is not None
    assert kinds["Jobs"].source.type == "AWS::SQS::Queue"
    assert value(kinds["Jobs"].settings["BatchSize"]) == 5


NATIVE = """\
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref Orders, EventSourceArn: "arn:aws:kinesis:eu-west-1:1:stream/s", BatchSize: 50}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      NotificationConfiguration:
        LambdaConfigurations: [{Event: "s3:ObjectCreated:*", Function: !GetAtt Orders.Arn}]
  Topic:
    Type: AWS::SNS::Topic
    Properties: {Subscription: [{Protocol: lambda, Endpoint: !GetAtt Orders.Arn}]}
  Rule:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: rate(1 day), Targets: [{Id: a, Arn: !GetAtt Orders.Arn}]}
  Method:
    Type: AWS::ApiGateway::Method
    Properties:
      Integration:
        Type: AWS_PROXY
        Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Orders.Arn}/invocations"
  Live:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Orders, FunctionVersion: "1", Name: live}
  Url:
    Type: AWS::Lambda::Url
    Properties: {TargetFunctionArn: !Ref Live, AuthType: AWS_IAM}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties: {DefinitionSubstitutions: {Fn: !GetAtt Orders.Arn}}
"""


def test_plain_resources_become_triggers() -> None:
    found = function(CLOUDFORMATION.format(code="src", handler="app.handler") + NATIVE)
    assert {trigger.name: trigger.kind for trigger in found.triggers} == {
        "Mapping": TriggerKind.KINESIS,
        "Bucket": TriggerKind.S3,
        "Topic": TriggerKind.SNS,
        "Rule": TriggerKind.SCHEDULE,
        "Method": TriggerKind.REST_API,
        "Url": TriggerKind.FUNCTION_URL,
        "Machine": TriggerKind.OTHER,
    }


def test_a_layer_of_the_project_is_on_the_path_of_its_functions() -> None:
    layer = "  Shared:\n    Type: AWS::Serverless::LayerVersion\n    Properties: {ContentUri: layer/}\n"
    files: dict[str, str | bytes] = {
        "src/app.py": "import shared\n" + APP,
        "layer/python/shared.py": "X = 1\n",
    }
    found = function(sam(BASE + "Layers: [!Ref Shared]", rest=layer), files)
    assert found.modules == {"app": "src/app.py", "shared": "layer/python/shared.py"}
    assert found.layers_complete
    assert [each.name for each in found.local_layers] == ["Shared"]


@pytest.mark.parametrize("style", ["InlineCode: |", "InlineCode: !Sub |"])
def test_a_place_in_inline_code_is_a_place_in_the_template(style: str) -> None:
    code = "import os\n\n  def handler(event, context):\n      1 +\n"
    template = sam(f"Handler: index.handler\nRuntime: python3.13\n{style}\n  {code}")
    (found,) = checked(template).findings
    assert isinstance(found.at, Span)
    assert (found.name, found.at.path) == ("syntax-error", "template.yaml")
    assert template.split("\n")[found.at.line - 1].strip() == "1 +"


def test_inline_code_of_another_language_is_left_alone() -> None:
    result = checked(sam("Handler: index.handler\nRuntime: nodejs24.x\nInlineCode: 'exports.handler = () => {}'"))
    assert result.findings == ()


EVERY_EVENT = """\
Events:
  Api: {Type: Api, Properties: {Path: /, Method: get}}
  Http: {Type: HttpApi}
  Jobs: {Type: SQS, Properties: {Queue: !Ref Hidden}}
  Clicks: {Type: Kinesis, Properties: {Stream: !Ref Hidden, StartingPosition: LATEST}}
  Changes: {Type: DynamoDB, Properties: {Stream: !Ref Hidden, StartingPosition: LATEST}}
  Managed: {Type: MSK, Properties: {Stream: !Ref Hidden, StartingPosition: LATEST, ConsumerGroupId: a}}
  Kafka: {Type: SelfManagedKafka, Properties: {KafkaBootstrapServers: [a], Topics: [b]}}
  Broker: {Type: MQ, Properties: {Broker: !Ref Hidden, Queues: [a]}}
  Documents: {Type: DocumentDB, Properties: {Cluster: !Ref Hidden, DatabaseName: a}}
  Uploads: {Type: S3, Properties: {Bucket: !Ref Bucket, Events: "s3:ObjectCreated:*"}}
  News: {Type: SNS, Properties: {Topic: !Ref Hidden}}
  Hourly: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
  Nightly: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}
  Happened: {Type: EventBridgeRule, Properties: {Pattern: {source: [a]}}}
  Logged: {Type: CloudWatchLogs, Properties: {LogGroupName: a, FilterPattern: b}}
  Measured: {Type: IoTRule, Properties: {Sql: a}}
  Said: {Type: AlexaSkill}
  SignedUp: {Type: Cognito, Properties: {UserPool: !Ref Users, Trigger: PreSignUp}}
"""


def test_every_event_of_sam_is_a_trigger_of_its_kind_in_cloudformations_words() -> None:
    rest = "  Bucket: {Type: AWS::S3::Bucket}\n  Users: {Type: AWS::Cognito::UserPool}\n"
    found = function(sam(BASE + EVERY_EVENT, rest, "Parameters: {Hidden: {Type: String}}\n"))
    triggers = {trigger.name: trigger for trigger in found.triggers}
    assert {name: each.kind.value for name, each in triggers.items()} == {
        "Api": "rest-api",
        "Http": "http-api",
        "Jobs": "sqs",
        "Clicks": "kinesis",
        "Changes": "dynamodb",
        "Managed": "msk",
        "Kafka": "kafka",
        "Broker": "mq",
        "Documents": "documentdb",
        "Uploads": "s3",
        "News": "sns",
        "Hourly": "schedule",
        "Nightly": "schedule",
        "Happened": "eventbridge",
        "Logged": "logs",
        "Measured": "iot",
        "Said": "alexa",
        "SignedUp": "cognito",
    }
    assert {trigger.span.line for trigger in found.triggers} == set(range(11, 29))
    named = {
        "Jobs": "EventSourceArn",
        "Managed": "AmazonManagedKafkaEventSourceConfig",
        "Kafka": "SelfManagedEventSource",
        "Documents": "DocumentDBEventSourceConfig",
        "Hourly": "ScheduleExpression",
        "News": "TopicArn",
        "Happened": "EventPattern",
    }
    assert all(setting in triggers[name].settings for name, setting in named.items())
    principals = {value(each.settings["Principal"]) for each in found.permissions}
    assert principals == {
        "apigateway.amazonaws.com",
        "s3.amazonaws.com",
        "sns.amazonaws.com",
        "events.amazonaws.com",
        "logs.amazonaws.com",
        "iot.amazonaws.com",
        "alexa-appkit.amazon.com",
        "cognito-idp.amazonaws.com",
    }


def test_what_stands_in_globals_is_read_like_what_stands_in_the_function() -> None:
    head = "Globals:\n  Function:\n    CapacityProviderConfig: {Arn: !GetAtt Provider.Arn}\n"
    template = sam(BASE + "MemorySize: 20000", head=head)
    result = check_files({"template.yaml": template, "src/app.py": APP}, select=("LC011",))
    assert result.findings == ()
    without = check_files({"template.yaml": sam(BASE + "MemorySize: 20000"), "src/app.py": APP}, select=("LC011",))
    assert [finding.code for finding in without.findings] == ["LC011"]


AUTHORIZED = """\
  Orders:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Auth: {DefaultAuthorizer: Guard, Authorizers: {Guard: {FunctionArn: !GetAtt Guard.Arn}}}
  Guard:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.guard, Runtime: python3.13}
"""


def test_an_authorizer_answers_no_request() -> None:
    code = "def guard(event, context):\n    return {'principalId': 'a', 'policyDocument': {}}\n"
    template = f"Transform: AWS::Serverless-2016-10-31\nResources:\n{AUTHORIZED}"
    files: dict[str, str | bytes] = {"template.yaml": template, "src/app.py": code}
    (guard,) = project_of(files).functions
    assert [trigger.kind for trigger in guard.triggers] == [TriggerKind.AUTHORIZER]
    assert check_files(files, select=("LV007",)).findings == ()


def test_a_definition_says_which_integrations_are_proxies() -> None:
    uri = "!Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Orders.Arn}/invocations'"
    rest = (
        "  Rest:\n    Type: AWS::ApiGateway::RestApi\n    Properties:\n      Body:\n        paths:\n"
        f"          /a: {{get: {{x-amazon-apigateway-integration: {{type: aws_proxy, uri: {uri}}}}}}}\n"
        f"          /b: {{post: {{x-amazon-apigateway-integration: {{type: AWS, uri: {uri}}}}}}}\n"
    )
    found = function(CLOUDFORMATION.format(code="src", handler="app.handler") + rest)
    assert [(each.kind, each.name, each.proxy, each.payload_version) for each in found.triggers] == [
        (TriggerKind.REST_API, "GET /a", True, "1.0"),
        (TriggerKind.REST_API, "POST /b", False, "1.0"),
    ]
