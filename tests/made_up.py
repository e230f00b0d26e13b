"""A result that no check has found, with every kind of place, severity and failure that a report has to show."""

from lambdalint.engine.describe import described
from lambdalint.engine.result import Failure, Result, Summary
from lambdalint.model.artifact import Artifact, ArtifactKind, Entry
from lambdalint.model.finding import Applicability, Confidence, Edit, Finding, Fix, Related, Severity
from lambdalint.model.function import Code, CodeKind, Function, Layer, Trigger, TriggerKind
from lambdalint.model.places import Member, Place, Span
from lambdalint.model.template import Dialect, Resource
from lambdalint.model.values import Known, Unknown

TEMPLATE = """\
Resources:
  PrivateSubnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      VpcConfig:
        SubnetIds: [!Ref PrivateSubnet]
        SecurityGroupIds: [!Ref Group]
      Environment:
        Variables:
          STRIPE_KEY: sk_live_51H8xQeLk
          TABLE: !Ref Table

  Jobs:
    Type: AWS::SQS::Queue
"""

APP = """\
import boto3
import requests

# 支払いを確定する
def handler(event, context):
\tcharge = "決済🎉"; requests.post("https://api.stripe.com/v1/charges", json=charge(event))
\treturn {"statusCode": 200}

def charge(event):
    result = boto3.client("dynamodb").put_item(
        TableName="orders",

        Item={"id": {"S": event["id"]}},
    )
    data = PAYLOAD
"""

WIDE = "x" * 300

FILES = {
    "template.yaml": TEMPLATE,
    "src/app.py": APP.replace("PAYLOAD", f'"{WIDE}"; open("/var/log/orders.log", "w"); y = "{WIDE}"'),
}


def at(path: str, text: str, until: str = "") -> Span:
    """Where *text* stands in a file, up to the end of *until* if that is given."""
    content = FILES[path]
    start = content.index(text)
    end = content.index(until, start) + len(until) if until else start + len(text)

    def position(offset: int) -> tuple[int, int]:
        before = content[:offset]
        return before.count("\n") + 1, offset - before.rfind("\n") - 1

    return Span(path, *position(start), *position(end))


def finding(
    code: str,
    name: str,
    severity: Severity,
    message: str,
    place: Place,
    *,
    confidence: Confidence = Confidence.HIGH,
    function: str | None = "Orders",
    related: tuple[Related, ...] = (),
    hint: str | None = None,
    fix: Fix | None = None,
) -> Finding:
    return Finding(
        code=code,
        name=name,
        severity=severity,
        confidence=confidence,
        message=message,
        at=place,
        function=function,
        template="template.yaml" if function else None,
        related=related,
        hint=hint,
        fix=fix,
        fingerprint=f"{code.lower()}-0123456789abcdef",
        url=f"https://docs.aws.amazon.com/{name}",
    )


FINDINGS = (
    finding(
        "LN001",
        "unreachable-internet",
        Severity.ERROR,
        "Orders calls api.stripe.com, and PrivateSubnet routes 0.0.0.0/0 nowhere",
        at("src/app.py", "requests.post("),
        related=(
            Related(at("src/app.py", "def handler(event, context)"), "called from the handler"),
            Related(at("template.yaml", "!Ref PrivateSubnet"), "the only subnet of the function"),
            Related(at("template.yaml", "PrivateSubnet"), "no route table is associated with it"),
        ),
        hint="route 0.0.0.0/0 of the subnet through a NAT gateway, or take the function out of the VPC",
    ),
    finding(
        "LI003",
        "client-per-invocation",
        Severity.WARNING,
        "a dynamodb client is made on every invocation",
        at("src/app.py", 'boto3.client("dynamodb")', "},\n    )"),
        confidence=Confidence.LOW,
        fix=Fix(
            "move the client to module level",
            Applicability.SAFE,
            (Edit(at("src/app.py", 'boto3.client("dynamodb")'), "DYNAMODB"),),
        ),
    ),
    finding(
        "LF001",
        "write-outside-tmp",
        Severity.ERROR,
        "/var/log/orders.log is opened for writing; only /tmp can be written",
        at("src/app.py", '"/var/log/orders.log"'),
        hint="write below /tmp, or log to standard output",
    ),
    finding(
        "LK001",
        "token-in-env",
        Severity.ERROR,
        "STRIPE_KEY holds a live key of Stripe",
        at("template.yaml", "STRIPE_KEY: sk_live_51H8xQeLk"),
    ),
    finding(
        "LD001",
        "queue-without-redrive",
        Severity.INFO,
        "Jobs has no redrive policy",
        at("template.yaml", "  Jobs:", "Queue\n"),
        function=None,
    ),
    finding(
        "LZ009",
        "foreign-binary",
        Severity.ERROR,
        "_core.so is built for aarch64; Orders runs on x86_64",
        Member("dist/Orders.zip", "numpy/_core.so"),
        related=(Related(Span.whole("template.yaml"), "Architectures is not set, so x86_64 it is"),),
    ),
    finding(
        "LC002",
        "reserved-env-name",
        Severity.WARNING,
        "\x1b]0;pwned\x07 first line\n::error::second\u202eline, 100 % |<b>`x`</b>",
        Span.whole("odd,na:me\n.yaml"),
        function="F\x1b[31m",
    ),
)

SPAN = at("template.yaml", "Orders:")
RESOURCE = Resource("Orders", "AWS::Serverless::Function", {}, SPAN, extent=SPAN)


def artifact(path: str, size: int) -> Artifact:
    return Artifact(path, ArtifactKind.FOLDER, (Entry("app.py", size, lambda: b""),))


FUNCTIONS = (
    Function(
        name="Orders",
        span=SPAN,
        template="template.yaml",
        dialect=Dialect.SAM,
        resource=RESOURCE,
        runtime=Known("python3.13", SPAN),
        handler=Known("app.handler", SPAN),
        architectures=Known((Known("x86_64", SPAN),), SPAN, stated=False),
        memory_mb=Known(128, SPAN, stated=False),
        timeout_s=Known(3, SPAN, stated=False),
        code=Code(CodeKind.FOLDER, SPAN, "src", "src"),
        triggers=(
            Trigger(TriggerKind.SQS, "Jobs", "Orders", SPAN),
            Trigger(TriggerKind.SQS, "More", "Orders", SPAN),
            Trigger(TriggerKind.SCHEDULE, "Nightly", "Orders", SPAN),
        ),
        artifact=artifact("src", 1000),
        local_layers=(Layer("Common", SPAN, Code(CodeKind.FOLDER, SPAN, "layer"), artifact=artifact("layer", 234)),),
    ),
    Function(
        name="Hidden",
        span=SPAN,
        template="template.yaml",
        dialect=Dialect.SAM,
        resource=RESOURCE,
        runtime=Unknown("!Ref Runtime", SPAN),
        architectures=Known((Unknown("!Ref Architecture", SPAN),), SPAN),
        artifact=artifact("src", 1000),
        layers_complete=False,
    ),
)

FAILURES = (
    Failure("broken.yaml", "line 3: mapping values are not allowed here", "quote the value"),
    Failure("src/huge.py", "the file is larger than 64 MB"),
)

NOTES = ("2 functions have roles that are not in these templates",)


def result(
    findings: tuple[Finding, ...] = FINDINGS,
    *,
    functions: tuple[Function, ...] = FUNCTIONS,
    failures: tuple[Failure, ...] = FAILURES,
    notes: tuple[str, ...] = NOTES,
    suppressed: int = 1,
) -> Result:
    count = [sum(each.severity is severity for each in findings) for severity in Severity]
    return Result(
        findings=findings,
        functions=tuple(described(each) for each in functions),
        failures=failures,
        notes=notes,
        summary=Summary(12, len(functions), count[0], count[1], count[2], suppressed, 0.2149),
        read_text=FILES.get,
        shown=lambda path: path,
    )
