"""What invokes the functions of a template, as plain CloudFormation resources say it."""

from collections.abc import Iterator
from typing import Final

from lambdalint.join.called import function_of, functions_in
from lambdalint.join.definitions import authorizers, integrations
from lambdalint.join.properties import alternatives, properties_of, reference_of, text_of
from lambdalint.model.function import Trigger, TriggerKind
from lambdalint.model.template import Resource, Template
from lambdalint.model.values import Known, Properties, Property

MAPPING: Final = "AWS::Lambda::EventSourceMapping"

#: Resource type → the kind of event source it is.
SOURCES: Final = {
    "AWS::SQS::Queue": TriggerKind.SQS,
    "AWS::Kinesis::Stream": TriggerKind.KINESIS,
    "AWS::Kinesis::StreamConsumer": TriggerKind.KINESIS,
    "AWS::DynamoDB::Table": TriggerKind.DYNAMODB,
    "AWS::DynamoDB::GlobalTable": TriggerKind.DYNAMODB,
    "AWS::Serverless::SimpleTable": TriggerKind.DYNAMODB,
    "AWS::MSK::Cluster": TriggerKind.MSK,
    "AWS::MSK::ServerlessCluster": TriggerKind.MSK,
    "AWS::AmazonMQ::Broker": TriggerKind.MQ,
    "AWS::DocDB::DBCluster": TriggerKind.DOCUMENTDB,
}

#: A property of a mapping that only sources of one kind have, and the kind; the surest first.
TELLING: Final = {
    "SelfManagedEventSource": TriggerKind.KAFKA,
    "DocumentDBEventSourceConfig": TriggerKind.DOCUMENTDB,
    "Queues": TriggerKind.MQ,
    "Topics": TriggerKind.MSK,
}

#: Who calls for a skill: nothing else in a template says that Alexa does.
ALEXA: Final = ("alexa-appkit.amazon.com", "alexa-connectedhome.amazon.com")

#: The service in an ARN → the kind of event source it is.
SERVICES: Final = {
    "sqs": TriggerKind.SQS,
    "kinesis": TriggerKind.KINESIS,
    "dynamodb": TriggerKind.DYNAMODB,
    "kafka": TriggerKind.MSK,
    "mq": TriggerKind.MQ,
    "rds": TriggerKind.DOCUMENTDB,
}


def declared_triggers(template: Template) -> Iterator[Trigger]:
    """The triggers that point at functions of the template.

    Those of resources that a transform made are not among them: the transform knows better what they are.
    """
    for resource in template.resources.values():
        if resource.label is not None:
            continue
        reader = _READERS.get(resource.type)
        if reader:
            yield from reader(resource, template)
        elif resource.type.startswith("Custom::") or resource.type == "AWS::CloudFormation::CustomResource":
            if function := _function(resource.properties.get("ServiceToken"), template):
                yield Trigger(TriggerKind.CUSTOM_RESOURCE, resource.name, function, resource.span, resource)
        elif resource.type not in _MERELY_NAMING:
            for function in sorted(_named_functions(resource, template)):
                yield Trigger(TriggerKind.OTHER, resource.name, function, resource.span, resource)


def _mapping(resource: Resource, template: Template) -> Iterator[Trigger]:
    function = _function(resource.properties.get("FunctionName"), template)
    if function is None:
        return
    arn = resource.properties.get("EventSourceArn")
    reference = reference_of(arn)
    source = template.resources.get(reference.resource) if reference else None
    kind = SOURCES.get(source.type) if source else None
    if kind is None and (text := text_of(arn)) and text.count(":") >= 5:
        kind = SERVICES.get(text.split(":")[2])
    kind = next((each for key, each in TELLING.items() if key in resource.properties), kind)
    yield Trigger(kind or TriggerKind.OTHER, resource.name, function, resource.span, source, resource.properties)


def _bucket(resource: Resource, template: Template) -> Iterator[Trigger]:
    notifications = properties_of(resource.properties.get("NotificationConfiguration"))
    for item in alternatives(notifications.get("LambdaConfigurations")):
        settings = properties_of(item)
        if function := _function(settings.get("Function"), template):
            yield Trigger(TriggerKind.S3, resource.name, function, item.span, resource, settings)


def _subscription(resource: Resource, template: Template) -> Iterator[Trigger]:
    topic = reference_of(resource.properties.get("TopicArn"))
    source = template.resources.get(topic.resource) if topic else None
    yield from _subscribed(resource.properties, source, resource, template)


def _topic(resource: Resource, template: Template) -> Iterator[Trigger]:
    for item in alternatives(resource.properties.get("Subscription")):
        yield from _subscribed(properties_of(item), resource, resource, template)


def _subscribed(
    settings: Properties, topic: Resource | None, resource: Resource, template: Template
) -> Iterator[Trigger]:
    function = _function(settings.get("Endpoint"), template)
    if function and text_of(settings.get("Protocol")) == "lambda":
        yield Trigger(TriggerKind.SNS, resource.name, function, resource.span, topic, settings)


def _rule(resource: Resource, template: Template) -> Iterator[Trigger]:
    kind = TriggerKind.SCHEDULE if "ScheduleExpression" in resource.properties else TriggerKind.EVENTBRIDGE
    for target in alternatives(resource.properties.get("Targets")):
        settings = properties_of(target)
        if function := _function(settings.get("Arn"), template):
            yield Trigger(kind, resource.name, function, target.span, resource, settings)


def _schedule(resource: Resource, template: Template) -> Iterator[Trigger]:
    settings = properties_of(resource.properties.get("Target"))
    if function := _function(settings.get("Arn"), template):
        yield Trigger(TriggerKind.SCHEDULE, resource.name, function, resource.span, resource, settings)


def _url(resource: Resource, template: Template) -> Iterator[Trigger]:
    if function := _function(resource.properties.get("TargetFunctionArn"), template):
        yield Trigger(
            TriggerKind.FUNCTION_URL, resource.name, function, resource.span, resource, resource.properties, "2.0", True
        )


def _method(resource: Resource, template: Template) -> Iterator[Trigger]:
    integration = properties_of(resource.properties.get("Integration"))
    kind = text_of(integration.get("Type"))
    proxy = None if kind is None else kind == "AWS_PROXY"
    for function in sorted(_functions_in(integration.get("Uri"), template)):
        yield Trigger(
            TriggerKind.REST_API,
            resource.name,
            function,
            resource.span,
            _referred(resource, "RestApiId", template),
            integration,
            "1.0",
            proxy,
        )


def _integration(resource: Resource, template: Template) -> Iterator[Trigger]:
    api = _referred(resource, "ApiId", template)
    websocket = api is not None and text_of(api.properties.get("ProtocolType")) == "WEBSOCKET"
    version = resource.properties.get("PayloadFormatVersion")
    for function in sorted(_functions_in(resource.properties.get("IntegrationUri"), template)):
        yield Trigger(
            TriggerKind.WEBSOCKET_API if websocket else TriggerKind.HTTP_API,
            resource.name,
            function,
            resource.span,
            api,
            resource.properties,
            "1.0" if version is None else _version(version),
            True if text_of(resource.properties.get("IntegrationType")) == "AWS_PROXY" else None,
        )


def _target_group(resource: Resource, template: Template) -> Iterator[Trigger]:
    for target in alternatives(resource.properties.get("Targets")):
        if function := _function(properties_of(target).get("Id"), template):
            yield Trigger(
                TriggerKind.ALB, resource.name, function, target.span, resource, resource.properties, None, True
            )


def _filter(resource: Resource, template: Template) -> Iterator[Trigger]:
    if function := _function(resource.properties.get("DestinationArn"), template):
        yield Trigger(TriggerKind.LOGS, resource.name, function, resource.span, resource, resource.properties)


def _user_pool(resource: Resource, template: Template) -> Iterator[Trigger]:
    for name, value in properties_of(resource.properties.get("LambdaConfig")).items():
        for function in sorted(_functions_in(value, template)):
            yield Trigger(
                TriggerKind.COGNITO, name, function, value.span, resource, {"Trigger": Known(name, value.span)}
            )


def _definition(resource: Resource, template: Template) -> Iterator[Trigger]:
    rest = resource.type == "AWS::ApiGateway::RestApi"
    body = resource.properties.get("Body")
    for found in integrations(body):
        for function in sorted(_functions_in(found.uri, template)):
            yield Trigger(
                TriggerKind.REST_API if rest else TriggerKind.HTTP_API,
                f"{found.method.upper().removeprefix('X-AMAZON-APIGATEWAY-').removesuffix('-METHOD')} {found.path}",
                function,
                found.span,
                resource,
                found.settings,
                "1.0" if rest else found.payload_version,
                found.proxy,
            )
    for authorizer in authorizers(body):
        for function in sorted(_functions_in(authorizer.uri, template)):
            yield Trigger(TriggerKind.AUTHORIZER, authorizer.name, function, authorizer.span, resource)


def _authorizer(resource: Resource, template: Template) -> Iterator[Trigger]:
    for function in sorted(_functions_in(resource.properties.get("AuthorizerUri"), template)):
        yield Trigger(TriggerKind.AUTHORIZER, resource.name, function, resource.span, resource, resource.properties)


def _graphql_api(resource: Resource, template: Template) -> Iterator[Trigger]:
    others = alternatives(resource.properties.get("AdditionalAuthenticationProviders"))
    for settings in (resource.properties, *map(properties_of, others)):
        uri = properties_of(settings.get("LambdaAuthorizerConfig")).get("AuthorizerUri")
        if uri is not None and (function := _function(uri, template)):
            yield Trigger(TriggerKind.AUTHORIZER, resource.name, function, uri.span, resource)


def _thing_rule(resource: Resource, template: Template) -> Iterator[Trigger]:
    payload = properties_of(resource.properties.get("TopicRulePayload"))
    for action in alternatives(payload.get("Actions")):
        called = properties_of(properties_of(action).get("Lambda")).get("FunctionArn")
        if function := _function(called, template):
            yield Trigger(TriggerKind.IOT, resource.name, function, action.span, resource, payload)


def _skill(resource: Resource, template: Template) -> Iterator[Trigger]:
    function = _function(resource.properties.get("FunctionName"), template)
    if function and text_of(resource.properties.get("Principal")) in ALEXA:
        yield Trigger(TriggerKind.ALEXA, resource.name, function, resource.span, None, resource.properties)


def _version(value: Property) -> str | None:
    return str(value.value) if isinstance(value, Known) else None


def _referred(resource: Resource, key: str, template: Template) -> Resource | None:
    reference = reference_of(resource.properties.get(key))
    return template.resources.get(reference.resource) if reference else None


def _function(value: Property | None, template: Template) -> str | None:
    """The one function of the template that *value* names."""
    return function_of(value, template.resources)


def _functions_in(value: Property | None, template: Template) -> set[str]:
    return functions_in(value, template.resources)


def _named_functions(resource: Resource, template: Template) -> set[str]:
    return _functions_in(Known(resource.properties, resource.span), template)


#: Resources that name a function without invoking it.
_MERELY_NAMING: Final = frozenset(
    (
        "AWS::Lambda::Function",
        "AWS::Serverless::Function",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Version",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Logs::LogGroup",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::IAM::Role",
        "AWS::IAM::Policy",
        "AWS::IAM::RolePolicy",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::User",
        "AWS::IAM::UserPolicy",
        "AWS::IAM::Group",
        "AWS::IAM::GroupPolicy",
        "AWS::KMS::Key",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SSM::Parameter",
    )
)

_READERS: Final = {
    MAPPING: _mapping,
    "AWS::S3::Bucket": _bucket,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::Events::Rule": _rule,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::Lambda::Url": _url,
    "AWS::ApiGateway::Method": _method,
    "AWS::ApiGatewayV2::Integration": _integration,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _target_group,
    "AWS::Logs::SubscriptionFilter": _filter,
    "AWS::Cognito::UserPool": _user_pool,
    "AWS::ApiGateway::RestApi": _definition,
    "AWS::ApiGatewayV2::Api": _definition,
    "AWS::ApiGateway::Authorizer": _authorizer,
    "AWS::ApiGatewayV2::Authorizer": _authorizer,
    "AWS::AppSync::GraphQLApi": _graphql_api,
    "AWS::IoT::TopicRule": _thing_rule,
    "AWS::Lambda::Permission": _skill,
}
