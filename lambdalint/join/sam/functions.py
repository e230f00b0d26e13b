"""``AWS::Serverless::Function`` as CloudFormation has it: the function, its role, aliases, URL and events.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
"""

from collections.abc import Iterator, Mapping
from typing import Final

from lambdalint.join.properties import properties_of, text_of
from lambdalint.join.sam.apis import HTTP_EVENT, REST_EVENT, http_event, rest_event
from lambdalint.join.sam.making import PERMISSION, QUEUE, ROLE, Making, Origin, RoleDraft, trust
from lambdalint.join.sam.names import alias_resource, plain_text
from lambdalint.join.sam.policies import add_policies
from lambdalint.join.sam.pulled import SOURCES, destination_statements, pulled
from lambdalint.join.sam.pushed import PUSHED
from lambdalint.join.sam.targets import Event, Target
from lambdalint.join.texts import chosen, joined_text, spelled
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Node
from lambdalint.model.function import Trigger, TriggerKind
from lambdalint.model.places import Span
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Properties, Property, Unknown

FUNCTION: Final = "AWS::Lambda::Function"

#: Properties that the transform uses up or renames; all others are the function's own.
_TRANSLATED: Final = frozenset(
    (
        "AssumeRolePolicyDocument",
        "AutoPublishAlias",
        "AutoPublishAliasAllProperties",
        "AutoPublishCodeSha256",
        "CapacityProviderConfig",
        "CodeUri",
        "DeadLetterQueue",
        "DeploymentPreference",
        "EventInvokeConfig",
        "Events",
        "FunctionUrlConfig",
        "ImageUri",
        "InlineCode",
        "PermissionsBoundary",
        "Policies",
        "PropagateTags",
        "ProvisionedConcurrencyConfig",
        "RolePath",
        "SourceKMSKeyArn",
        "Tags",
        "Tracing",
        "VersionDeletionPolicy",
        "VersionDescription",
    )
)
#: Properties that switch something on, unless what they say is empty.
_SWITCHES: Final = frozenset(
    (
        "AutoPublishAlias",
        "DeadLetterQueue",
        "DurableConfig",
        "EventInvokeConfig",
        "FunctionUrlConfig",
        "Policies",
        "Tracing",
        "VpcConfig",
    )
)
_BASIC: Final = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
_DURABLE: Final = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicDurableExecutionRolePolicy"
_VPC: Final = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
_TRACING: Final = "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess"


def add_function(resource: Resource, settings: Properties, nodes: Mapping[str, Node], making: Making) -> None:
    """What *resource*, with its merged *settings*, becomes; *nodes* are the settings as written."""
    span = resource.span
    settings = {name: value for name, value in settings.items() if name not in _SWITCHES or _is_given(value)}
    origin = Origin(span, resource.extent, resource.name, resource.condition)
    role = _role_draft(resource, settings, making)
    alias = _alias(resource, settings, origin, making)
    arn = making.reference(alias, span) if alias else making.reference(resource.name, span, "Arn")
    target = Target(resource.name, making.reference(alias or resource.name, span), arn, role)
    _invoke_config(resource, settings, alias, role, making)
    if url := settings.get("FunctionUrlConfig"):
        config = nodes.get("FunctionUrlConfig")
        auth = config.items.get("AuthType") if isinstance(config, Document) else None
        _add_url(resource, url, target, making, public=plain_text(auth) == "NONE")
    for event in _events(resource, settings, making):
        making.triggers += _triggers(event, target, making)
    function_role = settings.get("Role")
    made_role = making.reference(role.name, span, "Arn")
    if _may_be_absent(function_role):
        _add_role(resource, role, settings, making)
    making.retyped(resource, FUNCTION, {**_properties(settings, span, making), "Role": _with(function_role, made_role)})


def _properties(settings: Properties, span: Span, making: Making) -> dict[str, Property | None]:
    tracing, provider = settings.get("Tracing"), settings.get("CapacityProviderConfig")
    queue = settings.get("DeadLetterQueue")
    found: dict[str, Property | None] = {name: value for name, value in settings.items() if name not in _TRANSLATED}
    found["Code"] = _code(settings, span)
    found["Tags"] = _tags(settings, span)
    if "AutoPublishCodeSha256" in settings and "AutoPublishAlias" in settings:
        # Else Lambda would publish no version when nothing but the code changes.
        parts = [settings[name] for name in ("Description", "AutoPublishCodeSha256") if name in settings]
        shown = " ".join(spelled(part) for part in parts)
        found["Description"] = joined_text(" ", parts, f"!Join {shown}", parts[0].span)
    if tracing is not None and text_of(tracing) != "Disabled":
        found["TracingConfig"] = Known({"Mode": tracing}, tracing.span)
    if queue is not None:
        kept = {name: each for name, each in properties_of(queue).items() if name == "TargetArn"}
        found["DeadLetterConfig"] = Known(kept, queue.span) if isinstance(queue, Known) else queue
    if provider is not None:
        found["CapacityProviderConfig"] = _managed_instances(provider)
    return found


def _managed_instances(provider: Property) -> Property:
    if not isinstance(provider, Known):
        return provider
    renamed = {"Arn": "CapacityProviderArn"}
    inner = {renamed.get(name, name): value for name, value in properties_of(provider).items()}
    return Known({"LambdaManagedInstancesCapacityProviderConfig": Known(inner, provider.span)}, provider.span)


def _code(settings: Properties, span: Span) -> Property:
    """Where the code is, as CloudFormation or ``aws cloudformation package`` takes it."""
    inline, image, uri = settings.get("InlineCode"), settings.get("ImageUri"), settings.get("CodeUri")
    if text_of(settings.get("PackageType")) == "Image":
        at = image or settings["PackageType"]
        return Known({"ImageUri": image or Unknown("ImageUri", at.span)}, at.span)
    if inline is not None:
        return _encrypted(Known({"ZipFile": inline}, inline.span), settings)
    if uri is None:
        return Known(".", span, stated=False)  # what sam build takes
    return _encrypted(s3_location(uri), settings)


def _encrypted(code: Property, settings: Properties) -> Property:
    key = settings.get("SourceKMSKeyArn")
    if key is None or not properties_of(code):
        return code
    return Known({**properties_of(code), "SourceKMSKeyArn": key}, code.span)


def _is_given(value: Property) -> bool:
    return isinstance(value, Unknown) or bool(value.value)


def _tags(settings: Properties, span: Span) -> Property | None:
    """The tags that the function gets; those that are handed on push out SAM's own."""
    tags, handed_on = settings.get("Tags"), settings.get("PropagateTags")
    if tags is not None and _is_given(tags) and isinstance(handed_on, Known) and handed_on.value is True:
        return plain_tags(tags)
    return tag_list(tags, "lambda:createdBy", span)


def s3_location(uri: Property) -> Property:
    """A location as SAM writes it in CloudFormation's names; a local path stays one."""
    if isinstance(uri, Known) and isinstance(uri.value, Mapping):
        names = {"Bucket": "S3Bucket", "Key": "S3Key", "Version": "S3ObjectVersion"}
        return Known({names.get(name, name): value for name, value in uri.value.items()}, uri.span)
    text = text_of(uri) or ""
    if not text.startswith("s3://"):
        return uri
    place, _, version = text.removeprefix("s3://").partition("?versionId=")
    bucket, _, key = place.partition("/")
    parts = {"S3Bucket": bucket, "S3Key": key, "S3ObjectVersion": version}
    return Known({name: Known(part, uri.span) for name, part in parts.items() if part}, uri.span)


def plain_tags(tags: Property | None) -> Property | None:
    """Tags as a list."""
    if not isinstance(tags, Known):
        return tags
    pairs = properties_of(tags)
    listed = (Known({"Key": Known(key, value.span), "Value": value}, value.span) for key, value in pairs.items())
    return Known(tuple(listed), tags.span)


def tag_list(tags: Property | None, mark: str, span: Span) -> Property:
    """Tags as a list, with the one that SAM puts on all it makes."""
    if isinstance(tags, Unknown):
        return tags
    pairs = {mark: Known("SAM", span, stated=False), **properties_of(tags)}
    listed = (
        Known({"Key": Known(key, value.span, stated=False), "Value": value}, value.span) for key, value in pairs.items()
    )
    return Known(tuple(listed), span if tags is None else tags.span, tags is not None)


def _role_draft(resource: Resource, settings: Properties, making: Making) -> RoleDraft:
    span = resource.span
    role = RoleDraft(f"{resource.name}Role")
    role.attach(_DURABLE if "DurableConfig" in settings else _BASIC, span)
    if (tracing := settings.get("Tracing")) is not None and text_of(tracing) != "Disabled":
        role.attach(_TRACING, tracing.span)
    if vpc := settings.get("VpcConfig"):
        role.attach(_VPC, vpc.span)
    queue = properties_of(settings.get("DeadLetterQueue"))
    if "TargetArn" in queue:
        action = "sns:Publish" if text_of(queue.get("Type")) == "SNS" else "sqs:SendMessage"
        statement: dict[str, object] = {"Action": action, "Resource": queue["TargetArn"]}
        role.allow(making, "DeadLetterQueuePolicy", [statement], queue["TargetArn"].span)
    add_policies(role, settings.get("Policies"), making)
    return role


def _may_be_absent(role: Property | None) -> bool:
    return role is None or (isinstance(role, Unknown) and None in role.choices)


def _with(role: Property | None, made: Unknown) -> Property | None:
    """The role that a function has when SAM makes one wherever none is given."""
    if isinstance(role, Unknown) and None in role.choices:
        return chosen([made if each is None else each for each in role.choices], role.expression, role.span)
    return made if role is None else role


def _add_role(resource: Resource, role: RoleDraft, settings: Properties, making: Making) -> None:
    written = settings.get("Policies")
    at = written.span if written is not None else resource.span
    making.add(
        Origin(at, resource.extent, "Policies", resource.condition),
        role.name,
        ROLE,
        {
            "AssumeRolePolicyDocument": settings.get("AssumeRolePolicyDocument") or trust("lambda.amazonaws.com"),
            "ManagedPolicyArns": list(role.managed),
            "Policies": list(role.policies) or None,
            "Path": settings.get("RolePath"),
            "PermissionsBoundary": settings.get("PermissionsBoundary"),
            "Tags": _tags(settings, resource.span),
        },
    )


def _alias(resource: Resource, settings: Properties, origin: Origin, making: Making) -> str | None:
    """The logical name of the alias that is published; ``None`` when none is, or its name is not known."""
    alias = settings.get("AutoPublishAlias")
    if not isinstance(alias, Known) or not alias.value:
        return None
    at = Origin(alias.span, resource.extent, "AutoPublishAlias", origin.condition)
    function, version = making.reference(resource.name, alias.span), f"{resource.name}Version"
    scaling = settings.get("FunctionScalingConfig") if "CapacityProviderConfig" in settings else None
    making.add(
        at,
        version,
        "AWS::Lambda::Version",
        {
            "FunctionName": function,
            "Description": settings.get("VersionDescription"),
            "FunctionScalingConfig": scaling,
        },
    )
    name = alias_resource(resource.name, str(alias.value))
    making.add(
        at,
        name,
        "AWS::Lambda::Alias",
        {
            "Name": alias,
            "FunctionName": function,
            "FunctionVersion": making.reference(version, alias.span, "Version"),
            "ProvisionedConcurrencyConfig": settings.get("ProvisionedConcurrencyConfig"),
        },
    )
    _add_deployment(resource, settings, making)
    return name


def _add_deployment(resource: Resource, settings: Properties, making: Making) -> None:
    preference = settings.get("DeploymentPreference")
    options = properties_of(preference)
    enabled = options.get("Enabled")
    if preference is None or (isinstance(enabled, Known) and str(enabled.value).lower() == "false"):
        return
    at = Origin(preference.span, resource.extent, "DeploymentPreference", resource.condition)
    application = f"{making.scope}ServerlessDeploymentApplication"
    making.add(at, application, "AWS::CodeDeploy::Application", {"ComputePlatform": "Lambda"})
    role: object = options.get("Role")
    if role is None:
        name = f"{making.scope}CodeDeployServiceRole"
        policy = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"
        document = trust("codedeploy.amazonaws.com")
        making.add(at, name, ROLE, {"AssumeRolePolicyDocument": document, "ManagedPolicyArns": [policy]})
        role = making.reference(name, preference.span, "Arn")
    making.add(
        at,
        f"{resource.name}DeploymentGroup",
        "AWS::CodeDeploy::DeploymentGroup",
        {
            "ApplicationName": making.reference(application, preference.span),
            "ServiceRoleArn": role,
            "DeploymentConfigName": options.get("Type"),
        },
    )


def _invoke_config(
    resource: Resource, settings: Properties, alias: str | None, role: RoleDraft, making: Making
) -> None:
    config = settings.get("EventInvokeConfig")
    if not isinstance(config, Known):
        return
    span, options = config.span, properties_of(config)
    at = Origin(span, resource.extent, "EventInvokeConfig", resource.condition)
    name = f"{resource.name}EventInvokeConfig"
    destinations = {}
    for outcome in ("OnSuccess", "OnFailure"):
        written = properties_of(options.get("DestinationConfig")).get(outcome)
        if written is None:
            continue
        kind = text_of(properties_of(written).get("Type"))
        destination = properties_of(written).get("Destination")
        if _may_be_absent(destination) and kind in ("SQS", "SNS"):
            made = f"{name}{outcome}{'Queue' if kind == 'SQS' else 'Topic'}"
            making.add(at, made, QUEUE if kind == "SQS" else "AWS::SNS::Topic", {})
            destination = _with(destination, making.reference(made, span, "Arn" if kind == "SQS" else None))
        if destination is not None:
            destinations[outcome] = {"Destination": destination}
            statements = destination_statements(kind or "", destination)
            if statements:
                role.allow(making, f"{name}{outcome}{kind}Policy", statements, destination.span)
    making.add(
        at,
        name,
        "AWS::Lambda::EventInvokeConfig",
        {
            "FunctionName": making.reference(resource.name, span),
            "Qualifier": settings.get("AutoPublishAlias") if alias else "$LATEST",
            "DestinationConfig": destinations,
            "MaximumEventAgeInSeconds": options.get("MaximumEventAgeInSeconds"),
            "MaximumRetryAttempts": options.get("MaximumRetryAttempts"),
        },
    )


def _add_url(resource: Resource, config: Property, target: Target, making: Making, *, public: bool) -> None:
    span, options = config.span, properties_of(config)
    at = Origin(span, resource.extent, "FunctionUrlConfig", resource.condition)
    url = making.add(at, f"{resource.name}Url", "AWS::Lambda::Url", {**options, "TargetFunctionArn": target.function})
    auth = options.get("AuthType")
    if public:
        shared: dict[str, object] = {"FunctionName": target.function, "Principal": "*"}
        making.add(
            at,
            f"{resource.name}UrlPublicPermissions",
            PERMISSION,
            {**shared, "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": auth},
        )
        making.add(
            at,
            f"{resource.name}URLInvokeAllowPublicAccess",
            PERMISSION,
            {**shared, "Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
        )
    making.triggers.append(
        Trigger(TriggerKind.FUNCTION_URL, at.label, target.name, span, url, url.properties, "2.0", True)
    )


def events_of(resource: Resource, settings: Properties, making: Making) -> Iterator[Event]:
    """The events of *resource* whose type is known, those of HTTP APIs that take every path first."""
    written = making.node(resource.name, "Properties", "Events")
    names: Mapping[str, Span] = written.keys if isinstance(written, Document) else {}
    for name, event in properties_of(settings.get("Events")).items():
        parts = properties_of(event)
        kind = text_of(parts.get("Type"))
        if kind is not None:
            at = Origin(names.get(name, event.span), event.span, name, resource.condition)
            yield Event(f"{resource.name}{name}", kind, properties_of(parts.get("Properties")), at)


def _events(resource: Resource, settings: Properties, making: Making) -> list[Event]:
    return sorted(events_of(resource, settings, making), key=_event_order)


def _event_order(event: Event) -> str:
    every = event.kind == HTTP_EVENT and not event.settings.keys() & {"Path", "Method"}
    return "$default" if every else text_of(event.settings.get("Path")) or event.origin.label


def _triggers(event: Event, target: Target, making: Making) -> Iterator[Trigger]:
    if event.kind in SOURCES:
        return pulled(event, target, making)
    if event.kind == REST_EVENT:
        return rest_event(event, target, making)
    if event.kind == HTTP_EVENT:
        return http_event(event, target, making)
    return PUSHED[event.kind](event, target, making) if event.kind in PUSHED else iter(())
