"""Which shape of event a trigger sends."""

from typing import Final

from lambdalint.rule import Trigger, TriggerKind

_SHAPES: Final = {
    TriggerKind.REST_API: "rest",
    TriggerKind.ALB: "alb",
    TriggerKind.S3: "s3",
    TriggerKind.SNS: "sns",
    TriggerKind.SQS: "sqs",
    TriggerKind.KINESIS: "kinesis",
    TriggerKind.DYNAMODB: "dynamodb",
}
HTTP: Final = (TriggerKind.REST_API, TriggerKind.HTTP_API, TriggerKind.FUNCTION_URL, TriggerKind.ALB)


def shape(trigger: Trigger) -> str | None:
    """The shape of the events that *trigger* sends; ``None`` where somebody may have shaped them, or it is unknown."""
    if trigger.kind in (TriggerKind.HTTP_API, TriggerKind.FUNCTION_URL):
        found = {"1.0": "rest", "2.0": "http"}.get(trigger.payload_version or "")
    else:
        found = _SHAPES.get(trigger.kind)
    return None if trigger.kind in HTTP and not trigger.proxy else found


def sender(trigger: Trigger) -> str:
    """Who sends the event, for a sentence."""
    match trigger.kind:
        case TriggerKind.REST_API:
            return "the REST API"
        case TriggerKind.HTTP_API:
            return f"the HTTP API, with payload {trigger.payload_version},"
        case TriggerKind.FUNCTION_URL:
            return "the function URL"
        case TriggerKind.ALB:
            return "the load balancer"
        case TriggerKind.DYNAMODB:
            return "DynamoDB"
        case TriggerKind.KINESIS:
            return "Kinesis"
        case _:
            return str(trigger.kind.value).upper()
