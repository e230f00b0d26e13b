"""SAM's resources other than functions and APIs, as CloudFormation has them.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-resources-and-properties.html
"""

from collections.abc import Callable, Mapping
from typing import Final

from lambdalint.join.properties import properties_of
from lambdalint.join.sam.functions import events_of, plain_tags, s3_location, tag_list
from lambdalint.join.sam.making import ROLE, Making, Origin, RoleDraft, trust
from lambdalint.join.sam.policies import add_policies
from lambdalint.join.sam.pushed import EVENTS, RULE, add_schedule, rule_settings, rule_target, state_of
from lambdalint.join.sam.targets import Event
from lambdalint.model.template import Resource
from lambdalint.model.values import Known, Properties, Property, Unknown

_ATTRIBUTE_TYPES: Final = {"String": "S", "Number": "N", "Binary": "B"}
_TRACING: Final = "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess"
_OPERATOR: Final = "arn:aws:iam::aws:policy/AWSLambdaManagedEC2ResourceOperator"


def _table(resource: Resource, settings: Properties, making: Making) -> None:
    span = resource.span
    key = properties_of(settings.get("PrimaryKey"))
    name, kind = key.get("Name", Known("id", span, stated=False)), key.get("Type")
    if isinstance(kind, Known):
        kind = Known(_ATTRIBUTE_TYPES.get(str(kind.value), kind.value), kind.span)
    passed = ("PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification", "TableName")
    making.retyped(
        resource,
        "AWS::DynamoDB::Table",
        {
            **{each: settings.get(each) for each in passed},
            "AttributeDefinitions": making.made([{"AttributeName": name, "AttributeType": kind or "S"}], span),
            "KeySchema": making.made([{"AttributeName": name, "KeyType": "HASH"}], span),
            "BillingMode": None
            if "ProvisionedThroughput" in settings
            else Known("PAY_PER_REQUEST", span, stated=False),
            "Tags": plain_tags(settings.get("Tags")),
        },
    )


def _layer(resource: Resource, settings: Properties, making: Making) -> None:
    dropped = ("ContentUri", "LayerName", "PublishLambdaVersion", "RetentionPolicy")
    uri = settings.get("ContentUri")
    own_name = Known(resource.name.removeprefix(making.scope), resource.span, stated=False)
    making.retyped(
        resource,
        "AWS::Lambda::LayerVersion",
        {
            **{name: value for name, value in settings.items() if name not in dropped},
            "Content": None if uri is None else s3_location(uri),
            "LayerName": settings.get("LayerName", own_name),
        },
    )


def _application(resource: Resource, settings: Properties, making: Making) -> None:
    location = settings.get("Location")
    local = location if not properties_of(location) else Unknown("Location", resource.span)
    passed = ("NotificationARNs", "Parameters", "TimeoutInMinutes")
    making.retyped(
        resource,
        "AWS::CloudFormation::Stack",
        {
            **{name: settings.get(name) for name in passed},
            "TemplateURL": local,
            "Tags": plain_tags(settings.get("Tags")),
        },
    )


def _capacity_provider(resource: Resource, settings: Properties, making: Making) -> None:
    span = resource.span
    role = settings.get("OperatorRole")
    if role is None:
        origin = Origin(span, resource.extent, resource.name, resource.condition)
        name = f"{resource.name}OperatorRole"
        document = trust("lambda.amazonaws.com")
        making.add(origin, name, ROLE, {"AssumeRolePolicyDocument": document, "ManagedPolicyArns": [_OPERATOR]})
        role = making.reference(name, span, "Arn")
    requirements = settings.get("InstanceRequirements")
    renamed = {"AllowedTypes": "AllowedInstanceTypes", "ExcludedTypes": "ExcludedInstanceTypes"}
    if isinstance(requirements, Known):
        kept = {renamed.get(key, key): value for key, value in properties_of(requirements).items()}
        requirements = Known(kept, requirements.span)
    making.retyped(
        resource,
        "AWS::Lambda::CapacityProvider",
        {
            **{name: settings.get(name) for name in ("CapacityProviderName", "KmsKeyArn", "VpcConfig")},
            "PermissionsConfig": making.made({"CapacityProviderOperatorRoleArn": role}, span),
            "InstanceRequirements": requirements,
            "CapacityProviderScalingConfig": settings.get("ScalingConfig"),
            "Tags": tag_list(settings.get("Tags"), "lambda:createdBy", span),
        },
    )


def add_state_machine(resource: Resource, settings: Properties, making: Making) -> None:
    """A state machine with its role, its alias and what its events need."""
    span = resource.span
    origin = Origin(span, resource.extent, resource.name, resource.condition)
    role = settings.get("Role")
    if role is None:
        draft = RoleDraft(f"{resource.name}Role")
        add_policies(draft, settings.get("Policies"), making)
        enabled = properties_of(settings.get("Tracing")).get("Enabled")
        if isinstance(enabled, Known) and enabled.value is True:
            draft.attach(_TRACING, enabled.span)
        making.add(
            origin,
            draft.name,
            ROLE,
            {
                "AssumeRolePolicyDocument": trust("states.amazonaws.com"),
                "ManagedPolicyArns": list(draft.managed),
                "Policies": list(draft.policies) or None,
                "Path": settings.get("RolePath"),
                "PermissionsBoundary": settings.get("PermissionsBoundary"),
            },
        )
        role = making.reference(draft.name, span, "Arn")
    making.retyped(
        resource,
        "AWS::StepFunctions::StateMachine",
        {
            "Definition": settings.get("Definition"),
            "DefinitionS3Location": settings.get("DefinitionUri"),
            "DefinitionSubstitutions": settings.get("DefinitionSubstitutions"),
            "LoggingConfiguration": settings.get("Logging"),
            "RoleArn": role,
            "StateMachineName": settings.get("Name"),
            "StateMachineType": settings.get("Type"),
            "Tags": tag_list(settings.get("Tags"), "stateMachine:createdBy", span),
            "TracingConfiguration": settings.get("Tracing"),
        },
    )
    arn = making.reference(resource.name, span)
    alias = settings.get("AutoPublishAlias")
    if isinstance(alias, Known):
        version = f"{resource.name}Version"
        making.add(origin, version, "AWS::StepFunctions::StateMachineVersion", {"StateMachineArn": arn})
        name = f"{resource.name}Alias{alias.value}"
        preference = settings.get("DeploymentPreference")
        making.add(
            origin, name, "AWS::StepFunctions::StateMachineAlias", {"Name": alias, "DeploymentPreference": preference}
        )
        if properties_of(Known(settings, span)).get("UseAliasAsEventTarget"):
            arn = making.reference(name, span)
    for event in events_of(resource, settings, making):
        _add_event(event, arn, settings, making)


def _add_event(event: Event, arn: Property, settings: Properties, making: Making) -> None:
    start: list[dict[str, object]] = [{"Action": "states:StartExecution", "Resource": arn}]
    if event.kind == "ScheduleV2":
        add_schedule(event, arn, start, making)
        return
    if event.kind not in ("Api", "Schedule", "CloudWatchEvent", "EventBridgeRule"):
        return
    role = event.settings.get("RoleArn") if event.kind == "Schedule" else None
    if role is None:
        name = f"{event.name}Role"
        policy = {
            "PolicyName": f"{name.removeprefix(making.scope)}StartExecutionPolicy",
            "PolicyDocument": {"Statement": [{"Effect": "Allow", **start[0]}]},
        }
        making.add(
            event.origin,
            name,
            ROLE,
            {
                "AssumeRolePolicyDocument": trust("apigateway.amazonaws.com" if event.kind == "Api" else EVENTS),
                "Policies": [policy],
                "PermissionsBoundary": settings.get("PermissionsBoundary"),
            },
        )
        role = making.reference(name, event.origin.span, "Arn")
    if event.kind != "Api":
        target = rule_target(event, arn, "StepFunctionsTarget", making)
        making.add(
            event.origin,
            event.name,
            RULE,
            {**rule_settings(event), "State": state_of(event), "Targets": [{**target, "RoleArn": role}]},
        )


#: What becomes of a kind of resource that nothing else of the template takes part in.
SIMPLE: Final[Mapping[str, Callable[[Resource, Properties, Making], None]]] = {
    "Application": _application,
    "CapacityProvider": _capacity_provider,
    "LayerVersion": _layer,
    "SimpleTable": _table,
}
