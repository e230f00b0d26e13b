"""The events of a Serverless Framework function as resources of its stack.

Source: https://www.serverless.com/framework/docs/providers/aws/guide/events
"""

import json
from collections.abc import Callable
from typing import Any, Final

from lambdalint.aws.serverless import Event, Mapped, event, is_list, mapped_event
from lambdalint.join.serverless_apis import compile_http, compile_http_api, compile_websocket
from lambdalint.join.serverless_nodes import (
    at,
    attribute,
    block,
    is_hidden,
    is_intrinsic,
    is_true,
    items,
    known,
    place,
    plain,
    reference,
    several,
    substituted,
    text,
    unknown,
)
from lambdalint.join.serverless_stack import Called, Compiled, Stack, alphanumeric, normalized, permit
from lambdalint.model.document import Mapping, Node, Scalar, Sequence
from lambdalint.model.function import TriggerKind
from lambdalint.model.places import Span

#: Events of one function; a stack of CloudFormation holds 500 resources.
MAX_EVENTS: Final = 2_000

_TARGET: Final = {"input": "Input", "inputPath": "InputPath", "inputTransformer": "InputTransformer"}


def compile_events(stack: Stack, function: Compiled) -> bool:
    """Add the events of a function to the stack; whether they are all known."""
    stated = at(function.node, "events")
    complete = stated is None or (isinstance(stated, Sequence) and len(stated.items) <= MAX_EVENTS)
    for item in items(stated)[:MAX_EVENTS]:
        if isinstance(item, Mapping) and not is_intrinsic(item):
            for name, node in item.items.items():
                _compile(stack, function, name, node, item.keys[name])
        elif (short := text(item)) is not None:
            _compile(stack, function, short, item, item.span)
        else:
            complete = False
    return complete


def _compile(stack: Stack, function: Compiled, name: str, node: Node, span: Span) -> None:
    mapped = mapped_event(_stream(node) if name == "stream" else name)
    if mapped is not None:
        _mapping(stack, function, name, node, span, mapped)
        return
    row = event(name)
    if row is None:
        stack.called.append(_called(TriggerKind.OTHER, name, function, node, span))
        return
    _COMPILERS.get(name, _call)(stack, function, name, node, span, row)


def _stream(node: Node) -> str:
    """Whether a stream is of ``kinesis`` or ``dynamodb``."""
    stated = text(at(node, "type"))
    if stated is not None:
        return stated
    arn = node if isinstance(node, Scalar) else at(node, "arn")
    parts = (text(arn) or "").split(":")
    if len(parts) > 2:
        return parts[2]
    return "dynamodb" if "StreamArn" in json.dumps(_spelled(arn)) else "kinesis"


def _spelled(node: Node | None) -> Any:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Mapping):
        return [_spelled(item) for item in node.items.values()]
    return [_spelled(item) for item in items(node)]


def _mapping(stack: Stack, function: Compiled, name: str, node: Node, span: Span, mapped: Mapped) -> None:
    properties: dict[str, Any] = {"FunctionName": function.arn(span)}
    whole = isinstance(node, Scalar) or is_intrinsic(node)
    for key, path in mapped.keys.items():
        value = (node if key == "arn" else None) if whole else at(node, key)
        if value is not None:
            place(properties, path, several(value.span, value) if is_list(path) and not _is_list(value) else value)
    for path, value in mapped.defaults.items():
        properties.setdefault(path, known(value, span, stated=False))
    properties |= {} if whole else _source_settings(node)
    _consumer(stack, function, name, node, properties)
    source = properties.get("EventSourceArn")
    if source is not None:
        stack.allow(function.role, mapped.actions, source, span)
    target = at(node, "destinations", "onFailure")
    if target is not None:
        arn = at(target, "arn") if isinstance(target, Mapping) and not is_intrinsic(target) else target
        arn = arn or unknown("the destination", target.span)
        properties["DestinationConfig"] = {"OnFailure": {"Destination": arn}}
        stack.allow(function.role, ("sns:Publish", "sqs:SendMessage"), arn, target.span)
    of = alphanumeric(_named(source) or _named(at(node, "topic")) or name)
    logical = f"{normalized(function.key)}EventSourceMapping{_upper(name)}{of}"
    logical = stack.add(logical, "AWS::Lambda::EventSourceMapping", properties, span, node.span)
    stack.kinds[logical] = TriggerKind(mapped.kind)


def _is_list(node: Node) -> bool:
    return isinstance(node, Sequence) or is_hidden(node) or is_intrinsic(node)


def _source_settings(node: Node) -> dict[str, Any]:
    """Filters and credentials, which are lists for CloudFormation."""
    found: dict[str, Any] = {}
    filters = at(node, "filterPatterns")
    if filters is not None:
        listed = (block(each.span, {"Pattern": known(json.dumps(plain(each)), each.span)}) for each in items(filters))
        found["FilterCriteria"] = {"Filters": filters if is_hidden(filters) else several(filters.span, *listed)}
    for key, kind in (("basicAuthArn", "BASIC_AUTH"), ("saslScram512", "SASL_SCRAM_512_AUTH")):
        uri = at(node, key) or at(node, "accessConfigurations", key)
        if uri is not None:
            access = block(uri.span, {"Type": known(kind, uri.span), "URI": uri})
            found["SourceAccessConfigurations"] = several(uri.span, access)
    return found


def _consumer(stack: Stack, function: Compiled, name: str, node: Node, properties: dict[str, Any]) -> None:
    """A stream may be read through a consumer of its own, which the framework makes for ``true``."""
    stated = at(node, "consumer") if isinstance(node, Mapping) else None
    stream = properties.get("EventSourceArn")
    if stated is None or stream is None or name != "stream":
        return
    if is_true(stated):
        logical = f"{normalized(function.key)}{alphanumeric(_named(stream) or 'Stream')}ConsumerStreamConsumer"
        parts = {"StreamARN": stream, "ConsumerName": known(logical, stated.span, stated=False)}
        logical = stack.add(logical, "AWS::Kinesis::StreamConsumer", parts, stated.span)
        properties["EventSourceArn"] = reference(logical, stated.span)
    else:
        properties["EventSourceArn"] = stated


def _named(node: Node | None) -> str | None:
    """A short name of what *node* points at: the resource, or the end of an ARN."""
    written = text(node)
    if written is not None:
        return written.rpartition(":")[2].rpartition("/")[2]
    for key in ("Fn::GetAtt", "Ref"):
        argument = node.items.get(key) if isinstance(node, Mapping) else None
        first = argument.items[0] if isinstance(argument, Sequence) and argument.items else argument
        if isinstance(first, Scalar):
            return first.text.partition(".")[0]
    return node.text.partition(".")[0] if isinstance(node, Scalar) and node.tag else None


def _upper(name: str) -> str:
    return "SQS" if name == "sqs" else name[:1].upper() + name[1:]


def _called(
    kind: TriggerKind, name: str, function: Compiled, node: Node, span: Span, source: str | None = None
) -> Called:
    settings = node if isinstance(node, Mapping) else Mapping({}, {}, span)
    return Called(kind, name, function.logical, span, settings, source)


def _s3(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    whole = isinstance(node, Scalar) or is_intrinsic(node)
    bucket = node if whole else at(node, "bucket")
    event_name = None if whole else at(node, "event")
    rules = [
        block(rule.span, {"Name": known(key, rule.span), "Value": value})
        for rule in (() if whole else items(at(node, "rules")))
        if isinstance(rule, Mapping)
        for key, value in rule.items.items()
    ]
    parts = {
        "Event": event_name or known("s3:ObjectCreated:*", span, stated=False),
        "Function": function.arn(span),
        "Filter": block(span, {"S3Key": block(span, {"Rules": several(span, *rules)})}) if rules else None,
    }
    settings = block(span, parts)
    short = text(bucket)
    existing = not whole and at(node, "existing") is not None
    if existing or short is None:
        stack.called.append(_called(TriggerKind.S3, name, function, settings, span, _named(bucket)))
    else:
        logical = f"S3Bucket{alphanumeric(short)}"
        _notify(stack, logical, bucket, settings, span)
    arn = known(f"arn:aws:s3:::{short}", span) if short else unknown("the bucket", span)
    account = reference("AWS::AccountId", span)
    what = f"{alphanumeric(short or _named(bucket) or '')}S3"
    permit(
        stack,
        function,
        what,
        span,
        row.principal,
        arn,
        SourceAccount=account,
    )


def _notify(stack: Stack, logical: str, bucket: Node | None, settings: Node, span: Span) -> None:
    """Let the bucket *logical*, which the framework makes, tell one more function."""
    listed: tuple[Node, ...] = ()
    if logical in stack.resources:
        before = at(stack.resources[logical], "Properties", "NotificationConfiguration", "LambdaConfigurations")
        listed = items(before)
        del stack.resources[logical]
    short = text(bucket) or ""
    configured = at(stack.service.provider, "s3", short)
    name = at(configured, "name") or bucket
    properties = {
        "BucketName": name,
        "NotificationConfiguration": {"LambdaConfigurations": several(span, *listed, settings)},
    }
    stack.add(logical, "AWS::S3::Bucket", properties, stack.names.get(logical, span))


def _sns(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    whole = isinstance(node, Scalar) or is_intrinsic(node)
    arn = node if whole and not _is_topic_name(node) else None if whole else at(node, "arn")
    topic_name = node if whole and arn is None else at(node, "topicName") if not whole else None
    if arn is None:
        logical = f"SNSTopic{alphanumeric(text(topic_name) or '')}"
        parts = {"TopicName": topic_name, "DisplayName": at(node, "displayName")}
        arn = reference(stack.once(logical, "AWS::SNS::Topic", parts, span), span)
    dead = at(node, "redrivePolicy")
    dead_arn = at(dead, "deadLetterTargetArn")
    dead_name = text(at(dead, "deadLetterTargetRef"))
    if dead is not None and dead_name is not None:
        dead_arn = attribute(dead_name, "Arn", dead.span)
    properties = {
        "TopicArn": arn,
        "Protocol": known("lambda", span),
        "Endpoint": function.arn(span),
        "FilterPolicy": at(node, "filterPolicy"),
        "FilterPolicyScope": at(node, "filterPolicyScope"),
        "RedrivePolicy": dead
        and block(dead.span, {"deadLetterTargetArn": dead_arn or unknown("the queue", dead.span)}),
    }
    what = alphanumeric(text(topic_name) or _named(arn) or "")
    logical = f"{normalized(function.key)}SnsSubscription{what}"
    logical = stack.add(logical, "AWS::SNS::Subscription", properties, span, node.span)
    stack.kinds[logical] = TriggerKind.SNS
    permit(stack, function, f"{what}SNS", span, row.principal, arn)


def _is_topic_name(node: Node) -> bool:
    written = text(node)
    return written is not None and not written.startswith("arn:")


def _schedule(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    whole = isinstance(node, Scalar) or is_intrinsic(node)
    stated = node if whole else at(node, "rate")
    rates = items(stated) or ((stated,) if stated is not None else (unknown("the rate", span),))
    scheduler = not whole and text(at(node, "method")) == "scheduler"
    for rate in rates:
        target = {"Arn": function.arn(span), "Id": known(f"{function.key}Schedule", span), **_inputs(node, whole)}
        common = {
            "ScheduleExpression": rate,
            "State": _state(node, whole, span),
            "Name": None if whole else at(node, "name"),
        }
        if scheduler:
            role = at(stack.resources[function.logical], "Properties", "Role")
            target = {"Arn": function.arn(span), "RoleArn": role, "Input": at(node, "input")}
            parts = {**common, "Target": block(span, target), "ScheduleExpressionTimezone": at(node, "timezone")}
            logical = stack.add(
                f"{normalized(function.key)}SchedulerSchedule1", "AWS::Scheduler::Schedule", parts, span
            )
        else:
            parts = {**common, "Targets": several(span, block(span, target))}
            logical = f"{normalized(function.key)}EventsRuleSchedule1"
            logical = stack.add(logical, "AWS::Events::Rule", parts, span, node.span)
            permit(stack, function, "EventsRuleSchedule1", span, row.principal, attribute(logical, "Arn", span))
        stack.kinds[logical] = TriggerKind.SCHEDULE


def _inputs(node: Node, whole: bool) -> dict[str, Node | None]:
    return {} if whole else {name: at(node, key) for key, name in _TARGET.items()}


def _state(node: Node, whole: bool, span: Span) -> Node:
    enabled = None if whole else at(node, "enabled")
    if enabled is None or not isinstance(enabled, Scalar) or is_hidden(enabled):
        return enabled or known("ENABLED", span, stated=False)
    return known("DISABLED" if enabled.value is False else "ENABLED", enabled.span)


def _rule(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    dead = at(node, "deadLetterQueueArn")
    retry = at(node, "retryPolicy")
    target: dict[str, Node | None] = {
        "Arn": function.arn(span),
        "Id": known(f"{function.key}{_upper(name)}", span),
        **_inputs(node, not isinstance(node, Mapping)),
        "DeadLetterConfig": dead and block(dead.span, {"Arn": dead}),
        "RetryPolicy": retry
        and block(
            retry.span,
            {
                "MaximumEventAgeInSeconds": at(retry, "maximumEventAge"),
                "MaximumRetryAttempts": at(retry, "maximumRetryAttempts"),
            },
        ),
    }
    properties = {
        "EventPattern": at(node, "pattern") or at(node, "event"),
        "ScheduleExpression": at(node, "schedule"),
        "EventBusName": at(node, "eventBus"),
        "State": _state(node, not isinstance(node, Mapping), span),
        "Name": at(node, "name"),
        "Targets": several(span, block(span, target)),
    }
    logical = f"{normalized(function.key)}EventsRule{_upper(name)}1"
    logical = stack.add(logical, "AWS::Events::Rule", properties, span, node.span)
    scheduled = properties["ScheduleExpression"] is not None
    stack.kinds[logical] = TriggerKind.SCHEDULE if scheduled else TriggerKind(row.kind)
    permit(stack, function, f"EventsRule{_upper(name)}1", span, row.principal, attribute(logical, "Arn", span))


def _log(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    whole = isinstance(node, Scalar) or is_intrinsic(node)
    group = node if whole else at(node, "logGroup")
    properties = {
        "LogGroupName": group,
        "FilterPattern": known("", span, stated=False) if whole else at(node, "filter"),
        "DestinationArn": function.arn(span),
    }
    logical = f"{normalized(function.key)}LogsSubscriptionFilterCloudWatchLog1"
    logical = stack.add(logical, "AWS::Logs::SubscriptionFilter", properties, span, node.span)
    stack.kinds[logical] = TriggerKind.LOGS
    written = text(group)
    arn = f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{written}:*"
    source = substituted(arn, span) if written else unknown("the log group", span)
    permit(stack, function, "LogsSubscriptionFilterCloudWatchLog", span, row.principal, source)


def _alb(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    properties = {
        "TargetType": known("lambda", span),
        "Targets": several(span, block(span, {"Id": function.arn(span)})),
    }
    logical = f"{normalized(function.key)}AlbTargetGroup"
    logical = stack.add(logical, "AWS::ElasticLoadBalancingV2::TargetGroup", properties, span, node.span)
    stack.kinds[logical] = TriggerKind.ALB
    permit(stack, function, "RegisterTarget", span, row.principal, reference(logical, span))


def _iot(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    action = block(span, {"Lambda": block(span, {"FunctionArn": function.arn(span)})})
    payload = {"Sql": at(node, "sql"), "Actions": several(span, action)}
    logical = f"{normalized(function.key)}IotTopicRule1"
    logical = stack.add(logical, "AWS::IoT::TopicRule", {"TopicRulePayload": payload}, span, node.span)
    stack.kinds[logical] = TriggerKind.IOT
    permit(stack, function, "IotTopicRule1", span, row.principal, attribute(logical, "Arn", span))


def _cognito(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    pool, trigger = text(at(node, "pool")), text(at(node, "trigger"))
    existing = at(node, "existing") is not None
    if pool is None or trigger is None or existing:
        stack.called.append(_called(TriggerKind.COGNITO, trigger or name, function, node, span))
        source: Node = unknown("the user pool", span)
    else:
        logical = f"CognitoUserPool{alphanumeric(pool)}"
        triggers: dict[str, Node] = {trigger: function.arn(span)}
        before = at(stack.resources.get(logical), "Properties", "LambdaConfig")
        if isinstance(before, Mapping):
            triggers = before.items | triggers
            del stack.resources[logical]
        properties = {"UserPoolName": known(pool, span), "LambdaConfig": block(span, triggers)}
        stack.add(logical, "AWS::Cognito::UserPool", properties, stack.names.get(logical, span))
        source = attribute(logical, "Arn", span)
    what = f"CognitoUserPool{alphanumeric(pool or '')}TriggerSource{trigger or ''}"
    permit(stack, function, what, span, row.principal, source)


def _alexa(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    # The permission is all that there is in the stack; it is read as the trigger.
    token = text(node) if text(node) != name else None
    application = at(node, "appId") or (node if token is not None else None)
    permit(stack, function, f"{_upper(name)}1", span, row.principal, None, EventSourceToken=application)


def _call(stack: Stack, function: Compiled, name: str, node: Node, span: Span, row: Event) -> None:
    stack.called.append(_called(TriggerKind(row.kind), name, function, node, span))
    if row.principal:
        permit(stack, function, _upper(name), span, row.principal, unknown("the source", span))


_Compiler = Callable[[Stack, Compiled, str, Node, Span, Event], None]
_COMPILERS: Final[dict[str, _Compiler]] = {
    "http": compile_http,
    "httpApi": compile_http_api,
    "websocket": compile_websocket,
    "s3": _s3,
    "sns": _sns,
    "schedule": _schedule,
    "eventBridge": _rule,
    "cloudwatchEvent": _rule,
    "cloudwatchLog": _log,
    "alb": _alb,
    "iot": _iot,
    "cognitoUserPool": _cognito,
    "alexaSkill": _alexa,
    "alexaSmartHome": _alexa,
}
