from textwrap import dedent, indent

import pytest

from lambdalint.facts.ways_out import WaysOut
from lambdalint.join.stacks import declare_document
from lambdalint.model.document import Mapping
from lambdalint.model.function import Function
from lambdalint.model.network import Endpoint, Network, Route, RouteTarget
from lambdalint.model.values import Unknown
from lambdalint.readers.tree import MemoryTree
from lambdalint.readers.yaml import read_yaml

HEAD = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Given: {Type: String}
  Yes: {Type: String, Default: "no"}
Conditions:
  Chosen: !Equals [!Ref Given, "yes"]
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: python3.13
      VpcConfig: VPC_CONFIG
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !GetAtt Vpc.VpcId, CidrBlock: 10.0.2.0/24}}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Other: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Gateway: {Type: AWS::EC2::InternetGateway}
  Vpn: {Type: AWS::EC2::VPNGateway, Properties: {Type: ipsec.1}}
  Attached: {Type: AWS::EC2::VPCGatewayAttachment, Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}}
"""
ASSOCIATED = (
    "InTable: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref A, RouteTableId: !Ref Table}}"
)


def function(resources: str = "", config: str = "{SubnetIds: [!Ref A], SecurityGroupIds: [sg-1]}") -> Function:
    text = HEAD.replace("VPC_CONFIG", config) + indent(dedent(resources), "  ")
    document = read_yaml(text, "template.yaml")
    assert isinstance(document, Mapping)
    (found,) = declare_document(document, "template.yaml", MemoryTree({})).functions
    return found


def network(resources: str = "", config: str = "{SubnetIds: [!Ref A], SecurityGroupIds: [sg-1]}") -> Network:
    found = function(resources, config).network
    assert isinstance(found, Network)
    return found


def route(target: str, destination: str = "DestinationCidrBlock: 0.0.0.0/0") -> str:
    properties = f"{{RouteTableId: !Ref Table, {destination}, {target}}}"
    return f"{ASSOCIATED}\nOut: {{Type: AWS::EC2::Route, Properties: {properties}}}\n"


def routes(resources: str) -> tuple[Route, ...]:
    (subnet,) = network(resources).subnets
    assert subnet.table is not None
    return subnet.table.routes


def endpoints(resources: str) -> tuple[Endpoint, ...]:
    return network(resources).endpoints


def endpoint(service: str, more: str = "") -> str:
    return f"Way: {{Type: AWS::EC2::VPCEndpoint, Properties: {{VpcId: !Ref Vpc, ServiceName: {service}{more}}}}}"


@pytest.mark.parametrize("config", ["!Ref AWS::NoValue", "{}", "{SubnetIds: [], SecurityGroupIds: []}"])
def test_a_function_without_subnets_is_in_no_vpc(config: str) -> None:
    assert function(config=config).network is None


def test_a_configuration_that_a_condition_may_remove_is_unknown() -> None:
    found = function(config="!If [Chosen, {SubnetIds: [!Ref A]}, !Ref AWS::NoValue]").network
    assert isinstance(found, Unknown)


@pytest.mark.parametrize(
    "subnets",
    [
        "!Ref Given",
        "[!Ref A, !Ref Given]",
        "[!Ref A, !ImportValue b]",
        "[subnet-1]",
        "!Split [',', !Ref Given]",
        "!If [Chosen, [!Ref A], [!Ref B]]",
        "[!Ref A, !If [Chosen, !Ref B, !Ref AWS::NoValue]]",
    ],
)
def test_a_subnet_decided_elsewhere_makes_the_network_incomplete(subnets: str) -> None:
    assert not network(config=f"{{SubnetIds: {subnets}, SecurityGroupIds: [sg-1]}}").complete


def test_a_subnet_uses_the_table_that_it_is_associated_with_or_the_main_one() -> None:
    found = network(ASSOCIATED, "{SubnetIds: [!Ref A, !GetAtt B.SubnetId], SecurityGroupIds: [sg-1]}")
    assert found.complete
    assert [(each.name, each.vpc, each.table and each.table.name) for each in found.subnets] == [
        ("A", "Vpc", "Table"),
        ("B", "Vpc", None),
    ]


@pytest.mark.parametrize(
    "resources",
    [
        ASSOCIATED + "\n" + ASSOCIATED.replace("InTable", "InOther").replace("!Ref Table", "!Ref Other"),
        ASSOCIATED.replace("Type:", "Condition: Chosen, Type:", 1),
        ASSOCIATED.replace("!Ref Table", "!Ref Given"),
        ASSOCIATED.replace("!Ref A,", "!If [Chosen, !Ref A, !Ref B],"),
        "Nested: {Type: AWS::CloudFormation::Stack, Properties: {Parameters: {S: !Ref A}, TemplateURL: s3://b/n.yaml}}",
        f"{ASSOCIATED}\nNat: {{Type: Custom::Nat, Properties: {{Table: !Ref Table, ServiceToken: arn}}}}",
    ],
)
def test_which_table_a_subnet_uses_may_be_uncertain(resources: str) -> None:
    (subnet,) = network(resources).subnets
    assert subnet.table is None


def test_the_main_table_of_a_vpc_from_elsewhere_is_unknown_and_so_are_its_endpoints() -> None:
    resources = "Far: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Given, CidrBlock: 10.9.0.0/24}}"
    (subnet,) = network(resources, "{SubnetIds: [!Ref Far], SecurityGroupIds: [sg-1]}").subnets
    assert (subnet.vpc, subnet.table) == (None, None)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("NatGatewayId: nat-1", RouteTarget.NAT_GATEWAY),
        ("GatewayId: !Ref Gateway", RouteTarget.INTERNET_GATEWAY),
        ("GatewayId: !GetAtt Attached.InternetGatewayId", RouteTarget.INTERNET_GATEWAY),
        ("GatewayId: igw-1", RouteTarget.INTERNET_GATEWAY),
        ("GatewayId: !Ref Vpn", RouteTarget.OTHER),
        ("GatewayId: !Ref Given", RouteTarget.OTHER),
        ("EgressOnlyInternetGatewayId: eigw-1", RouteTarget.EGRESS_ONLY_GATEWAY),
        ("VpcPeeringConnectionId: pcx-1", RouteTarget.PEERING),
        ("TransitGatewayId: tgw-1", RouteTarget.OTHER),
        ("NetworkInterfaceId: eni-1", RouteTarget.OTHER),
        ("VpcEndpointId: vpce-1", RouteTarget.OTHER),
    ],
)
def test_a_route_leads_to_what_its_property_names(target: str, kind: RouteTarget) -> None:
    (found,) = routes(route(target))
    assert (found.destination, found.target, found.name) == ("0.0.0.0/0", kind, "Out")


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("!Sub 'com.amazonaws.${AWS::Region}.s3'", "s3"),
        ("!Join ['.', [com.amazonaws, !Ref AWS::Region, ecr.api]]", "ecr.api"),
        ("!Sub ['com.amazonaws.${R}.sqs', {R: !Ref Given}]", "sqs"),
        ("com.amazonaws.us-gov-west-1.dynamodb", "dynamodb"),
        ("cn.com.amazonaws.cn-north-1.ec2", "ec2"),
        ("!Sub 'aws.sagemaker.${AWS::Region}.notebook'", "aws.sagemaker.<region>.notebook"),
        ("com.amazonaws.iam", "com.amazonaws.iam"),
        ("!Sub 'com.amazonaws.${AWS::Region}.${Given}'", None),
        ("!Ref Given", None),
        ("com.amazonaws.vpce.eu-west-1.vpce-svc-0a1b", None),
    ],
)
def test_the_service_of_an_endpoint_is_what_follows_the_region(service: str, name: str | None) -> None:
    (found,) = endpoints(endpoint(service))
    assert found.service == name


def test_a_gateway_endpoint_knows_its_tables() -> None:
    (known,) = endpoints(
        endpoint("com.amazonaws.eu-west-1.s3", ", RouteTableIds: [!Ref Table, !GetAtt Other.RouteTableId]")
    )
    (unknown,) = endpoints(endpoint("com.amazonaws.eu-west-1.s3", ", RouteTableIds: [!Ref Given]"))
    (interface,) = endpoints(endpoint("com.amazonaws.eu-west-1.sqs", ", VpcEndpointType: Interface"))
    assert (known.gateway, known.tables) == (True, ("Table", "Other"))
    assert (unknown.gateway, unknown.tables) == (True, None)
    assert not interface.gateway


@pytest.mark.parametrize(
    ("resources", "closed"),
    [
        (ASSOCIATED, True),
        (route("GatewayId: !Ref Gateway"), True),
        (route("VpcPeeringConnectionId: pcx-1"), True),
        (route("TransitGatewayId: tgw-1", "DestinationCidrBlock: 10.0.0.0/8"), True),
        (route("NatGatewayId: nat-1"), False),
        (route("TransitGatewayId: tgw-1"), False),
        (route("NatGatewayId: nat-1", "DestinationPrefixListId: pl-1"), False),
        (route("NatGatewayId: nat-1", "DestinationCidrBlock: !Ref Given"), False),
        (route("EgressOnlyInternetGatewayId: eigw-1", "DestinationIpv6CidrBlock: '::/0'"), True),
    ],
)
def test_a_subnet_is_closed_when_no_route_may_lead_out(resources: str, closed: bool) -> None:
    assert bool(WaysOut.of(function(resources)).closed) is closed


def test_ipv6_is_a_way_for_a_function_that_may_use_it() -> None:
    resources = route("EgressOnlyInternetGatewayId: eigw-1", "DestinationIpv6CidrBlock: '::/0'")
    dual = "{SubnetIds: [!Ref A], SecurityGroupIds: [sg-1], Ipv6AllowedForDualStack: true}"
    assert not WaysOut.of(function(resources, dual)).closed


def test_an_endpoint_a_peer_or_a_private_zone_may_serve_what_is_closed() -> None:
    zone = "Zone: {Type: AWS::Route53::HostedZone, Properties: {Name: shop.com., VPCs: [{VPCId: !Ref Vpc}]}}"
    private = WaysOut.of(function(f"{ASSOCIATED}\n{zone}"))
    assert not private.closed_to_host("api.shop.com")
    assert private.closed_to_host("workshop.com")
    assert private.closed_to_service("sqs")
    served = WaysOut.of(function(f"{ASSOCIATED}\n{endpoint('com.amazonaws.eu-west-1.sqs')}"))
    assert not served.closed_to_service("sqs")
    assert served.closed_to_service("sns")
    peered = WaysOut.of(function(route("VpcPeeringConnectionId: pcx-1", "DestinationCidrBlock: 10.9.0.0/16")))
    assert peered.closed_to_host("api.shop.com")
    assert not peered.closed_to_service("sqs")
