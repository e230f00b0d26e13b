"""SAM's events of sources that Lambda polls: event source mappings, and what the role needs for them.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html
"""

from collections.abc import Iterator, Mapping
from typing import Final

from lambdalint.join.properties import items_of, properties_of, text_of
from lambdalint.join.sam.making import Making
from lambdalint.join.sam.targets import Event, Target, source_of
from lambdalint.join.texts import joined_text, spelled
from lambdalint.model.function import Trigger, TriggerKind
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Properties, Property, Unknown

MAPPING: Final = "AWS::Lambda::EventSourceMapping"

#: Event type → what it is, the property that names the source, and the managed policy that polling needs.
SOURCES: Final[Mapping[str, tuple[TriggerKind, str, str]]] = {
    "SQS": (TriggerKind.SQS, "Queue", "AWSLambdaSQSQueueExecutionRole"),
    "Kinesis": (TriggerKind.KINESIS, "Stream", "AWSLambdaKinesisExecutionRole"),
    "DynamoDB": (TriggerKind.DYNAMODB, "Stream", "AWSLambdaDynamoDBExecutionRole"),
    "MSK": (TriggerKind.MSK, "Stream", "AWSLambdaMSKExecutionRole"),
    "MQ": (TriggerKind.MQ, "Broker", ""),
    "DocumentDB": (TriggerKind.DOCUMENTDB, "Cluster", ""),
    "SelfManagedKafka": (TriggerKind.KAFKA, "", ""),
}

#: What goes into the mapping under another name, or not at all.
_TRANSLATED: Final = frozenset(
    (
        "Broker",
        "Cluster",
        "CollectionName",
        "ConsumerGroupId",
        "DatabaseName",
        "DestinationConfig",
        "DynamicPolicyName",
        "FullDocument",
        "KafkaBootstrapServers",
        "Queue",
        "SchemaRegistryConfig",
        "SecretsManagerKmsKeyId",
        "Stream",
    )
)

_INTERFACES: Final = {
    "Action": [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeVpcs",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
    ],
    "Resource": "*",
}
_NO_SECRET: Final = frozenset(
    (
        "IAM_AUTH",
        "IAM_OAUTHBEARER_AUTH",
        "OAUTHBEARER_AUDIENCE",
        "OAUTHBEARER_IDENTITY_POOL",
        "OAUTHBEARER_LOGICAL_CLUSTER",
        "OAUTHBEARER_SCOPE",
        "VIRTUAL_HOST",
        "VPC_SECURITY_GROUP",
        "VPC_SUBNET",
    )
)


def pulled(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    """The event source mapping of a polled source, as a trigger."""
    kind, key, policy = SOURCES[event.kind]
    settings = event.settings
    source = settings.get(key)
    mapping = making.add(
        event.origin,
        event.name,
        MAPPING,
        {
            "FunctionName": target.function,
            "EventSourceArn": source,
            **{name: value for name, value in settings.items() if name not in _TRANSLATED},
            "DestinationConfig": _destinations(settings.get("DestinationConfig")),
            **_kafka(event.kind, settings),
            **_documents(event.kind, settings),
        },
    )
    if policy:
        target.role.attach(f"arn:aws:iam::aws:policy/service-role/{policy}", event.origin.span)
    statements = list(_statements(event.kind, settings, making))
    if statements:
        target.role.allow(making, f"{event.name}Policy", statements, event.origin.span)
    allow_destination(properties_of(settings.get("DestinationConfig")).get("OnFailure"), event, target, making)
    yield event.trigger(kind, target, source_of(source, making), mapping.properties)


def allow_destination(written: Property | None, event: Event, target: Target, making: Making) -> None:
    """Let the function's role send to a destination of one of SAM's types."""
    settings = properties_of(written)
    kind, arn = text_of(settings.get("Type")), settings.get("Destination")
    if arn is not None and kind is not None:
        statements = destination_statements(kind, arn)
        if statements:
            target.role.allow(making, f"{event.name}{kind}Policy", statements, event.origin.span)


def destination_statements(kind: str, arn: Property) -> list[dict[str, object]]:
    """What a role needs to send to *arn*."""
    actions = {
        "SQS": "sqs:SendMessage",
        "SNS": "sns:publish",
        "EventBridge": "events:PutEvents",
        "Lambda": "lambda:InvokeFunction",
    }
    if kind in ("S3", "S3Bucket"):
        return [
            {"Action": "s3:PutObject", "Resource": _objects(arn)},
            {"Action": "s3:ListBucket", "Resource": arn},
        ]
    return [{"Action": actions[kind], "Resource": arn}] if kind in actions else []


def _objects(bucket: Property) -> Property:
    everything = Known("*", bucket.span, stated=False)
    return joined_text("/", [bucket, everything], f"!Join {spelled(bucket)}/*", bucket.span)


def _destinations(written: Property | None) -> Property | None:
    """The destinations without the type, which is SAM's own."""
    if not isinstance(written, Known) or not properties_of(written):
        return written if isinstance(written, Unknown) else None
    kept = {
        name: Known({key: value for key, value in properties_of(each).items() if key != "Type"}, each.span)
        if properties_of(each)
        else each
        for name, each in properties_of(written).items()
    }
    return Known(kept, written.span)


def _kafka(kind: str, settings: Properties) -> dict[str, object]:
    group = {name: settings[name] for name in ("ConsumerGroupId", "SchemaRegistryConfig") if name in settings}
    servers = settings.get("KafkaBootstrapServers")
    managed = "AmazonManagedKafkaEventSourceConfig" if kind == "MSK" else "SelfManagedKafkaEventSourceConfig"
    found: dict[str, object] = {managed: group} if group else {}
    if servers is not None:
        found["SelfManagedEventSource"] = {"Endpoints": {"KafkaBootstrapServers": servers}}
    return found


def _documents(kind: str, settings: Properties) -> dict[str, object]:
    if kind != "DocumentDB":
        return {}
    names = ("DatabaseName", "CollectionName", "FullDocument")
    return {"DocumentDBEventSourceConfig": {name: settings[name] for name in names if name in settings}}


def _statements(kind: str, settings: Properties, making: Making) -> Iterator[dict[str, object]]:
    """What the role is allowed besides the managed policy."""
    access = [properties_of(item) for item in items_of(settings.get("SourceAccessConfigurations"))]
    types = {text_of(each.get("Type")) for each in access}
    if kind in ("MQ", "DocumentDB", "SelfManagedKafka"):
        for each in access:
            if "URI" in each and text_of(each.get("Type")) not in _NO_SECRET:
                yield {"Action": ["secretsmanager:GetSecretValue"], "Resource": each["URI"]}
    if kind == "MQ" and "Broker" in settings:
        yield {"Action": ["mq:DescribeBroker"], "Resource": settings["Broker"]}
    if kind == "DocumentDB":
        region = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}"
        yield {"Action": ["rds:DescribeDBClusterParameters"], "Resource": f"{region}:cluster-pg:*"}
        yield {"Action": ["rds:DescribeDBSubnetGroups"], "Resource": f"{region}:subgrp:*"}
        yield {"Action": ["rds:DescribeDBClusters"], "Resource": settings.get("Cluster", _anything(settings))}
    if kind == "DocumentDB" or (kind == "SelfManagedKafka" and {"VPC_SUBNET", "VPC_SECURITY_GROUP"} <= types):
        yield dict(_INTERFACES)
    if kind == "MSK":
        for each in access:
            if "URI" in each and text_of(each.get("Type")) == "CLIENT_CERTIFICATE_TLS_AUTH":
                yield {"Action": ["secretsmanager:GetSecretValue"], "Resource": each["URI"]}
    if key := settings.get("SecretsManagerKmsKeyId"):
        arn = making.made(
            "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${Key}", key.span, {"Key": key}
        )
        yield {"Action": ["kms:Decrypt"], "Resource": arn}
    if kind in ("MSK", "SelfManagedKafka"):
        yield from _registry(properties_of(settings.get("SchemaRegistryConfig")))


def _registry(settings: Properties) -> Iterator[dict[str, object]]:
    for each in items_of(settings.get("AccessConfigs")):
        if "URI" in properties_of(each):
            yield {"Action": ["secretsmanager:GetSecretValue"], "Resource": properties_of(each)["URI"]}
    uri = settings.get("SchemaRegistryURI")
    text = text_of(uri) or (uri.expression if uri is not None and not isinstance(uri, Known) else "")
    resource = text.split(":")[-1] if text.count(":") >= 5 else ""
    if resource.startswith("registry/"):
        schemas = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:schema/"
        yield {"Action": ["glue:GetRegistry"], "Resource": uri}
        yield {"Action": ["glue:GetSchemaVersion"], "Resource": [f"{schemas}{resource.removeprefix('registry/')}/*"]}


def _anything(settings: Properties) -> Property:
    return Known("*", next((value.span for value in settings.values()), Span.whole("")), stated=False)
