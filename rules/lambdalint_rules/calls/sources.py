"""Whether code means the queue, bucket, topic, table or stream that its function is triggered by."""

from typing import Final

from lambdalint.facts.expressions import Env, EventPath, Expression, Literal
from lambdalint.rule import Function, Known, Property, Trigger, TriggerKind, Unknown

#: What a resource is called by.
_NAMES: Final = ("BucketName", "QueueName", "TopicName", "TableName", "Name")


def is_source(target: Expression, trigger: Trigger, function: Function) -> bool:
    """Whether *target*, a name, an ARN or a URL, surely stands for what sends the events of *trigger*."""
    source = trigger.source
    if source is None:
        return False
    names = {value.value for key in _NAMES if isinstance(value := source.properties.get(key), Known) and value.stated}
    match target:
        case EventPath(keys=(*_, "s3", "bucket", "name")) if trigger.kind is TriggerKind.S3:
            return True
        case EventPath(keys=(*_, "Sns", "TopicArn")) if trigger.kind is TriggerKind.SNS:
            return True
        case Env(name):
            return _refers(variable(function, name), source.name, names)
        case Literal(str(text)):
            return text.rpartition("/")[2].rpartition(":")[2] in names
        case _:
            return False


def variable(function: Function, name: str) -> Property | None:
    """What the template gives the environment variable *name*."""
    return function.env.value.get(name) if isinstance(function.env, Known) else None


def _refers(value: Property | None, resource: str, names: set[object]) -> bool:
    if isinstance(value, Unknown):
        return value.refers is not None and value.refers.resource == resource
    return value is not None and str(value.value).rpartition("/")[2].rpartition(":")[2] in names
