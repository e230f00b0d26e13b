"""Event source mappings as templates state them, and examples of them."""

from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.facts.arguments import Arguments
from lambdalint.facts.expressions import EventPath, Expression, walk
from lambdalint.facts.path_calls import PathCall
from lambdalint.rule import Known, Trigger, TriggerKind

#: Sources whose mappings can report single failures.
REPORTING: Final = {
    TriggerKind.SQS: "SQS",
    TriggerKind.KINESIS: "Kinesis",
    TriggerKind.DYNAMODB: "DynamoDB",
    TriggerKind.MSK: "MSK",
    TriggerKind.KAFKA: "Kafka",
}

#: What takes messages off a queue by hand.
DELETES: Final = ("boto3.client(sqs).delete_message", "boto3.client(sqs).delete_message_batch")

#: Where a record has its identifier, as the event and as the data classes of Powertools spell it.
#:
#: Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
#: Source: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
#: Source: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
IDENTIFIERS: Final = {
    TriggerKind.SQS: ("messageId",),
    TriggerKind.KINESIS: ("kinesis", "sequenceNumber"),
    TriggerKind.DYNAMODB: ("dynamodb", "SequenceNumber"),
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


def is_of_batch(call: PathCall, arguments: Arguments | None) -> bool:
    """Whether the message that *call* deletes is one of the batch."""
    handle = call.call.argument(None, "ReceiptHandle") or call.call.argument(None, "Entries")
    if handle is None:
        return False
    found = (handle,) if arguments is None else arguments.alternatives(handle, call.call.scope)
    return any(_is_handle(part) for each in found for part in walk(each))


def _is_handle(part: Expression) -> bool:
    return isinstance(part, EventPath) and part.keys[:1] == ("Records",) and part.keys[-1] == "receiptHandle"
