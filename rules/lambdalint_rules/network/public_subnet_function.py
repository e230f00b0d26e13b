"""A public subnet gives a function no internet: its network interface has no public address.

An internet gateway translates public addresses only, and Lambda assigns none, whatever the subnet's
``MapPublicIpOnLaunch`` says.  A function belongs into private subnets, whose default route leads to a NAT gateway.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
"""

from lambdalint.facts.unreached import Unreached
from lambdalint.facts.ways_out import WaysOut
from lambdalint.rule import Function, Network, Problem, Problems, Related, Severity, rule
from lambdalint_rules.network.samples import NAT, PUBLIC

APP = "def handler(event, context): ...\n"
CALLING = 'import requests\n\ndef handler(event, context):\n    requests.get("https://api.stripe.com", timeout=3)\n'


@rule(
    "LN003",
    "public-subnet-function",
    severity=Severity.WARNING,
    since="0.1.0",
    bad={
        "template.yaml": PUBLIC.replace("SubnetIds: [!Ref Private]", "SubnetIds: [!Ref Private]  # finding"),
        "src/app.py": APP,
    },
    good=(
        {"template.yaml": NAT, "src/app.py": APP},
        {"template.yaml": PUBLIC, "src/app.py": CALLING},
        {"template.yaml": PUBLIC.replace("0.0.0.0/0", "203.0.113.0/24"), "src/app.py": APP},
    ),
)
def check(function: Function, ways: WaysOut, unreached: Unreached) -> Problems:
    if unreached or not isinstance(function.network, Network):
        return
    for subnet, route in ways.public:
        yield Problem(
            function.network.span,
            f"{subnet.name} routes 0.0.0.0/0 to an internet gateway; a Lambda interface has no public address, "
            "so this gives no internet",
            related=(Related(subnet.span, "the subnet"), Related(route.span, "its default route")),
            hint="use private subnets, whose default route leads to a NAT gateway",
        )
