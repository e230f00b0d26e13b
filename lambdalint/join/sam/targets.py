"""What the events of a SAM function call, and what every kind of event makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lambdalint.join.properties import properties_of, reference_of
from lambdalint.join.sam.making import PERMISSION, QUEUE, Making, Origin, RoleDraft
from lambdalint.model.function import Trigger, TriggerKind
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Properties, Property, Unknown

QUEUE_POLICY: Final = "AWS::SQS::QueuePolicy"


@dataclass(frozen=True, slots=True)
class Target:
    """A function that events call: *function* is its name or its alias, *arn* the ARN of either.

    *role* is the role that SAM makes for it, and which polled sources add to.
    """

    name: str
    function: Unknown
    arn: Unknown
    role: RoleDraft


@dataclass(frozen=True, slots=True)
class Event:
    """One event: *name* is the logical name of what is made of it, *settings* are as written."""

    name: str
    kind: str
    settings: Properties
    origin: Origin

    def get(self, *names: str) -> Mapping[str, Property | None]:
        """The settings of these *names*."""
        return {name: self.settings.get(name) for name in names}

    def trigger(
        self,
        kind: TriggerKind,
        target: Target,
        source: Resource | None,
        settings: Properties,
        payload_version: str | None = None,
        proxy: bool | None = None,
    ) -> Trigger:
        """The trigger that the event is."""
        label, span = self.origin.label, self.origin.span
        return Trigger(kind, label, target.name, span, source, settings, payload_version, proxy)


def source_of(value: Property | None, making: Making) -> Resource | None:
    """The resource that *value* comes from."""
    reference = reference_of(value)
    return making.resources.get(reference.resource) if reference else None


def permit(
    making: Making,
    event: Event,
    target: Target,
    principal: str,
    *,
    name: str | None = None,
    suffix: str = "",
    **settings: object,
) -> None:
    """Let *principal* call the target."""
    making.add(
        event.origin,
        f"{name or event.name}Permission{suffix}",
        PERMISSION,
        {"Action": "lambda:InvokeFunction", "FunctionName": target.function, "Principal": principal, **settings},
    )


def dead_letter_arn(making: Making, event: Event, config: Property, rule: Property | None) -> Property | None:
    """The ARN of the dead-letter queue of an event; SAM makes the queue when only its type is given.

    *rule* is the ARN of a rule that the queue's policy lets in; ``None`` for what has a role to send with.
    """
    settings = properties_of(config)
    if isinstance(config, Unknown) or "Arn" in settings:
        return settings.get("Arn")
    span = event.origin.span
    named = settings.get("QueueLogicalId")
    name = making.scope + str(named.value) if isinstance(named, Known) else f"{event.name}Queue"
    making.add(event.origin, name, QUEUE, {})
    arn = making.reference(name, span, "Arn")
    if rule is not None:
        statement = {
            "Action": "sqs:SendMessage",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        queue_policy(making, event, f"{event.name}QueuePolicy", making.reference(name, span), statement)
    return arn


def queue_policy(making: Making, event: Event, name: str, queue: Property, statement: Mapping[str, object]) -> None:
    """A policy of *queue* with one statement."""
    document = {"Version": "2012-10-17", "Statement": [statement]}
    making.add(event.origin, name, QUEUE_POLICY, {"PolicyDocument": document, "Queues": [queue]})
