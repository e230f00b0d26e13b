"""``AWS::Serverless::GraphQLApi``: the roles of its data sources, and who may call its authorizers.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-graphqlapi.html
"""

from typing import Final

from lambdalint.join.called import functions_in
from lambdalint.join.properties import items_of, properties_of
from lambdalint.join.sam.connectors import connect
from lambdalint.join.sam.making import ROLE, Making, Origin, trust
from lambdalint.model.function import Trigger, TriggerKind
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Properties, Property

GRAPHQL_API: Final = "AWS::AppSync::GraphQLApi"
DATA_SOURCE: Final = "AWS::AppSync::DataSource"
APPSYNC: Final = "appsync.amazonaws.com"

#: Properties that stand for other resources, or are called otherwise.
_TRANSLATED: Final = frozenset(
    ("ApiKeys", "Auth", "Cache", "DataSources", "DomainName", "Functions", "Logging", "Resolvers", "SchemaInline")
)
_LOGS: Final = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSAppSyncPushToCloudWatchLogs"
_TABLE: Final = "arn:${AWS::Partition}:dynamodb:${Region}:${AWS::AccountId}:table/${Table}"


def add_graphql_api(resource: Resource, settings: Properties, making: Making) -> None:
    """The API with its data sources; resolvers and schema stay as they are written."""
    span = resource.span
    origin = Origin(span, resource.extent, resource.name, resource.condition)
    auth = properties_of(settings.get("Auth"))
    others = [properties_of(each) for each in items_of(auth.get("Additional"))]
    api = making.retyped(
        resource,
        GRAPHQL_API,
        {
            **{name: value for name, value in settings.items() if name not in _TRANSLATED},
            **{name: making.made(value, span) for name, value in _authentication(auth).items()},
            "AdditionalAuthenticationProviders": making.made([_authentication(each) for each in others], span),
        },
    )
    _add_log_role(api, settings.get("Logging"), origin, making)
    functions = [each["LambdaAuthorizer"] for each in (auth, *others) if "LambdaAuthorizer" in each]
    for number, authorizer in enumerate(functions, 1):
        arn = properties_of(authorizer).get("AuthorizerUri")
        if arn is not None:
            _add_authorizer(api, number, arn, making)
    sources = properties_of(settings.get("DataSources"))
    for name, source in properties_of(sources.get("DynamoDb")).items():
        _add_table(api, name, source, making)
    for name, source in properties_of(sources.get("Lambda")).items():
        _add_function(api, name, source, making)


def _authentication(written: Properties) -> dict[str, Property]:
    names = {
        "Type": "AuthenticationType",
        "LambdaAuthorizer": "LambdaAuthorizerConfig",
        "OpenIDConnect": "OpenIDConnectConfig",
        "UserPool": "UserPoolConfig",
    }
    return {names[name]: value for name, value in written.items() if name in names}


def _add_log_role(api: Resource, logging: Property | None, origin: Origin, making: Making) -> None:
    off = isinstance(logging, Known) and logging.value is False
    if not off and "CloudWatchLogsRoleArn" not in properties_of(logging):
        making.add(
            origin,
            f"{api.name}CloudWatchRole",
            ROLE,
            {"AssumeRolePolicyDocument": trust(APPSYNC), "ManagedPolicyArns": [_LOGS]},
        )


def _add_authorizer(api: Resource, number: int, function: Property, making: Making) -> None:
    span = function.span
    at = Origin(span, api.extent, "LambdaAuthorizer", api.condition)
    source = {
        "Type": GRAPHQL_API,
        "Arn": making.reference(api.name, span),
        "ResourceId": making.reference(api.name, span, "ApiId"),
    }
    _connected(f"{api.name}ToLambdaAuthConnector{number}", source, "AWS::Lambda::Function", function, at, making)


def _add_table(api: Resource, name: str, written: Property, making: Making) -> None:
    settings, span = properties_of(written), written.span
    at = Origin(span, span, name, api.condition)
    source = f"{api.name}{name}DynamoDBDataSource"
    role = _add_source(api, source, at, "AMAZON_DYNAMODB", settings, {"DynamoDBConfig": written}, making)
    if role is None:
        return
    table = settings.get("TableName", Known("*", span, stated=False))
    region = settings.get("Region") or making.made("${AWS::Region}", span)
    arn = settings.get("TableArn") or making.made(_TABLE, span, {"Region": region, "Table": table})
    granted = settings.get("Permissions") or making.made(["Read", "Write"], span)
    end = {"Type": DATA_SOURCE, "Arn": making.reference(source, span), "RoleName": role}
    _connected(f"{source}ToTableConnector", end, "AWS::DynamoDB::Table", arn, at, making, granted)


def _add_function(api: Resource, name: str, written: Property, making: Making) -> None:
    settings, span = properties_of(written), written.span
    function = settings.get("FunctionArn")
    at = Origin(span, span, name, api.condition)
    source = f"{api.name}{name}LambdaDataSource"
    config: dict[str, object] = {"LambdaConfig": {"LambdaFunctionArn": function}}
    role = _add_source(api, source, at, "AWS_LAMBDA", settings, config, making)
    if function is None:
        return
    for called in sorted(functions_in(function, making.resources)):
        made = making.resources[source]
        making.triggers.append(Trigger(TriggerKind.OTHER, name, called, span, made, made.properties))
    if role is not None:
        end = {"Type": DATA_SOURCE, "Arn": making.reference(source, span), "RoleName": role}
        _connected(f"{source}ToLambdaConnector", end, "AWS::Lambda::Function", function, at, making)


def _add_source(
    api: Resource,
    name: str,
    at: Origin,
    kind: str,
    settings: Properties,
    config: dict[str, object],
    making: Making,
) -> Property | None:
    """A data source; the name of the role that is made for it, ``None`` when it is given one."""
    role = settings.get("ServiceRoleArn")
    made = None
    if role is None:
        making.add(at, f"{name}Role", ROLE, {"AssumeRolePolicyDocument": trust(APPSYNC)})
        made = making.reference(f"{name}Role", at.span)
        role = making.reference(f"{name}Role", at.span, "Arn")
    making.add(
        at,
        name,
        DATA_SOURCE,
        {
            "ApiId": making.reference(api.name, at.span, "ApiId"),
            "Name": settings.get("Name") or at.label,
            "Type": kind,
            "ServiceRoleArn": role,
            **config,
        },
    )
    return made


def _connected(
    name: str,
    source: dict[str, object],
    kind: str,
    arn: Property,
    at: Origin,
    making: Making,
    permissions: Property | None = None,
) -> None:
    connect(
        name,
        making.made(source, at.span),
        making.made({"Type": kind, "Arn": arn}, at.span),
        permissions or making.made(["Write"], at.span),
        at,
        making,
    )
