"""An invocation may take 1 to 900 seconds.

Lambda refuses any other number; longer work belongs into a state machine or a durable function.  Managed instances may
take 5,400 seconds.  The pages on Kafka, Amazon MQ and DocumentDB give 840 seconds as the most for a function that they
feed.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.rule import Confidence, Function, Known, Problem, Problems, Severity, TriggerKind, rule
from lambdalint_rules.configuration.ranges import nearest_bound, on_managed_instances, range_fault

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): ..."
      Handler: index.handler
      Runtime: python3.13
      Timeout: {timeout}
"""
KAFKA = """\
      Events:
        Orders:
          Type: MSK
          Properties:
            StartingPosition: LATEST
            Stream: arn:aws:kafka:eu-central-1:111122223333:cluster/orders/6f1d2c5e-1
            Topics: [orders]
"""
SLOWLY_FED: Final = {
    TriggerKind.MSK: "an MSK",
    TriggerKind.KAFKA: "a Kafka",
    TriggerKind.MQ: "an Amazon MQ",
    TriggerKind.DOCUMENTDB: "a DocumentDB",
}


@rule(
    "LC013",
    "timeout-out-of-range",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    covers=("cfn-lint:E3034", "cfn-lint:E3717"),
    bad=(
        {"template.yaml": TEMPLATE.format(timeout="1000  # finding")},
        {"template.yaml": TEMPLATE.format(timeout="0  # finding")},
        {"template.yaml": TEMPLATE.format(timeout="900  # finding") + KAFKA},
    ),
    good=(
        {"template.yaml": TEMPLATE.format(timeout="900")},
        {"template.yaml": TEMPLATE.format(timeout="840") + KAFKA},
        {"template.yaml": "Parameters:\n  Limit: {Type: Number}\n" + TEMPLATE.format(timeout="!Ref Limit")},
    ),
)
def check(function: Function) -> Problems:
    match function.timeout_s:
        case Known(timeout, span, stated=True) as stated:
            managed = on_managed_instances(function)
            if managed is None:
                return
            least = limit("timeout", "min_s")
            most = limit("timeout", "managed_instances", "max_s") if managed else limit("timeout", "max_s")
            if fault := range_fault("timeout", timeout, "s", least, most):
                yield Problem(span, fault, fix=nearest_bound(stated, least, most, "s"))
            elif not managed and timeout > (fed := limit("timeout", "kafka_mq_documentdb", "max_s")):
                source = next((SLOWLY_FED[each.kind] for each in function.triggers if each.kind in SLOWLY_FED), None)
                if source:
                    yield Problem(
                        span,
                        f"timeout {timeout:,} s is over {fed:,} s, the most for {source} mapping",
                        confidence=Confidence.MEDIUM,
                        fix=nearest_bound(stated, least, fed, "s"),
                    )
