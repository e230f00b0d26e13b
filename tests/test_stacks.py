"""Language extensions, includes, parameters from outside, and stacks inside stacks."""

from collections.abc import Mapping
from typing import Any

import pytest

from lambdalint.join.cloudformation import Declared
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.stacks import declare_document, root_documents
from lambdalint.model.document import Mapping as Document
from lambdalint.model.function import TriggerKind
from lambdalint.model.network import Network, RouteTarget
from lambdalint.model.places import Span
from lambdalint.model.role import Role
from lambdalint.model.values import Known, Property, Reference, Unknown
from lambdalint.readers.tree import MemoryTree
from lambdalint.readers.yaml import read_yaml
from lambdalint.testing import project_of

APP = "def handler(event, context):\n    return {}\n"
FUNCTION = """\
  Orders:
    Type: AWS::Lambda::Function
    Properties: {Code: src/, Handler: app.handler, Runtime: python3.13, Role: !GetAtt Role.Arn}
"""


def document(text: str, path: str = "template.yaml") -> Document:
    found = read_yaml(text, path)
    assert isinstance(found, Document)
    return found


def declared(
    files: Mapping[str, str], parameters: Mapping[str, str] | None = None, said: Said | None = None
) -> Declared:
    tree = MemoryTree(files)
    return declare_document(document(files["template.yaml"]), "template.yaml", tree, Inputs(parameters or {}), said)


def value(
    expression: str, head: str = "", files: Mapping[str, str] | None = None, **parameters: str
) -> Property | None:
    text = f"{head}Resources:\n  Thing:\n    Type: AWS::SSM::Parameter\n    Properties:\n      Value: {expression}\n"
    resources = declared({"template.yaml": text, **(files or {})}, parameters).template.resources
    return resources["Thing"].get("Value")


def plain(found: Property | None) -> Any:
    match found:
        case Known(Mapping() as items):
            return {key: plain(item) for key, item in items.items()}
        case Known(tuple() as items):
            return [plain(item) for item in items]
        case Known(content):
            return content
        case Unknown(choices=choices) if choices:
            return {"choices": [plain(each) for each in choices]}
    return found and f"? {found.expression}"


HEAD = """\
Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList, Default: "a,b"}
  Stage: {Type: String, Default: dev}
  Size: {Type: Number, Default: 1}
  Secret: {Type: "AWS::SSM::Parameter::Value<String>", Default: /secret}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Mappings:
  Sizes: {dev: {Memory: 256, Disk: 1}, prod: {Memory: 512, Disk: 1}}
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{Fn::Length: !Ref Names}", 2),
        ("{Fn::Length: [1, 2, 3]}", 3),
        ("{Fn::ToJsonString: {a: [1, true], b: !Ref Stage}}", '{"a":[1,true],"b":"dev"}'),
        ("{Fn::FindInMap: [Sizes, staging, Memory, {DefaultValue: 64}]}", 64),
        ("{Fn::FindInMap: [Sizes, dev, Memory, {DefaultValue: 64}]}", 256),
        ('{Fn::FindInMap: [!Sub "Sizes", !Ref Stage, Memory]}', 256),
        ("{Fn::FindInMap: [Sizes, !Ref AWS::Region, Memory]}", {"choices": [256, 512]}),
        ("{Fn::FindInMap: [Sizes, !Ref AWS::Region, Disk]}", 1),
        ("{Fn::FindInMap: [Sizes, !Ref AWS::Region, Disk, {DefaultValue: 2}]}", {"choices": [1, 2]}),
        ("!Cidr [10.0.0.0/16, 2, 8]", ["10.0.0.0/24", "10.0.1.0/24"]),
        ("!Select [1, !Cidr [10.0.0.0/16, 2, 8]]", "10.0.1.0/24"),
        ("!Cidr [10.0.0.0/31, 200, 8]", "? Fn::Cidr"),
        ("!Base64 orders", "b3JkZXJz"),
        ("!GetAZs ''", "? !GetAZs"),
        ("!ImportValue shared-queue", "? !ImportValue shared-queue"),
        ("{Fn::GetStackOutput: [other, Queue]}", "? !GetStackOutput other, Queue"),
        ("!Sub ['${A}-${Stage}', {A: x}]", "x-dev"),
        ("[1, !Ref AWS::NoValue, 2]", [1, 2]),
        ("[!If [IsProd, 1, !Ref AWS::NoValue]]", [{"choices": [1, None]}]),
        ("{a: !Ref AWS::NoValue, b: 1}", {"b": 1}),
        ("!If [IsProd, !Ref AWS::NoValue, !Ref AWS::NoValue]", None),
        ("!Ref Secret", "? !Ref Secret"),
        ("!Ref AWS::Region", "? !Ref AWS::Region"),
        ("{Fn::ForEach::N: [N, !Ref Names, {'x${N}': !Ref N}]}", {"xa": "a", "xb": "b"}),
        ("{Fn::ForEach::N: [N, [a.b, c], {'x&{N}': 'on ${N}'}]}", {"xab": "on a.b", "xc": "on c"}),
        (
            "{Fn::ForEach::N: [N, [a, b], {Fn::ForEach::M: [M, ['1', '2'], {'${N}${M}': '${M}'}]}]}",
            {"a1": "1", "a2": "2", "b1": "1", "b2": "2"},
        ),
        ("{Fn::ForEach::N: [N, !Ref Unheard, {'${N}': 1}], b: 2}", {"b": 2}),
    ],
)
def test_functions_of_the_language_extensions(expression: str, expected: Any) -> None:
    assert plain(value(expression, HEAD)) == expected


def test_a_condition_is_decided_by_a_value_given_from_outside() -> None:
    assert plain(value("!If [IsProd, 1, 2]", HEAD)) == {"choices": [1, 2]}
    assert plain(value("!If [IsProd, 1, 2]", HEAD, Stage="prod")) == 1


def test_a_given_value_has_the_parameters_type_and_place() -> None:
    found = value("!Ref Size", HEAD, Size="7")
    assert found == Known(7, Span("template.yaml", 5, 2, 5, 6))
    assert plain(value("!Ref Names", HEAD, Names="x, y")) == ["x", "y"]
    assert plain(value("!Ref AWS::Region", HEAD, None, **{"AWS::Region": "eu-central-1"})) == "eu-central-1"
    assert plain(value("!Ref Secret", HEAD, Secret="/other")) == "? !Ref Secret"


@pytest.mark.parametrize(
    "config",
    [
        'parameter_overrides = "Size=1 Stage=\\"prod\\""',
        'parameter_overrides = ["Size=1", "Stage=prod"]',
        'parameter_overrides = "ParameterKey=Size,ParameterValue=1 ParameterKey=Stage,ParameterValue=prod"',
        'parameter_overrides = {Size = 1, Stage = "prod"}',
    ],
)
@pytest.mark.parametrize("command", ["global", "deploy"])
def test_samconfig_gives_parameters_in_every_spelling(config: str, command: str) -> None:
    text = f"version = 0.1\n[default.{command}.parameters]\nstack_name = 'a'\n{config}\n"
    found = value("!Ref Stage", HEAD, {"samconfig.toml": text})
    assert isinstance(found, Known)
    assert (found.value, found.parameter, found.span.path, found.span.line) == ("prod", "Stage", "samconfig.toml", 4)
    assert text.splitlines()[3][found.span.column : found.span.end_column] == "Stage"


def test_samconfig_may_be_yaml_or_for_another_template() -> None:
    yaml = "version: 0.1\ndefault: {deploy: {parameters: {parameter_overrides: [Stage=prod]}}}\n"
    assert plain(value("!Ref Stage", HEAD, {"samconfig.yaml": yaml})) == "prod"
    other = "[default.deploy.parameters]\ntemplate_file = 'other.yaml'\nparameter_overrides = 'Stage=prod'\n"
    assert plain(value("!Ref Stage", HEAD, {"samconfig.toml": other})) == "dev"
    said = Said()
    declared({"template.yaml": f"Resources:\n{FUNCTION}", "samconfig.toml": "["}, said=said)
    assert [failure.path for failure in said.failures] == ["samconfig.toml"]


LOOP = """\
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Functions:
    - Name
    - [orders, billing]
    - "${Name}Function":
        Type: AWS::Lambda::Function
        Properties: {Code: src/, Handler: "${Name}.handler", Runtime: python3.13, FunctionName: !Ref Name}
      "${Name}Mapping":
        Type: AWS::Lambda::EventSourceMapping
        Properties: {FunctionName: !GetAtt "${Name}Function.Arn", EventSourceArn: !GetAtt Jobs.Arn}
  Jobs: {Type: AWS::SQS::Queue}
"""


def test_a_loop_over_resources_makes_each_of_them() -> None:
    found = declared({"template.yaml": LOOP})
    assert [(each.name, plain(each.handler), each.span.line) for each in found.functions] == [
        ("ordersFunction", "orders.handler", 6),
        ("billingFunction", "billing.handler", 6),
    ]
    assert [(each.function, each.kind) for each in found.triggers] == [
        ("ordersFunction", TriggerKind.SQS),
        ("billingFunction", TriggerKind.SQS),
    ]


def test_a_loop_bomb_is_bounded_and_said() -> None:
    body = "{Type: AWS::SQS::Queue}"
    for depth in range(6):
        body = f"{{'Fn::ForEach::L{depth}': [N{depth}, [{', '.join(f'x{n}' for n in range(20))}], {body}]}}"
    text = f"Resources:\n  Fn::ForEach::A: [N, [a], {body}]\n  Jobs: {{Type: AWS::SQS::Queue}}\n"
    said = Said()
    assert "Jobs" in declared({"template.yaml": text}, said=said).template.resources
    assert any("makes more than can be looked at" in note for note in said.notes)


def test_includes_are_taken_in_at_every_level() -> None:
    files = {
        "template.yaml": """\
Fn::Transform: {Name: AWS::Include, Parameters: {Location: parts/mappings.yaml}}
Resources:
  Fn::Transform: {Name: AWS::Include, Parameters: {Location: parts/resources.yaml}}
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Handler: app.handler
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: parts/settings.yaml}}
      MemorySize: !FindInMap [Sizes, dev, Memory]
""",
        "parts/mappings.yaml": "Mappings: {Sizes: {dev: {Memory: 256}}}\n",
        "parts/resources.yaml": "Jobs: {Type: AWS::SQS::Queue}\n",
        "parts/settings.yaml": "Runtime: python3.13\nTimeout: 9\n",
    }
    found = declared(files)
    (function,) = found.functions
    assert (plain(function.runtime), plain(function.memory_mb)) == ("python3.13", 256)
    assert isinstance(function.timeout_s, Known)
    assert function.timeout_s.span == Span("parts/settings.yaml", 2, 9, 2, 10)
    assert "Jobs" in found.template.resources


def test_includes_in_circles_and_from_elsewhere_are_unknown() -> None:
    include = "{Fn::Transform: {Name: AWS::Include, Parameters: {Location: %s}}}"
    assert isinstance(value(include % "s3://bucket/part.yaml"), Unknown)
    assert isinstance(value(include % "../outside.yaml"), Unknown)
    round_trip = value(include % "a.yaml", "", {"a.yaml": f"A: {include % 'a.yaml'}\n"})
    assert isinstance(round_trip, Known)
    value(include % "a.yaml", "", {"a.yaml": include % "a.yaml"})


PARENT = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Memory: {Type: Number, Default: 512}
Resources:
  Shared:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: shared/queues.yaml}
  Billing:
    Type: AWS::Serverless::Application
    Properties:
      Location: app/template.yaml
      Parameters:
        Memory: !Ref Memory
        Queue: !GetAtt Shared.Outputs.Jobs
        Timeout: 30
  Orders:
    Type: AWS::Serverless::Application
    Properties: {Location: app/template.yaml, Parameters: {Queue: !GetAtt Own.Arn, Timeout: 60}}
  Own: {Type: AWS::SQS::Queue}
"""
CHILD = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Memory: {Type: Number, Default: 128}
  Queue: {Type: String}
  Timeout: {Type: Number, Default: 3}
Conditions:
  IsLong: !Equals [!Ref Timeout, 60]
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      MemorySize: !Ref Memory
      Timeout: !Ref Timeout
      Description: !If [IsLong, long, short]
      Events:
        Job: {Type: SQS, Properties: {Queue: !Ref Queue}}
Outputs:
  Arn: {Value: !GetAtt Worker.Arn}
"""
SHARED = """\
Resources:
  Jobs: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 10}}
Outputs:
  Jobs: {Value: !GetAtt Jobs.Arn}
"""
FILES = {
    "template.yaml": PARENT,
    "app/template.yaml": CHILD,
    "app/src/app.py": APP,
    "shared/queues.yaml": SHARED,
}


def test_nested_stacks_are_read_with_what_their_parent_gives_them() -> None:
    project = project_of(FILES)
    assert [template.path for template in project.templates] == ["template.yaml"]
    billing, orders = project.functions
    assert (billing.name, orders.name) == ("Billing.Worker", "Orders.Worker")
    assert (plain(billing.memory_mb), plain(orders.memory_mb)) == (512, 128)
    assert (plain(billing.timeout_s), plain(orders.timeout_s)) == (30, 60)
    assert isinstance(billing.timeout_s, Known)
    assert billing.timeout_s.span == Span("template.yaml", 15, 17, 15, 19)
    assert (plain(billing.resource.get("Description")), plain(orders.resource.get("Description"))) == ("short", "long")
    assert billing.span.path == "app/template.yaml"
    assert billing.handler_path == "app/src/app.py"
    assert isinstance(billing.role, Role)


def test_references_lead_across_stacks() -> None:
    billing, orders = project_of(FILES).functions
    assert [each.source.name for each in billing.triggers if each.source] == ["Shared.Jobs"]
    assert [each.source.name for each in orders.triggers if each.source] == ["Own"]
    assert billing.triggers[0].source
    assert billing.triggers[0].source.span.path == "shared/queues.yaml"
    assert plain(billing.triggers[0].source.get("VisibilityTimeout")) == 10
    arn = billing.triggers[0].settings["EventSourceArn"]
    assert isinstance(arn, Unknown)
    assert arn.refers == Reference("Shared.Jobs", "Arn")


NETWORK = """\
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Private: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc}}
  Nat: {Type: AWS::EC2::NatGateway, Properties: {SubnetId: !Ref Private}}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Out:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}
  Link: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref Private, RouteTableId: !Ref Table}}
Outputs:
  Private: {Value: !Ref Private}
"""
INSIDE = """\
Resources:
  Network: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: network.yaml}}
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Code: src/
      Handler: app.handler
      Runtime: python3.13
      VpcConfig: {SubnetIds: [!GetAtt Network.Outputs.Private], SecurityGroupIds: [sg-1]}
"""


def test_a_network_may_be_in_another_stack() -> None:
    (function,) = project_of({"template.yaml": INSIDE, "network.yaml": NETWORK, "src/app.py": APP}).functions
    network = function.network
    assert isinstance(network, Network)
    assert network.complete
    (subnet,) = network.subnets
    assert (subnet.name, subnet.vpc) == ("Network.Private", "Network.Vpc")
    assert subnet.table
    assert [route.target for route in subnet.table.routes] == [RouteTarget.NAT_GATEWAY]


def test_stacks_that_nest_one_another_end_somewhere() -> None:
    nest = "Resources:\n  S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: %s}}\n"
    files = {"a.yaml": nest % "b.yaml", "b.yaml": nest % "a.yaml" + FUNCTION, "c.yaml": nest % "c.yaml"}
    documents = {path: document(text, path) for path, text in files.items()}
    assert root_documents(documents, MemoryTree(files)) == ["c.yaml", "a.yaml"]
    project = project_of(files)
    assert [each.name for each in project.functions] == ["S.Orders"]
    assert any("nests itself" in note for note in project.notes)


def test_outputs_and_parameters_in_circles_are_unknown() -> None:
    files = {
        "template.yaml": """\
Resources:
  S:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: child.yaml, Parameters: {A: !GetAtt S.Outputs.A}}
""",
        "child.yaml": """\
Parameters: {A: {Type: String}}
Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Value: !Ref A}}
Outputs: {A: {Value: !Ref A}}
""",
    }
    assert isinstance(declared(files).template.resources["S.P"].get("Value"), Unknown)


ROLES = """\
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties: {Code: src/, Handler: app.handler, Runtime: python3.13, Role: !GetAtt Role.Arn}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: orders
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess, !Ref Own]
      PermissionsBoundary: arn:aws:iam::111122223333:policy/boundary
      Policies:
        - {PolicyName: inline, PolicyDocument: {Statement: {Effect: Allow, Action: "s3:*", Resource: "*"}}}
  Own:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Statement: [{Effect: Allow, Action: [sqs:SendMessage], Resource: !GetAtt Jobs.Arn}]}
  Attached:
    Type: AWS::IAM::Policy
    Condition: Never
    Properties:
      PolicyName: attached
      Roles: [!Ref Role]
      PolicyDocument: {Statement: [{Effect: Deny, NotAction: "sqs:*", NotResource: "*"}]}
  Jobs: {Type: AWS::SQS::Queue}
"""


def test_a_role_is_put_together_from_all_that_adds_to_it() -> None:
    (function,) = project_of({"template.yaml": ROLES, "src/app.py": APP}).functions
    role = function.role
    assert isinstance(role, Role)
    assert (role.name, role.complete, role.generated) == ("Role", True, False)
    assert [plain(each) for each in role.managed] == ["arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess", "? !Ref Own"]
    assert [(each.policy, plain(each.effect), each.conditional) for each in role.statements] == [
        ("Own", "Allow", False),
        ("inline", "Allow", False),
        ("Attached", "Deny", True),
    ]
    assert [plain(each) for each in role.statements[2].not_actions] == ["sqs:*"]
    assert role.trust
    assert plain(role.trust[0].principals) == {"Service": "lambda.amazonaws.com"}
    assert plain(role.boundary) == "arn:aws:iam::111122223333:policy/boundary"


XRAY = "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess"


@pytest.mark.parametrize(
    ("written", "instead", "complete"),
    [
        ("Action: [sqs:SendMessage]", "Action: !Ref Actions", True),
        (XRAY, f'!Sub "{XRAY.replace("aws", "${AWS::Partition}", 1)}"', True),
        (XRAY, "!ImportValue policy", False),
        ('{Statement: {Effect: Allow, Action: "s3:*", Resource: "*"}}', "!ImportValue document", False),
        ("Roles: [!Ref Role]", "Roles: !ImportValue roles", False),
        ("Roles: [!Ref Role]", "Roles: [orders]", True),
    ],
)
def test_a_role_with_hidden_parts_is_not_complete(written: str, instead: str, complete: bool) -> None:
    assert written in ROLES
    (function,) = project_of({"template.yaml": ROLES.replace(written, instead), "src/app.py": APP}).functions
    assert isinstance(function.role, Role)
    assert function.role.complete is complete


@pytest.mark.parametrize(
    ("role", "expected"),
    [("arn:aws:iam::111122223333:role/orders", Role), ("arn:aws:iam::111122223333:role/other", Unknown)],
)
def test_a_role_is_also_known_by_its_name(role: str, expected: type) -> None:
    text = ROLES.replace("!GetAtt Role.Arn", role, 1)
    (function,) = project_of({"template.yaml": text, "src/app.py": APP}).functions
    assert isinstance(function.role, expected)


def test_a_stack_whose_template_is_not_here_is_worth_a_word() -> None:
    said = Said()
    text = "Resources:\n  Child:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: ./child.yaml}\n"
    declared({"template.yaml": text}, said=said)
    assert said.notes == ["template.yaml: the template of the stack Child is not among these files: ./child.yaml"]
    assert not said.failures
