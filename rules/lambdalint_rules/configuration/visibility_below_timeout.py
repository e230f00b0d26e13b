"""A queue must hide a message for at least as long as the function that takes it may run.

Lambda refuses a mapping whose queue shows messages again sooner than the function's timeout: the message would be
handled twice at the same time.  AWS advises six times the timeout, so that throttled invocations can be tried again.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""

from lambdalint.aws.limits import limit
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    Known,
    Problem,
    Problems,
    Property,
    Related,
    Resource,
    Rewrite,
    SetProperty,
    Severity,
    Trigger,
    TriggerKind,
    rule,
)

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Jobs:  # finding
    Type: AWS::SQS::Queue
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Timeout: 300
      Events:
        Job: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}
"""
MAPPING = """\
Resources:
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 0  # finding
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Code: src/
      Handler: app.handler
      Runtime: python3.13
      Role: arn:aws:iam::123456789012:role/worker
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Jobs.Arn, FunctionName: !Ref Worker}
"""
APP = "def handler(event, context): ...\n"
PLAIN = TEMPLATE.replace("  # finding", "")


@rule(
    "LD010",
    "visibility-below-timeout",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    covers=("cfn-lint:E3505",),
    bad=({"template.yaml": TEMPLATE, "src/app.py": APP}, {"template.yaml": MAPPING, "src/app.py": APP}),
    good=(
        {
            "template.yaml": PLAIN.replace("Queue\n", "Queue\n    Properties: {VisibilityTimeout: 1800}\n", 1),
            "src/app.py": APP,
        },
        {"template.yaml": PLAIN.replace("Timeout: 300", "Timeout: 30"), "src/app.py": APP},
        {"template.yaml": PLAIN.replace("Timeout: 300", "Timeout: !Ref Seconds"), "src/app.py": APP},
        {"template.yaml": PLAIN.replace("!GetAtt Jobs.Arn", "!ImportValue jobs"), "src/app.py": APP},
    ),
)
def check(trigger: Trigger, function: Function) -> Problems:
    queue = trigger.source
    if trigger.kind is not TriggerKind.SQS or queue is None or queue.type != "AWS::SQS::Queue":
        return
    visibility = queue.get("VisibilityTimeout")
    shown_after = limit("queue", "default_visibility_s") if visibility is None else _seconds(visibility)
    timeout = function.timeout_s
    if shown_after is None or not isinstance(timeout, Known) or not isinstance(timeout.value, int):
        return
    if shown_after >= timeout.value:
        return
    advised = limit("queue", "advised_factor") * timeout.value
    default = "" if timeout.stated else ", the default"
    assumed = timeout.parameter or (visibility.parameter if isinstance(visibility, Known) else None)
    yield Problem(
        queue.span if visibility is None else visibility.span,
        f"{queue.name} shows a message again after {shown_after} s; {function.name} may take {timeout.value} s{default}"
        ", and the mapping is refused",
        related=(
            Related(timeout.span, f"the timeout of {function.name} is {timeout.value} s{default}"),
            Related(trigger.span, f"{function.name} takes messages from {queue.name} here"),
        ),
        hint=f"let the queue hide a message for {advised} s or more",
        confidence=Confidence.MEDIUM if assumed else None,
        fix=None if assumed else _longer(queue, visibility, advised),
    )


def _longer(queue: Resource, visibility: Property | None, seconds: int) -> Fix | None:
    """The fix that lets *queue* hide a message for *seconds*."""
    title = f"hide a message for {seconds} s"
    if isinstance(visibility, Known):
        return Fix(
            title, Applicability.UNSAFE, changes=(Rewrite(visibility.span, str(visibility.value), str(seconds)),)
        )
    keys = ("Properties", "VisibilityTimeout")
    change = SetProperty(queue.span, keys, seconds, attribute="visibility_timeout_seconds")
    return None if queue.label else Fix(title, Applicability.UNSAFE, changes=(change,))


def _seconds(value: object) -> int | None:
    if isinstance(value, Known):
        try:
            return int(value.value)
        except (TypeError, ValueError):
            return None
    return None
