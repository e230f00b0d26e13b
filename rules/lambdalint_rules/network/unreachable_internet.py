"""A function in a VPC reaches the internet only through a NAT gateway.

Its network interfaces have no public address, so an internet gateway does not serve them, and a subnet without a
default route leads nowhere at all.  The call does not fail at once: it hangs until a client gives up or the function's
timeout ends it.  Lambda may use any of the subnets, so there has to be a path from every one.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
"""

from lambdalint.facts.unreached import Unreached
from lambdalint.rule import Function, Network, Problem, Problems, Related, Severity, rule
from lambdalint_rules.network.closed_subnets import listed, related, where_they_lead
from lambdalint_rules.network.samples import CLOSED, NAT, PUBLIC

APP = """\
import requests

def handler(event, context):
    return charge(event["amount"])

def charge(amount):
    return requests.post("https://api.stripe.com/v1/charges", data={"amount": amount}).json()  # finding
"""
UNMARKED = APP.replace("  # finding", "")
VARIABLE = """\
import os
import urllib.request

HOOK = os.environ["HOOK"]

def handler(event, context):
    urllib.request.urlopen(f"{HOOK}/orders")  # finding
"""
FREE = """\
import os
import boto3
import requests

def handler(event, context):
    boto3.client("s3").generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    requests.get("http://10.0.2.15/health")
    requests.get("http://billing.shop.internal/health")
    requests.get("http://localhost:2773/secretsmanager/get")
    requests.get(os.environ["BACKEND"])
    requests.get(event["url"])
"""
HOOK = "      Environment: {Variables: {HOOK: https://hooks.slack.com/services}}\n"
IN_SUBNET = "        SubnetIds: [!Ref Private]\n"


def _with_variables(template: str, variables: str) -> str:
    return template.replace("      VpcConfig:\n", f"{variables}      VpcConfig:\n")


@rule(
    "LN001",
    "unreachable-internet",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": CLOSED, "src/app.py": APP},
        {"template.yaml": PUBLIC, "src/app.py": APP},
        {"template.yaml": _with_variables(CLOSED, HOOK), "src/app.py": VARIABLE},
    ),
    good=(
        {"template.yaml": NAT, "src/app.py": UNMARKED},
        {"template.yaml": CLOSED, "src/app.py": FREE},
        {
            "template.yaml": CLOSED.replace("[!Ref Private]", "[!Ref Private, !ImportValue subnet]"),
            "src/app.py": UNMARKED,
        },
        {"template.yaml": NAT.replace("NatGatewayId: !Ref Nat", "TransitGatewayId: tgw-1"), "src/app.py": UNMARKED},
        {
            "template.yaml": _with_variables(
                CLOSED, "      Environment: {Variables: {HTTPS_PROXY: http://10.0.0.9}}\n"
            ),
            "src/app.py": UNMARKED,
        },
    ),
)
def check(function: Function, unreached: Unreached) -> Problems:
    if not unreached.hosts or not isinstance(function.network, Network):
        return
    (first, subnets), *others = unreached.hosts
    hosts = listed(need.host for need, _ in unreached.hosts)
    set_here = (Related(first.variable, f"{first.host} is named here"),) if first.variable else ()
    yield Problem(
        first.span,
        f"{function.name} calls {hosts}, but {listed(subnet.name for subnet in subnets)} {where_they_lead(subnets)}: "
        f"without a NAT gateway the call hangs until the timeout",
        related=(
            *first.way,
            *set_here,
            *(Related(need.span, f"{need.host} is called here") for need, _ in others),
            Related(function.network.span, f"the subnets of {function.name}"),
            *related(subnets),
        ),
        hint="put a NAT gateway into a public subnet and route 0.0.0.0/0 of the function's subnets to it, "
        "or take the function out of the VPC",
    )
