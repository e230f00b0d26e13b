"""A function in a VPC reaches the services of AWS only by a NAT gateway or an endpoint of the service in the VPC.

The services answer at public addresses.  S3 and DynamoDB have gateway endpoints, which are free and stand in the route
table; most others have interface endpoints, which are paid by zone and hour.  Without either, the SDK tries until the
function's timeout ends it.  Logs, traces and destinations do not go through the VPC.

Source: https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
"""

from lambdalint.aws.endpoints import endpoint_services, has_gateway_endpoint, is_global
from lambdalint.facts.unreached import Unreached
from lambdalint.rule import (
    AddEndpoint,
    Applicability,
    Confidence,
    Fix,
    Function,
    Network,
    Problem,
    Problems,
    Related,
    Severity,
    Subnet,
    rule,
)
from lambdalint_rules.network.closed_subnets import listed, related
from lambdalint_rules.network.samples import CLOSED, NAT

APP = """\
import boto3
from orders.store import save

secrets = boto3.client("secretsmanager")

def handler(event, context):
    secrets.get_secret_value(SecretId="orders")  # finding
    save(event)
"""
STORE = """\
import boto3

table = boto3.resource("dynamodb").Table("orders")

def save(item):
    table.put_item(Item=item)  # finding
"""
OFFLINE = """\
import os
import boto3
from botocore.exceptions import ClientError

s3 = boto3.client("s3")
rds = boto3.client("rds")
sqs = boto3.client("sqs", endpoint_url=os.environ["SQS_ENDPOINT"])

def handler(event, context):
    rds.generate_db_auth_token("orders.cluster.eu-west-1.rds.amazonaws.com", 5432, "orders")
    sqs.send_message(QueueUrl="jobs", MessageBody="{}")
    try:
        return s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    except s3.exceptions.NoSuchKey:
        return None
"""
PROXIED = """\
import boto3
from botocore.config import Config

sqs = boto3.client("sqs", config=Config(proxies={"https": "http://10.0.0.9:3128"}))

def handler(event, context):
    sqs.send_message(QueueUrl="jobs", MessageBody="{}")
"""
ENDPOINTS = """\
  DynamoDb:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      ServiceName: !Join ["", [com.amazonaws., !Ref AWS::Region, .dynamodb]]
      RouteTableIds: [!Ref Table]
  Secrets:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: !Sub com.amazonaws.${AWS::Region}.secretsmanager
      SubnetIds: [!Ref Private]
"""
CODE = {"src/app.py": APP, "src/orders/__init__.py": "", "src/orders/store.py": STORE}
UNMARKED = {path: text.replace("  # finding", "") for path, text in CODE.items()}


@rule(
    "LN002",
    "unreachable-aws-service",
    severity=Severity.ERROR,
    fix="unsafe",
    since="0.1.0",
    bad={"template.yaml": CLOSED, **CODE},
    good=(
        {"template.yaml": CLOSED + ENDPOINTS, **UNMARKED},
        {"template.yaml": NAT, **UNMARKED},
        {"template.yaml": CLOSED, "src/app.py": OFFLINE},
        {"template.yaml": CLOSED, "src/app.py": PROXIED},
        {"template.yaml": CLOSED.replace("[!Ref Private]", "!Ref Subnets"), **UNMARKED},
        {"template.yaml": CLOSED.replace("VpcId: !Ref Vpc, CidrBlock", "VpcId: vpc-1, CidrBlock"), **UNMARKED},
    ),
)
def check(function: Function, unreached: Unreached) -> Problems:
    if not isinstance(function.network, Network):
        return
    for need, subnets in unreached.services:
        names = listed(subnet.name for subnet in subnets)
        verb = "have" if len(subnets) > 1 else "has"
        services = endpoint_services(need.client)
        if has_gateway_endpoint(need.client):
            missing, hint = f"a gateway endpoint for {need.client}", "declare the gateway endpoint; it costs nothing"
        elif services and not is_global(need.client):
            missing = f"an endpoint for {services[0]}"
            hint = f"declare an interface endpoint for {services[0]}, or route 0.0.0.0/0 to a NAT gateway"
        else:
            missing, hint = f"a known endpoint for {need.client}", "route 0.0.0.0/0 of the subnets to a NAT gateway"
        yield Problem(
            need.span,
            f"{function.name} calls {need.client} ({need.operation}), but {names} {verb} neither a NAT route "
            f"nor {missing}",
            related=(
                *need.way,
                Related(function.network.span, f"the subnets of {function.name}"),
                *related(subnets),
            ),
            hint=hint,
            confidence=None if services and not is_global(need.client) else Confidence.MEDIUM,
            fix=_endpoint(need.client, subnets) if has_gateway_endpoint(need.client) else None,
        )


def _endpoint(client: str, subnets: tuple[Subnet, ...]) -> Fix | None:
    """The fix that declares the gateway endpoint, where all route tables are known and of one VPC."""
    tables = [each.table.name for each in subnets if each.table is not None and each.table.name is not None]
    vpcs = {each.vpc for each in subnets}
    vpc = vpcs.pop() if len(vpcs) == 1 else None
    if vpc is None or len(tables) < len(subnets):
        return None
    change = AddEndpoint(subnets[0].span, client, vpc, tuple(dict.fromkeys(tables)))
    return Fix(f"declare a gateway endpoint for {client}", Applicability.UNSAFE, changes=(change,))
