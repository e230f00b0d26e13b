"""Event source mappings as templates state them, and examples of them."""

from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.rule import Known, Trigger, TriggerKind

#: Sources whose mappings can report single failures.
REPORTING: Final = {
    TriggerKind.SQS: "SQS",
    TriggerKind.KINESIS: "Kinesis",
    TriggerKind.DYNAMODB: "DynamoDB",
    TriggerKind.MSK: "MSK",
    TriggerKind.KAFKA: "Kafka",
}

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Jobs:
    Type: AWS::SQS::Queue
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Events:
        Job:
          Type: SQS
          Properties: {Queue: !GetAtt Jobs.Arn}
"""
DECLARED: Final = TEMPLATE.replace("Jobs.Arn}", "Jobs.Arn, FunctionResponseTypes: [ReportBatchItemFailures]}")
STREAM: Final = """\
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Code: src/
      Handler: app.handler
      Runtime: python3.13
      Role: arn:aws:iam::123456789012:role/worker
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: arn:aws:kinesis:eu-west-1:123456789012:stream/orders
      FunctionName: !Ref Worker
      StartingPosition: LATEST
"""


def declares_failures(trigger: Trigger) -> bool | None:
    """Whether the mapping asks for the failures of single records; ``None`` when that is unknown."""
    types = trigger.settings.get("FunctionResponseTypes")
    if types is None:
        return False
    if not isinstance(types, Known):
        return None
    items = types.value if isinstance(types.value, tuple) else (types,)
    if any(isinstance(item, Known) and item.value == "ReportBatchItemFailures" for item in items):
        return True
    return False if all(isinstance(item, Known) for item in items) else None


def batch_size(trigger: Trigger) -> int | None:
    """How many records an invocation may get at most; ``None`` when that is unknown."""
    size = trigger.settings.get("BatchSize")
    if size is None:
        return limit("batch", trigger.kind.value, "default")
    try:
        return int(size.value) if isinstance(size, Known) else None
    except (TypeError, ValueError):
        return None
