"""SAM's events of services that call the function themselves: rules, subscriptions, and leave to call.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from lambdalint.join.properties import items_of, properties_of
from lambdalint.join.sam.making import QUEUE, ROLE, Making, is_same, trust
from lambdalint.join.sam.pulled import MAPPING, destination_statements
from lambdalint.join.sam.targets import Event, Target, dead_letter_arn, permit, queue_policy, source_of
from lambdalint.model.function import Trigger, TriggerKind
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Property

RULE: Final = "AWS::Events::Rule"
SCHEDULE: Final = "AWS::Scheduler::Schedule"
EVENTS: Final = "events.amazonaws.com"

_SCHEDULE_SETTINGS: Final = (
    "ScheduleExpression",
    "State",
    "Description",
    "StartDate",
    "EndDate",
    "ScheduleExpressionTimezone",
    "GroupName",
    "KmsKeyArn",
)


def state_of(event: Event) -> object:
    """The state of a rule: as stated, or what ``Enabled`` stands for."""
    state, enabled = event.settings.get("State"), event.settings.get("Enabled")
    if state is not None or enabled is None:
        return state
    if isinstance(enabled, Known):
        return Known("ENABLED" if str(enabled.value).lower() == "true" else "DISABLED", enabled.span)
    return enabled


def rule_settings(event: Event) -> dict[str, object]:
    """What a rule says, without its targets."""
    if event.kind == "Schedule":
        return {"ScheduleExpression": event.settings.get("Schedule"), **event.get("Name", "Description")}
    get = event.settings.get
    return {"EventBusName": get("EventBusName"), "EventPattern": get("Pattern"), "Name": get("RuleName")}


def rule_target(event: Event, arn: Property, suffix: str, making: Making) -> dict[str, object]:
    """The target of a rule, with the dead-letter queue that SAM may make for it."""
    rule = making.reference(event.name, event.origin.span, "Arn")
    config = event.settings.get("DeadLetterConfig")
    target_id = properties_of(event.settings.get("Target")).get("Id")
    plain = event.get("Input", "InputPath", "InputTransformer", "RetryPolicy")
    return {
        "Arn": arn,
        "Id": target_id or f"{event.name.removeprefix(making.scope)}{suffix}",
        **plain,
        "DeadLetterConfig": {"Arn": dead_letter_arn(making, event, config, rule)} if config is not None else None,
    }


def _rule(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    call = rule_target(event, target.arn, "LambdaTarget", making)
    rule = making.add(
        event.origin, event.name, RULE, {**rule_settings(event), "State": state_of(event), "Targets": [call]}
    )
    permit(making, event, target, EVENTS, SourceArn=making.reference(event.name, event.origin.span, "Arn"))
    kind = TriggerKind.SCHEDULE if event.kind == "Schedule" else TriggerKind.EVENTBRIDGE
    settings = items_of(rule.properties.get("Targets"))[0]
    yield event.trigger(kind, target, rule, {**rule.properties, **properties_of(settings)})


def _schedule(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    invoke = [{"Action": "lambda:InvokeFunction", "Resource": target.arn}]
    schedule = add_schedule(event, target.arn, invoke, making)
    settings = {**schedule.properties, **properties_of(schedule.get("Target"))}
    yield event.trigger(TriggerKind.SCHEDULE, target, schedule, settings)


def add_schedule(event: Event, arn: Property, statements: list[dict[str, object]], making: Making) -> Resource:
    """A schedule that calls *arn*, and the role that it needs unless it is given one."""
    get, span = event.settings.get, event.origin.span
    config = get("DeadLetterConfig")
    queue = dead_letter_arn(making, event, config, None) if config is not None else None
    role: object = get("RoleArn")
    if role is None:
        allowed = statements + (destination_statements("SQS", queue) if queue is not None else [])
        document = {"Statement": [{"Effect": "Allow", **each} for each in allowed]}
        policy = {"PolicyName": f"{event.name.removeprefix(making.scope)}Policy", "PolicyDocument": document}
        making.add(
            event.origin,
            f"{event.name}Role",
            ROLE,
            {
                "AssumeRolePolicyDocument": trust("scheduler.amazonaws.com"),
                "Policies": [policy],
                "PermissionsBoundary": get("PermissionsBoundary"),
            },
        )
        role = making.reference(f"{event.name}Role", span, "Arn")
    omitted = get("OmitName")
    unnamed = isinstance(omitted, Known) and str(omitted.value).lower() == "true"
    return making.add(
        event.origin,
        event.name,
        SCHEDULE,
        {
            **event.get(*_SCHEDULE_SETTINGS),
            "Name": get("Name") or (None if unnamed else event.name.removeprefix(making.scope)),
            "FlexibleTimeWindow": get("FlexibleTimeWindow") or {"Mode": "OFF"},
            "Target": {
                "Arn": arn,
                "RoleArn": role,
                **event.get("Input", "RetryPolicy"),
                "DeadLetterConfig": {"Arn": queue} if config is not None else None,
            },
        },
    )


def _bucket(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    permit(making, event, target, "s3.amazonaws.com", SourceAccount="${AWS::AccountId}")
    bucket = source_of(event.settings.get("Bucket"), making)
    notifications = bucket.get("NotificationConfiguration", "LambdaConfigurations") if bucket else None
    written = [properties_of(each) for each in items_of(notifications)]
    for kind in items_of(event.settings.get("Events")):
        settings = {"Event": kind, "Function": target.arn, **event.get("Filter")}
        known = {name: value for name, value in settings.items() if value is not None}
        if any(is_same(Known(each, kind.span), Known(known, kind.span)) for each in written):
            continue  # the bucket says so itself
        yield event.trigger(TriggerKind.S3, target, bucket, known)


def _topic(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    span, topic = event.origin.span, event.settings.get("Topic")
    subscription = {
        "TopicArn": topic,
        **event.get("Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"),
    }
    through = event.settings.get("SqsSubscription")
    if through is None or (isinstance(through, Known) and not through.value):
        permit(making, event, target, "sns.amazonaws.com", SourceArn=topic)
        made = making.add(
            event.origin,
            event.name,
            "AWS::SNS::Subscription",
            {**subscription, "Protocol": "lambda", "Endpoint": target.arn},
        )
        yield event.trigger(TriggerKind.SNS, target, source_of(topic, making), made.properties)
        return
    queue = properties_of(through)
    arn, url = queue.get("QueueArn"), queue.get("QueueUrl")
    if not queue:
        source = source_of(topic, making)
        fifo = source.properties.get("FifoTopic") if source else None
        kept = None if isinstance(fifo, Known) and not fifo.value else fifo
        making.add(event.origin, f"{event.name}Queue", QUEUE, {"FifoQueue": kept})
        arn = making.reference(f"{event.name}Queue", span, "Arn")
        url = making.reference(f"{event.name}Queue", span)
    named = queue.get("QueuePolicyLogicalId")
    policy = making.scope + str(named.value) if isinstance(named, Known) else f"{event.name}QueuePolicy"
    if url is not None:
        statement = {
            "Action": "sqs:SendMessage",
            "Effect": "Allow",
            "Principal": "*",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        queue_policy(making, event, policy, url, statement)
    making.add(event.origin, event.name, "AWS::SNS::Subscription", {**subscription, "Protocol": "sqs", "Endpoint": arn})
    mapping = making.add(
        event.origin,
        f"{event.name}EventSourceMapping",
        MAPPING,
        {
            "FunctionName": target.function,
            "EventSourceArn": arn,
            "BatchSize": queue.get("BatchSize", Known(10, span, stated=False)),
            "Enabled": True,
        },
    )
    target.role.attach("arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole", span)
    yield event.trigger(TriggerKind.SQS, target, source_of(arn, making), mapping.properties)


def _logs(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    group = event.settings.get("LogGroupName")
    arn = "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:${__LogGroupName__}:*"
    source = making.made(arn, event.origin.span, {"__LogGroupName__": group})
    permit(making, event, target, "logs.amazonaws.com", SourceArn=source)
    made = making.add(
        event.origin,
        event.name,
        "AWS::Logs::SubscriptionFilter",
        {**event.get("LogGroupName", "FilterPattern"), "DestinationArn": target.arn},
    )
    yield event.trigger(TriggerKind.LOGS, target, made, made.properties)


def _thing(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    rule = making.reference(event.name, event.origin.span)
    arn = making.made(
        "arn:aws:iot:${AWS::Region}:${AWS::AccountId}:rule/${RuleName}", event.origin.span, {"RuleName": rule}
    )
    permit(making, event, target, "iot.amazonaws.com", SourceArn=arn, SourceAccount="${AWS::AccountId}")
    payload = {
        **event.get("Sql", "AwsIotSqlVersion"),
        "RuleDisabled": False,
        "Actions": [{"Lambda": {"FunctionArn": target.arn}}],
    }
    made = making.add(event.origin, event.name, "AWS::IoT::TopicRule", {"TopicRulePayload": payload})
    yield event.trigger(TriggerKind.IOT, target, made, properties_of(made.get("TopicRulePayload")))


def _skill(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    permit(making, event, target, "alexa-appkit.amazon.com", EventSourceToken=event.settings.get("SkillId"))
    yield event.trigger(TriggerKind.ALEXA, target, None, event.settings)


def _users(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    pool = event.settings.get("UserPool")
    source = source_of(pool, making)
    if source is not None:
        arn = making.reference(source.name, event.origin.span, "Arn")
        called = target.function.refers.resource if target.function.refers else target.name
        permit(making, event, target, "cognito-idp.amazonaws.com", name=f"{called}Cognito", SourceArn=arn)
    for kind in items_of(event.settings.get("Trigger")):
        yield event.trigger(TriggerKind.COGNITO, target, source, {**event.settings, "Trigger": kind})


PUSHED: Final[Mapping[str, Callable[[Event, Target, Making], Iterator[Trigger]]]] = {
    "AlexaSkill": _skill,
    "CloudWatchEvent": _rule,
    "CloudWatchLogs": _logs,
    "Cognito": _users,
    "EventBridgeRule": _rule,
    "IoTRule": _thing,
    "S3": _bucket,
    "SNS": _topic,
    "Schedule": _rule,
    "ScheduleV2": _schedule,
}
