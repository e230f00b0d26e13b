"""Services of the Serverless Framework: variables, functions, events, resources, code."""

from collections.abc import Mapping
from typing import Any

import pytest

from lambdalint.join.cloudformation import Declared
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.serverless import claims, declare_serverless
from lambdalint.join.serverless_events import MAX_EVENTS
from lambdalint.model.function import CodeKind, Function, Handling, Invocation, Trigger, TriggerKind
from lambdalint.model.places import Span
from lambdalint.model.template import Dialect
from lambdalint.model.values import Known, Reference, Unknown
from lambdalint.readers.tree import MemoryTree, Mounted
from lambdalint.testing import check_files, project_of

HEAD = "service: shop\nprovider:\n  name: aws\n  runtime: python3.13\n"
ONE = f"{HEAD}functions:\n  f:\n    handler: app.handler\n"
HANDLER = "def handler(event, context):\n    return {'statusCode': 200}\n"


def declared(
    text: str,
    files: Mapping[str, str] | None = None,
    inputs: Inputs | None = None,
    path: str = "serverless.yml",
    said: Said | None = None,
) -> Declared:
    tree = Mounted(MemoryTree({path: text, **(files or {})}))
    told = Said() if said is None else said
    (found,) = declare_serverless(tree, path, inputs or Inputs(), told)
    assert said is not None or not told.failures
    return found


def notes(text: str, path: str = "serverless.yml", files: Mapping[str, str] | None = None) -> list[str]:
    said = Said()
    tree = Mounted(MemoryTree({path: text, **(files or {})}))
    assert claims(tree, path)
    assert list(declare_serverless(tree, path, Inputs(), said)) == []
    assert not said.failures
    return said.notes


def function(settings: str, rest: str = "", head: str = HEAD, **more: Any) -> Function:
    lines = "".join(f"    {line}\n" for line in settings.strip("\n").splitlines())
    return declared(f"{head}functions:\n  hello:\n    handler: app.handler\n{lines}{rest}", **more).functions[0]


def triggers(events: str, rest: str = "", head: str = HEAD) -> list[Trigger]:
    lines = "".join(f"      {line}\n" for line in events.strip("\n").splitlines())
    text = f"{head}functions:\n  hello-world:\n    handler: app.handler\n    events:\n{lines}{rest}"
    return declared(text).triggers


def trigger(events: str, rest: str = "", head: str = HEAD) -> Trigger:
    (found,) = triggers(events, rest, head)
    assert found.function == "hello-world"
    return found


def value(of: Any) -> Any:
    assert isinstance(of, Known), of
    if isinstance(of.value, tuple):
        return [value(item) for item in of.value]
    if isinstance(of.value, Mapping):
        return {name: value(item) for name, item in of.value.items()}
    return of.value


def variables(function: Function) -> Mapping[str, Any]:
    assert isinstance(function.env, Known)
    return function.env.value


# Which files


@pytest.mark.parametrize(
    ("path", "text", "claimed"),
    [
        ("serverless.yml", HEAD, True),
        ("api/serverless.json", '{"service": "a", "provider": {"name": "aws"}}', True),
        ("serverless-api.yml", HEAD, True),
        ("serverless-output.yaml", "Resources: {}\n", False),
        ("serverless.yml", "Resources:\n  A:\n    Type: AWS::SQS::Queue\n", False),
        ("serverless.yml", "- not: ours\n", True),
        ("serverless.ts", "const a = {service: 'a', provider: {name: 'aws'}}", True),
        ("serverless.js", "module.exports = require('./lib')", False),
        ("serverless-compose.yml", "services: {}\n", True),
        ("template.yml", HEAD, False),
    ],
)
def test_a_service_is_known_by_its_name_and_keys(path: str, text: str, claimed: bool) -> None:
    assert claims(MemoryTree({path: text}), path) is claimed


def test_code_beside_a_service_is_not_the_service() -> None:
    assert not claims(MemoryTree({"serverless.yml": HEAD, "serverless.ts": "service provider"}), "serverless.ts")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("service: a\nprovider:\n  name: google\n", "serverless.yml is for google and was left out"),
        ("service: a\nprovider: azure\n", "serverless.yml is for azure and was left out"),
        ("component: express\n", "serverless.yml is for a Serverless Component and was left out"),
        ("service: a\nfunctions: {}\n", "serverless.yml names no provider and was left out"),
        (
            "service: a\nprovider: ${file(p.js)}\n",
            "serverless.yml is for a provider that is not known and was left out",
        ),
        ("just text\n", "serverless.yml declares no service and was left out"),
        ("service: {{cookiecutter.name}}: a\n", "serverless.yml holds placeholders and was left out"),
    ],
)
def test_what_is_not_for_aws_is_left_out_in_words(text: str, note: str) -> None:
    assert notes(text) == [note]


def test_code_and_compositions_are_said_not_to_be_read() -> None:
    (note,) = notes("{service, provider}", path="serverless.ts")
    assert "serverless print" in note
    (note,) = notes("services: {}\n", path="serverless-compose.yml")
    assert "on their own" in note


def test_what_does_not_parse_is_a_failure() -> None:
    said = Said()
    tree = Mounted(MemoryTree({"serverless.yml": "service: [\n"}))
    assert list(declare_serverless(tree, "serverless.yml", Inputs(), said)) == []
    assert [failure.path for failure in said.failures] == ["serverless.yml"]


def test_json_and_the_old_form_of_the_provider_are_read() -> None:
    text = (
        '{"service": {"name": "a"}, "provider": "aws", "functions": {"f": {"handler": "a.b", "runtime": "python3.13"}}}'
    )
    found = declared(text, path="serverless.json")
    assert found.template.dialect is Dialect.SERVERLESS
    assert value(found.functions[0].resource.get("FunctionName")) == "a-dev-f"


# Functions


def test_what_is_not_said_is_the_frameworks_default() -> None:
    found = function("")
    assert found.name == "hello"
    assert found.span.line == 6
    assert (value(found.memory_mb), value(found.timeout_s), value(found.ephemeral_mb)) == (1024, 6, 512)
    assert isinstance(found.memory_mb, Known)
    assert not found.memory_mb.stated
    assert value(found.runtime) == "python3.13"
    assert isinstance(found.runtime, Known)
    assert (found.runtime.span.line, found.runtime.parameter) == (4, None)


def test_a_function_says_more_than_its_provider() -> None:
    head = HEAD + "  memorySize: 256\n  timeout: 20\n  architecture: arm64\n  tracing:\n    lambda: true\n"
    found = function("memorySize: 512\nephemeralStorageSize: 2048\nreservedConcurrency: 0", head=head)
    assert (value(found.memory_mb), value(found.timeout_s), value(found.ephemeral_mb)) == (512, 20, 2048)
    assert value(found.architectures) == ["arm64"]
    assert value(found.resource.get("TracingConfig", "Mode")) == "Active"
    assert value(found.resource.get("ReservedConcurrentExecutions")) == 0


def test_environments_merge_and_layers_do_not() -> None:
    head = HEAD + "  environment:\n    A: one\n    B: two\n  layers:\n    - arn:aws:lambda:eu-west-1:1:layer:x:1\n"
    found = function("environment:\n  B: three\nlayers:\n  - arn:aws:lambda:eu-west-1:1:layer:y:2", head=head)
    assert {name: value(item) for name, item in variables(found).items()} == {"A": "one", "B": "three"}
    assert variables(found)["A"].span.line == 6
    assert value(found.layers) == ["arn:aws:lambda:eu-west-1:1:layer:y:2"]


def test_a_vpc_comes_in_parts_and_can_be_left() -> None:
    head = HEAD + "  vpc:\n    securityGroupIds: [sg-1]\n    subnetIds: [subnet-1]\n"
    own = function("vpc:\n  subnetIds: [subnet-2, subnet-3]", head=head)
    assert value(own.resource.get("VpcConfig")) == {"SecurityGroupIds": ["sg-1"], "SubnetIds": ["subnet-2", "subnet-3"]}
    assert function("vpc: ~", head=head).resource.get("VpcConfig") is None
    assert function("vpc:\n  subnetIds: [subnet-2]").network is None


def test_settings_take_cloudformations_shape() -> None:
    found = function(
        "onError: arn:aws:sns:eu-west-1:1:topic\nkmsKeyArn: !GetAtt Key.Arn\nsnapStart: true\n"
        "fileSystemConfig:\n  arn: arn:aws:elasticfilesystem:eu-west-1:1:access-point/a\n  localMountPath: /mnt/a\n"
        "destinations:\n  onFailure: other\nmaximumRetryAttempts: 1\nprovisionedConcurrency: 3\n"
        "url:\n  authorizer: aws_iam\n  cors: true\ntags: {team: a}\nlogs: {logFormat: JSON}\n"
    )
    assert value(found.resource.get("DeadLetterConfig", "TargetArn")) == "arn:aws:sns:eu-west-1:1:topic"
    key = found.resource.get("KmsKeyArn")
    assert isinstance(key, Unknown)
    assert key.refers == Reference("Key", "Arn")
    assert value(found.resource.get("SnapStart", "ApplyOn")) == "PublishedVersions"
    assert found.file_mounts == ("/mnt/a",)
    assert value(found.resource.get("Tags")) == [{"Key": "team", "Value": "a"}]
    assert value(found.resource.get("LoggingConfig", "LogFormat")) == "JSON"


def test_what_comes_with_a_function_is_a_resource_too() -> None:
    found = declared(
        HEAD + "functions:\n  a-b:\n    handler: app.handler\n    provisionedConcurrency: 3\n    url: true\n"
        "    destinations:\n      onFailure: c_d\n  c_d:\n    handler: app.handler\n    disableLogs: true\n"
    )
    resources = found.template.resources
    assert resources["ADashbLambdaFunction"].type == "AWS::Lambda::Function"
    assert resources["ADashbLogGroup"].type == "AWS::Logs::LogGroup"
    assert "CUnderscoredLogGroup" not in resources
    assert value(resources["ADashbLambdaFunctionUrl"].get("AuthType")) == "NONE"
    assert value(resources["ADashbProvConcLambdaAlias"].get("ProvisionedConcurrencyConfig")) == {
        "ProvisionedConcurrentExecutions": 3
    }
    failed = resources["ADashbLambdaEvConf"].get("DestinationConfig", "OnFailure", "Destination")
    assert isinstance(failed, Unknown)
    assert failed.refers == Reference("CUnderscoredLambdaFunction", "Arn")
    (url,) = found.triggers
    assert (url.kind, url.function, url.payload_version) == (TriggerKind.FUNCTION_URL, "a-b", "2.0")
    assert {permission.function for permission in found.permissions} == {"a-b"}


def test_functions_may_come_in_files_and_in_lists() -> None:
    files = {"fns/a.yml": "first:\n  handler: a.b\n  timeout: 9\n", "fns/b.json": '{"third": {"handler": "c.d"}}'}
    text = HEAD + "functions:\n  - ${file(fns/a.yml)}\n  - second:\n      handler: b.c\n  - ${file(./fns/b.json)}\n"
    found = declared(text, files)
    assert [each.name for each in found.functions] == ["first", "second", "third"]
    assert isinstance(found.functions[0].timeout_s, Known)
    assert (found.functions[0].timeout_s.span.path, found.functions[0].timeout_s.span.line) == ("fns/a.yml", 3)
    assert found.functions[0].span.path == "fns/a.yml"


def test_functions_out_of_code_are_said_to_be_unknown() -> None:
    said = Said()
    found = declared(HEAD + "functions: ${file(functions.js):all}\n", said=said)
    assert found.functions == []
    assert said.notes == ["serverless.yml: functions cannot be known from its files"]


# Variables

CUSTOM = """\
custom:
  memory:
    dev: 256
    prod: 2048
  deep: ${self:custom.deeper}
  deeper: ${self:custom.memory.${self:provider.stage}}
  secret: ${ssm:/shop/secret}
  flag: true
"""


@pytest.mark.parametrize(
    ("written", "expected", "parameter"),
    [
        ("${self:custom.memory.prod}", 2048, None),
        ("${self:custom.memory.${sls:stage}}", 256, "stage"),
        ("${self:custom.memory.${opt:stage, 'prod'}}", 2048, "stage"),
        ("${self:custom.deep}", 256, "stage"),
        ("${self:custom.missing, 99}", 99, None),
        ("${self:custom.missing, self:custom.memory.prod}", 2048, None),
        ("${opt:memory, self:custom.missing, '77'}", "77", "memory"),
        ("${opt:stage, self:provider.stage, 'dev'}", "dev", "stage"),
        ("${env:MEMORY, 300}", 300, "MEMORY"),
        ("a-${sls:stage}-b", "a-dev-b", "stage"),
        ("${self:custom.flag}", True, None),
        ("${self:service}-${self:custom.flag}", "shop-true", None),
        ("${strToBool(false)}", False, None),
        ("${opt:stage, ${self:custom.missing, 'x'}}", "x", "stage"),
        ("${self:provider.region}", "us-east-1", "region"),
        ("\\${self:service}", "${self:service}", None),
        ("${file(config.yml):memory.${sls:stage}}", 640, "stage"),
        ("${file(config.${sls:stage}.json):key}", "in json", "stage"),
        ("${file(none.yml):x, 'fallback'}", "fallback", None),
        ("${file(note.txt)}", "text", None),
        ("${self:custom.list.1}", "second", None),
    ],
)
def test_variables_stand_for_what_can_be_known(written: str, expected: Any, parameter: str | None) -> None:
    files = {
        "config.yml": "memory:\n  dev: ${self:custom.big}\n",
        "config.dev.json": '{"key": "in json"}',
        "note.txt": "text",
    }
    custom = CUSTOM + "  big: 640\n  list: [first, second]\n"
    found = function(f"environment:\n  X: {written}", custom, files=files)
    assert value(variables(found)["X"]) == expected
    assert variables(found)["X"].parameter == parameter


@pytest.mark.parametrize(
    "written",
    [
        "${ssm:/shop/secret}",
        "${ssm(eu-west-1):/shop/secret, 'default'}",
        "${cf:stack.Output}",
        "${cf.eu-west-1:stack.Output}",
        "${s3:bucket/key}",
        "${aws:accountId}",
        "${terraform:outputs:x}",
        "${env:NOT_SET}",
        "${opt:stage}",
        "${param:nobody}",
        "${self:custom.missing}",
        "${self:custom.secret}",
        "${self:custom.secret.below}",
        "prefix-${self:custom.secret}",
        "${self:custom.memory.${opt:stage}}",
        "${file(values.js):x}",
        "${file(../outside.yml):x}",
        "${file(/etc/passwd)}",
        "${sls:instanceId}",
        "${construct:jobs.queueUrl}",
        "${git:branch}",
        "${self:custom.itself}",
    ],
)
def test_what_only_a_deployment_knows_is_unknown(written: str) -> None:
    found = function(f"environment:\n  X: {written}", CUSTOM + "  itself: ${self:custom.itself}\n")
    assert isinstance(variables(found)["X"], Unknown)
    assert value(found.runtime) == "python3.13"


def test_a_value_stands_where_it_is_finally_stated() -> None:
    files = {"config/limits.yml": "api:\n  timeout: 25\n"}
    found = function(
        "timeout: ${self:custom.limits.api.timeout}", "custom:\n  limits: ${file(config/limits.yml)}\n", files=files
    )
    assert isinstance(found.timeout_s, Known)
    assert (found.timeout_s.value, found.timeout_s.span.path, found.timeout_s.span.line) == (25, "config/limits.yml", 2)


def test_inputs_decide_what_the_files_leave_open() -> None:
    inputs = Inputs(parameters={"size": "333"}, stage="prod", environment={"NAME": "given"})
    found = function(
        "memorySize: ${self:custom.memory.${sls:stage}}\nenvironment:\n  A: ${opt:stage}\n  B: ${env:NAME}\n"
        "  C: ${param:size}\n  D: ${self:provider.stage}",
        CUSTOM,
        inputs=inputs,
    )
    assert found.memory_mb == Known(2048, found.memory_mb.span)  # type: ignore[union-attr]
    assert {name: value(item) for name, item in variables(found).items()} == {
        "A": "prod",
        "B": "given",
        "C": "333",
        "D": "prod",
    }
    assert value(found.resource.get("FunctionName")) == "shop-prod-hello"


@pytest.mark.parametrize(
    "rest",
    [
        "params:\n  default:\n    size: 1\n  dev:\n    size: 256\n",
        "stages:\n  default:\n    params:\n      size: 1\n  dev:\n    params:\n      size: 256\n",
        "params:\n  default:\n    size: ${self:custom.memory.dev}\n" + CUSTOM,
    ],
)
def test_parameters_of_the_stage_come_before_those_for_all(rest: str) -> None:
    found = function("memorySize: ${param:size}", rest)
    assert value(found.memory_mb) == 256
    assert isinstance(found.memory_mb, Known)
    assert found.memory_mb.parameter == "size"


def test_cloudformations_own_variables_are_left_to_it() -> None:
    found = function("environment:\n  X: !Sub '${AWS::Region}-${Table.Arn}-${self:service}'\n  Y: '${Table}'")
    subbed = variables(found)["X"]
    assert isinstance(subbed, Unknown)
    assert subbed.mentions == (Reference("Table", "Arn"),)
    assert value(variables(found)["Y"]) == "${Table}"


def test_a_syntax_of_ones_own_is_not_understood() -> None:
    head = HEAD + '  variableSyntax: "\\\\${{([~:a-zA-Z0-9._@-]+?)}}"\n'
    found = function("memorySize: ${{self:custom.memory.dev}}\ntimeout: 9", CUSTOM, head=head)
    assert isinstance(found.memory_mb, Unknown)
    assert value(found.timeout_s) == 9


@pytest.mark.parametrize(
    "custom",
    [
        "custom:\n" + "".join(f"  v{n}: ${{self:custom.v{n + 1}}}\n" for n in range(200)) + "  v200: 1\n",
        "custom:\n"
        + "".join(f"  v{n}: ${{self:custom.v{n + 1}}}${{self:custom.v{n + 1}}}\n" for n in range(25))
        + "  v25: aaaa\n",
        "custom:\n"
        + "".join(f"  v{n}: ['${{self:custom.v{n + 1}}}', '${{self:custom.v{n + 1}}}']\n" for n in range(25))
        + "  v25: 1\n",
        "custom:\n  v0: ${self:custom}\n",
        "custom:\n  v0:\n    a: ${self:custom.v1}\n  v1:\n    b: ${self:custom.v0}\n",
        "custom:\n  v0: ${self:}\n",
        "custom:\n  v0: " + "${self:" * 500 + "x" + "}" * 500 + "\n",
        "custom:\n  v0: " + "${" * 30000 + "}" * 30000 + "\n",
    ],
    ids=("chain", "text", "nodes", "itself", "mutual", "all", "nesting", "braces"),
)
def test_hostile_variables_are_bounded(custom: str) -> None:
    said = Said()
    found = function("environment:\n  X: ${self:custom.v0}\ntimeout: 9", custom, said=said)
    assert value(found.timeout_s) == 9
    assert len(said.notes) <= 3


def test_a_broken_file_costs_what_stands_in_it() -> None:
    said = Said()
    found = function("memorySize: ${file(bad.yml):x}\ntimeout: 9", files={"bad.yml": "a: [\n"}, said=said)
    assert isinstance(found.memory_mb, Unknown)
    assert value(found.timeout_s) == 9
    assert [failure.path for failure in said.failures] == ["bad.yml"]


# Resources

QUEUE = """\
resources:
  Resources:
    Jobs:
      Type: AWS::SQS::Queue
      Properties:
        VisibilityTimeout: ${self:custom.visibility}
        QueueName: jobs-${sls:stage}
custom:
  visibility: 5
"""


def test_references_reach_the_resources_of_the_service() -> None:
    own = "    environment:\n      URL: !Ref Jobs\n      ARN:\n        Fn::GetAtt: [Jobs, Arn]\n"
    text = ONE + own + QUEUE
    found = declared(text)
    env = variables(found.functions[0])
    assert env["URL"].refers == Reference("Jobs")
    assert env["ARN"].refers == Reference("Jobs", "Arn")
    visibility = found.template.resources["Jobs"].get("VisibilityTimeout")
    assert isinstance(visibility, Known)
    assert (visibility.value, visibility.span.line) == (5, 20)


def test_resources_may_come_in_files_and_change_what_is_compiled() -> None:
    files = {
        "r/queue.yml": "Resources:\n  Jobs:\n    Type: AWS::SQS::Queue\n",
        "r/topic.yml": "Resources:\n  News:\n    Type: AWS::SNS::Topic\n",
    }
    rest = (
        "resources:\n  - ${file(r/queue.yml)}\n  - ${file(r/topic.yml)}\n"
        "  - Resources:\n      HelloLambdaFunction:\n        Properties:\n          MemorySize: 2048\n"
        "  - extensions:\n      HelloLogGroup:\n        Properties:\n          RetentionInDays: 7\n"
    )
    text = f"{HEAD}functions:\n  hello:\n    handler: app.handler\n{rest}"
    found = declared(text, files)
    assert {"Jobs", "News"} <= set(found.template.resources)
    assert found.template.resources["Jobs"].span.path == "r/queue.yml"
    assert value(found.functions[0].memory_mb) == 2048
    assert value(found.functions[0].runtime) == "python3.13"
    assert value(found.template.resources["HelloLogGroup"].get("RetentionInDays")) == 7


def test_resources_name_functions_by_their_logical_name() -> None:
    found = triggers(
        "[]",
        "resources:\n  Resources:\n    Sub:\n      Type: AWS::SNS::Subscription\n      Properties:\n"
        "        Protocol: lambda\n        TopicArn: arn:aws:sns:eu-west-1:1:t\n"
        "        Endpoint: !GetAtt HelloDashworldLambdaFunction.Arn\n",
    )
    assert [(each.kind, each.function) for each in found] == [(TriggerKind.SNS, "hello-world")]


def test_conditions_and_parameters_are_cloudformations() -> None:
    found = function(
        "environment:\n  X: !If [Never, a, a]\n  Y: !Ref Size",
        "resources:\n  Parameters:\n    Size:\n      Type: String\n      Default: big\n  Conditions:\n"
        "    Never: !Equals [a, b]\n",
    )
    assert value(variables(found)["X"]) == "a"
    assert value(variables(found)["Y"]) == "big"


def test_the_role_says_what_the_service_and_its_events_say() -> None:
    allowed = "{Effect: Allow, Action: 's3:*', Resource: '*'}"
    head = f"{HEAD}  iam:\n    role:\n      statements:\n        - {allowed}\n"
    found = declared(f"{head}functions:\n  f:\n    handler: a.b\n    events:\n      - sqs: !GetAtt Jobs.Arn\n{QUEUE}")
    role = found.template.resources["IamRoleLambdaExecution"]
    assert role.type == "AWS::IAM::Role"
    (policy,) = value_of_policies(role.get("Policies"))
    actions = [statement.value["Action"] for statement in policy]
    assert [value(each) for each in actions][2:] == [
        "s3:*",
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    ]
    assert actions[2].span.line == 8
    stated = found.functions[0].resource.get("Role")
    assert isinstance(stated, Unknown)
    assert stated.refers == Reference("IamRoleLambdaExecution", "Arn")


def value_of_policies(policies: Any) -> list[Any]:
    return [policy.value["PolicyDocument"].value["Statement"].value for policy in policies.value]


def test_a_stated_role_is_taken_and_none_is_made() -> None:
    head = HEAD + "  iam:\n    role: arn:aws:iam::1:role/shared\n"
    found = declared(f"{head}functions:\n  f:\n    handler: a.b\n  g:\n    handler: a.b\n    role: Own\n")
    assert "IamRoleLambdaExecution" not in found.template.resources
    assert value(found.functions[0].resource.get("Role")) == "arn:aws:iam::1:role/shared"
    own = found.functions[1].resource.get("Role")
    assert isinstance(own, Unknown)
    assert own.refers == Reference("Own", "Arn")


def test_functions_may_have_roles_of_their_own() -> None:
    shared_statement, own_statement = (
        f"- {{Effect: Allow, Action: '{action}', Resource: '*'}}\n" for action in ("a:b", "c:d")
    )
    found = declared(
        f"{HEAD}  iamRoleStatements:\n    {shared_statement}functions:\n  f:\n    handler: a.b\n"
        f"    iamRoleStatements:\n      {own_statement}  g:\n    handler: a.b\n"
    )
    (own,) = value_of_policies(found.template.resources["FIamRoleLambdaExecution"].get("Policies"))
    (shared,) = value_of_policies(found.template.resources["IamRoleLambdaExecution"].get("Policies"))
    assert value(own[-1].value["Action"]) == "c:d"
    assert value(shared[-1].value["Action"]) == "a:b"
    assert len(own) == len(shared) == 3


# Events


@pytest.mark.parametrize(
    ("event", "kind", "proxy", "payload"),
    [
        ("- http: GET /items", TriggerKind.REST_API, True, "1.0"),
        ("- http:\n    path: items/{id}\n    method: get", TriggerKind.REST_API, True, "1.0"),
        ("- http:\n    path: items\n    method: any\n    integration: lambda", TriggerKind.REST_API, False, "1.0"),
        ("- http:\n    path: items\n    method: any\n    integration: LAMBDA_PROXY", TriggerKind.REST_API, True, "1.0"),
        ("- http:\n    path: items\n    method: any\n    async: true", TriggerKind.REST_API, False, "1.0"),
        ("- http:\n    path: items\n    method: any\n    integration: ${env:X}", TriggerKind.REST_API, None, "1.0"),
        ("- httpApi: '*'", TriggerKind.HTTP_API, True, "2.0"),
        ("- httpApi: GET /items", TriggerKind.HTTP_API, True, "2.0"),
        ("- websocket: $connect", TriggerKind.WEBSOCKET_API, True, "1.0"),
        ("- s3: photos", TriggerKind.S3, None, None),
        ("- s3:\n    bucket: photos\n    existing: true", TriggerKind.S3, None, None),
        ("- sns: news", TriggerKind.SNS, None, None),
        ("- sns: arn:aws:sns:eu-west-1:1:news", TriggerKind.SNS, None, None),
        ("- sns:\n    arn: !Ref News\n    topicName: news", TriggerKind.SNS, None, None),
        ("- sqs: arn:aws:sqs:eu-west-1:1:jobs", TriggerKind.SQS, None, None),
        ("- sqs:\n    arn: !ImportValue jobs", TriggerKind.SQS, None, None),
        ("- stream: arn:aws:dynamodb:eu-west-1:1:table/t/stream/1", TriggerKind.DYNAMODB, None, None),
        ("- stream:\n    type: kinesis\n    arn: !ImportValue s", TriggerKind.KINESIS, None, None),
        ("- stream:\n    arn: !GetAtt Table.StreamArn", TriggerKind.DYNAMODB, None, None),
        ("- msk:\n    arn: !ImportValue c\n    topic: t", TriggerKind.MSK, None, None),
        ("- kafka:\n    bootstrapServers: [a]\n    topic: t", TriggerKind.KAFKA, None, None),
        ("- activemq:\n    arn: !ImportValue b\n    queue: q\n    basicAuthArn: s", TriggerKind.MQ, None, None),
        ("- rabbitmq:\n    arn: !ImportValue b\n    queue: q", TriggerKind.MQ, None, None),
        ("- schedule: rate(5 minutes)", TriggerKind.SCHEDULE, None, None),
        ("- schedule:\n    rate: ['cron(0 1 * * ? *)']\n    method: scheduler", TriggerKind.SCHEDULE, None, None),
        ("- eventBridge:\n    pattern: {source: [a]}", TriggerKind.EVENTBRIDGE, None, None),
        ("- eventBridge:\n    schedule: rate(1 hour)", TriggerKind.SCHEDULE, None, None),
        ("- cloudwatchEvent:\n    event: {source: [a]}", TriggerKind.EVENTBRIDGE, None, None),
        ("- cloudwatchLog: /aws/lambda/other", TriggerKind.LOGS, None, None),
        ("- alb:\n    listenerArn: a\n    priority: 1", TriggerKind.ALB, None, None),
        ("- iot:\n    sql: SELECT * FROM 'x'", TriggerKind.IOT, None, None),
        ("- alexaSkill", TriggerKind.ALEXA, None, None),
        ("- alexaSkill: amzn1.ask.skill.x", TriggerKind.ALEXA, None, None),
        ("- alexaSmartHome: amzn1.ask.skill.x", TriggerKind.ALEXA, None, None),
        ("- cognitoUserPool:\n    pool: users\n    trigger: PreSignUp", TriggerKind.COGNITO, None, None),
        (
            "- cognitoUserPool:\n    pool: users\n    trigger: PreSignUp\n    existing: true",
            TriggerKind.COGNITO,
            None,
            None,
        ),
        ("- cloudFront:\n    eventType: viewer-request", TriggerKind.OTHER, None, None),
        ("- somePlugin: x", TriggerKind.OTHER, None, None),
    ],
)
def test_every_event_is_a_trigger(event: str, kind: TriggerKind, proxy: bool | None, payload: str | None) -> None:
    found = trigger(event)
    assert (found.kind, found.payload_version) == (kind, payload)
    if kind is not TriggerKind.ALB:
        assert found.proxy is proxy
    assert found.span.line == 9


def test_the_payload_of_an_http_api_is_the_functions_or_the_providers() -> None:
    head = HEAD + "  httpApi:\n    payload: '1.0'\n"
    assert trigger("- httpApi: GET /", head=head).payload_version == "1.0"


def test_an_event_source_mapping_has_cloudformations_settings() -> None:
    found = trigger(
        "- sqs:\n    arn: !GetAtt Jobs.Arn\n    batchSize: 50\n    maximumBatchingWindow: 20\n"
        "    functionResponseType: ReportBatchItemFailures\n    maximumConcurrency: 4\n"
        "    filterPatterns:\n      - body: {a: [1]}",
        QUEUE,
    )
    assert found.source is not None
    assert found.source.name == "Jobs"
    assert found.kind.invocation is Invocation.POLLED
    settings = {name: value(item) for name, item in found.settings.items() if isinstance(item, Known)}
    assert settings == {
        "BatchSize": 50,
        "MaximumBatchingWindowInSeconds": 20,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 4},
        "FilterCriteria": {"Filters": [{"Pattern": '{"body": {"a": [1]}}'}]},
        "Enabled": True,
    }
    assert found.settings["BatchSize"].span.line == 11


def test_a_stream_may_have_a_destination_and_a_consumer() -> None:
    rest = "resources:\n  Resources:\n    Clicks:\n      Type: AWS::Kinesis::Stream\n"
    found = trigger(
        "- stream:\n    type: kinesis\n    arn: !GetAtt Clicks.Arn\n    consumer: true\n    batchWindow: 3\n"
        "    bisectBatchOnFunctionError: true\n    destinations:\n      onFailure: arn:aws:sqs:eu-west-1:1:dead",
        rest,
    )
    assert found.kind is TriggerKind.KINESIS
    assert found.source is not None
    assert found.source.type == "AWS::Kinesis::StreamConsumer"
    assert value(found.settings["BisectBatchOnFunctionError"]) is True
    assert value(found.settings["MaximumBatchingWindowInSeconds"]) == 3
    assert value(found.settings["StartingPosition"]) == "TRIM_HORIZON"
    assert value(found.settings["DestinationConfig"]) == {"OnFailure": {"Destination": "arn:aws:sqs:eu-west-1:1:dead"}}


def test_several_events_keep_apart() -> None:
    found = triggers(
        "- schedule: rate(1 minute)\n- schedule:\n    rate: [rate(2 minutes), rate(3 minutes)]\n    enabled: false\n"
        "- s3:\n    bucket: photos\n    rules:\n      - suffix: .png\n"
        "- s3:\n    bucket: photos\n    event: s3:ObjectRemoved:*\n"
        "- http: GET /a\n- http: POST /a\n"
    )
    kinds = sorted(each.kind.value for each in found)
    assert kinds == ["rest-api", "rest-api", "s3", "s3", "schedule", "schedule", "schedule"]
    assert [each.source.name for each in found if each.source and each.kind is TriggerKind.S3] == ["S3BucketPhotos"] * 2


@pytest.mark.parametrize(
    ("event", "key"),
    [
        ("'*'", "$default"),
        ("GET /items", "GET /items"),
        ("'* /items'", "ANY /items"),
        ("{method: '*', path: /a}", "ANY /a"),
    ],
)
def test_a_route_is_named_as_api_gateway_does(event: str, key: str) -> None:
    found = declared(f"{ONE}    events:\n      - httpApi: {event}\n")
    (route,) = (each for each in found.template.resources.values() if each.type == "AWS::ApiGatewayV2::Route")
    assert value(route.get("RouteKey")) == key


def test_more_events_than_anyone_could_deploy_are_not_all_read() -> None:
    found = declared(ONE + "    events:\n" + "      - schedule: rate(1 minute)\n" * (MAX_EVENTS + 5))
    assert len(found.triggers) == MAX_EVENTS
    assert not found.functions[0].triggers_complete


def test_an_authorizer_of_the_service_is_called_too() -> None:
    text = (
        HEAD + "functions:\n  auth:\n    handler: a.b\n  api:\n    handler: a.b\n    events:\n"
        "      - http:\n          path: x\n          method: get\n          authorizer: auth\n"
    )
    found = declared(text)
    assert {(each.function, each.kind) for each in found.triggers} == {
        ("api", TriggerKind.REST_API),
        ("auth", TriggerKind.AUTHORIZER),
    }
    (method,) = (each for each in found.template.resources.values() if each.type == "AWS::ApiGateway::Method")
    assert value(method.get("AuthorizationType")) == "CUSTOM"


def test_a_permission_comes_with_what_needs_one() -> None:
    found = declared(HEAD + "functions:\n  f:\n    handler: a.b\n    events:\n      - s3: photos\n      - alexaSkill\n")
    assert [value(each.settings["Principal"]) for each in found.permissions] == [
        "s3.amazonaws.com",
        "alexa-appkit.amazon.com",
    ]
    assert {each.function for each in found.permissions} == {"f"}


def test_events_out_of_code_leave_the_triggers_open() -> None:
    assert not function("events: ${file(events.js)}").triggers_complete
    assert not function("events:\n  - ${file(events.js)}\n  - http: GET /").triggers_complete
    assert function("events:\n  - http: GET /").triggers_complete


# Code


def test_the_code_is_the_folder_of_the_service() -> None:
    files = {
        "shop/serverless.yml": HEAD + "functions:\n  f:\n    handler: src/app.handler\n",
        "shop/src/app.py": HANDLER,
    }
    (found,) = project_of(files).functions
    assert found.dialect is Dialect.SERVERLESS
    assert found.code is not None
    assert (found.code.kind, found.code.root) == (CodeKind.FOLDER, "shop")
    assert found.target.state is Handling.RESOLVED
    assert found.handler_path == "shop/src/app.py"


def test_an_artifact_and_an_image_are_taken_as_such() -> None:
    missing = function("package:\n  artifact: build/out.zip").code
    assert missing is not None
    assert (missing.kind, missing.path) == (CodeKind.MISSING, "build/out.zip")
    text = HEAD + "functions:\n  f:\n    image: 1.dkr.ecr.eu-west-1.amazonaws.com/x@sha256:a\n"
    (image,) = declared(text).functions
    assert image.image
    assert image.runtime is None
    assert image.code is not None
    assert image.code.kind is CodeKind.IMAGE


@pytest.mark.parametrize(
    ("individually", "root"),
    [("true", "api"), ("false", ""), ("${env:ALONE, false}", None)],
)
def test_a_module_is_packaged_on_its_own_only_when_all_are(individually: str, root: str | None) -> None:
    rest = f"package:\n  individually: {individually}\nplugins:\n  - serverless-python-requirements\n"
    found = function("module: api", rest, files={"api/app.py": HANDLER})
    assert (found.code and found.code.root) == root


def test_layers_of_the_service_are_found_by_reference() -> None:
    files = {
        "serverless.yml": HEAD
        + "layers:\n  shared-code:\n    path: layer\n    compatibleRuntimes: [python3.13]\nfunctions:\n  f:\n"
        "    handler: app.handler\n    layers:\n      - !Ref SharedDashcodeLambdaLayer\n",
        "app.py": "import shared\n" + HANDLER,
        "layer/python/shared.py": "",
    }
    (found,) = project_of(files).functions
    assert [layer.code.root for layer in found.local_layers] == ["layer"]
    assert found.layers_complete
    assert "layer/python/shared.py" in found.modules.values()


def test_a_handler_that_a_plugin_writes_is_not_missed() -> None:
    handler = "    handler: wsgi_handler.handler\n    events:\n      - httpApi: '*'\n"
    text = f"{HEAD}plugins: [serverless-wsgi]\nfunctions:\n  f:\n{handler}"
    result = check_files({"serverless.yml": text, "app.py": "app = None\n"})
    assert not [finding for finding in result.findings if finding.code == "LH001"]


def test_a_response_behind_a_plain_integration_may_have_any_body() -> None:
    code = "def handler(event, context):\n    return {'statusCode': 200, 'body': {'a': 1}}\n"
    text = f"{ONE}    events:\n      - http:\n          path: a\n          method: get\n"
    names = ("malformed-proxy-response",)
    proxied = check_files({"serverless.yml": text, "app.py": code}, select=names)
    plain = check_files({"serverless.yml": text + "          integration: lambda\n", "app.py": code}, select=names)
    assert [finding.name for finding in proxied.findings] == ["malformed-proxy-response"]
    assert plain.findings == ()


def test_a_fault_is_found_at_the_line_that_states_it() -> None:
    text = f"{ONE}    timeout: 30\n    events:\n      - sqs: !GetAtt Jobs.Arn\n{QUEUE}"
    result = check_files({"serverless.yml": text, "app.py": HANDLER}, select=("visibility-below-timeout",))
    (finding,) = result.findings
    assert isinstance(finding.at, Span)
    assert finding.at.line == text.splitlines().index("  visibility: 5") + 1
    assert "Jobs" in finding.message
    assert "f may take 30 s" in finding.message
