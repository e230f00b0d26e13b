"""Terraform's resources as CloudFormation's: what is stated apart here and together there, and the other way round."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lambdalint.aws.terraform import Shape, shape
from lambdalint.errors import UnreadableInput
from lambdalint.join.inputs import Said
from lambdalint.join.properties import items_of, properties_of, reference_of, references, text_of
from lambdalint.join.terraform_shapes import MAX_VALUES, Words
from lambdalint.model.function import TriggerKind
from lambdalint.model.places import Span
from lambdalint.model.template import Resource
from lambdalint.model.terraform import Pieces, TerraformModuleCall, TerraformProject, TerraformResource
from lambdalint.model.values import Known, Properties, Property, Reference, Unknown

#: What a call of a module that nobody can look into is to CloudFormation: a nested stack.
STACK: Final = "AWS::CloudFormation::Stack"

METHOD: Final = "AWS::ApiGateway::Method"
ROLE: Final = "AWS::IAM::Role"

_MAIN_TABLE: Final = ("main_route_table_id", "default_route_table_id")


@dataclass(slots=True)
class Draft:
    """A resource while it is put together."""

    name: str
    type: str
    properties: dict[str, Property]
    span: Span
    extent: Span
    condition: str | None = None
    metadata: Properties = field(default_factory=dict)

    def append(self, name: str, items: tuple[Property, ...], span: Span) -> None:
        """Add *items* to the list property *name*, unless nobody knows what is in it."""
        there = self.properties.get(name)
        if there is None:
            self.properties[name] = Known(items, span)
        elif isinstance(there, Known):
            stated = items_of(there) if there.stated else ()
            self.properties[name] = Known(stated + items, there.span)


@dataclass(frozen=True, slots=True)
class Loose:
    """A part of a resource that the project does not declare, and the function that it names."""

    kind: TriggerKind
    name: str
    function: Property
    span: Span
    settings: Properties


@dataclass(frozen=True, slots=True)
class Shaped:
    """All resources by name, and the parts of resources that are not among them."""

    resources: Mapping[str, Resource]
    loose: tuple[Loose, ...]


def shaped(project: TerraformProject, moved: Mapping[Reference, Reference], path: str, said: Said) -> Shaped:
    """The resources of *project*; *moved* are references to what is stated elsewhere, *path* is for what is said."""
    main = dict(_main_tables(project))
    tables = {Reference(vpc, name): table for vpc, table in main.items() if table for name in _MAIN_TABLE}
    words = Words(project.resources, {**tables, **moved})
    maker = _Maker(words)
    for resource in project.resources:
        if resource.mode == "managed" and resource.type.startswith("aws_"):
            maker.take(resource)
    for call in project.module_calls:
        maker.take_call(call)
    maker.finish(main)
    if words.left < 0:
        said.failures.append(
            UnreadableInput(f"the resources have more than {MAX_VALUES:,} values; the rest is unknown", path=path)
        )
    resources = {
        each.name: Resource(
            each.name, each.type, each.properties, each.span, each.extent, each.condition, each.metadata
        )
        for each in maker.drafts.values()
    }
    return Shaped(resources, tuple(maker.loose))


def _main_tables(project: TerraformProject) -> Iterator[tuple[str, Reference | None]]:
    """For each VPC whose main route table is used or replaced, what is to be taken for it; ``None``: unknown."""
    own = {each.address for each in project.resources if each.type == "aws_vpc" and each.mode == "managed"}
    used: dict[str, Reference | None] = {}
    for resource in project.resources:
        if resource.type == "aws_default_route_table":
            table = reference_of(resource.attributes.get("default_route_table_id"))
            if table and table.resource in own:
                used[table.resource] = Reference(resource.address)
    for resource in project.resources:
        tables = (resource.attributes.get("route_table_id"), resource.attributes.get("route_table_ids"))
        for found in (each for value in tables for each in references(value)):
            if found.resource in own and found.attribute in _MAIN_TABLE:
                used.setdefault(found.resource, _own_table(found.resource))
    for resource in project.resources:
        if resource.type == "aws_main_route_table_association":
            vpc = reference_of(resource.attributes.get("vpc_id"))
            table = reference_of(resource.attributes.get("route_table_id"))
            if vpc and vpc.resource in own:
                used[vpc.resource] = Reference(table.resource) if table else None
    yield from used.items()


def _own_table(vpc: str) -> Reference:
    """The route table that a VPC starts with, which has no block of its own."""
    return Reference(f"{vpc}.main_route_table_id")


class _Maker:
    """Makes resources one by one, then joins what belongs together."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.drafts: dict[str, Draft] = {}
        self.loose: list[Loose] = []
        self._methods: dict[tuple[object, ...], str] | None = None
        self._parts: list[tuple[Callable[[_Maker, TerraformResource, Properties], None], TerraformResource]] = []

    def take(self, resource: TerraformResource) -> None:
        """Make what *resource* is; parts of others wait for them."""
        if resource.type.startswith("aws_alb"):
            resource = replace(resource, type=resource.type.replace("aws_alb", "aws_lb", 1))
        known = shape(resource.type)
        if resource.type in _PARTS and known is not None:
            self._parts.append((_PARTS[resource.type], resource))
            # It remains as a place in which findings can be silenced.
            self.add(resource, resource.address, resource.type, {})
            return
        if known is None:
            attributes = self.words.value(Known(resource.attributes, resource.span))
            self.add(resource, resource.address, resource.type, dict(properties_of(attributes)))
            return
        draft = self.add(resource, resource.address, known.type, self.words.properties(resource, known))
        if resource.type in _FINISHERS:
            _FINISHERS[resource.type](self, resource, draft)

    def take_call(self, call: TerraformModuleCall) -> None:
        """Take a module that nobody can look into for something that may do anything with what it is given."""
        given = self.words.value(Known(call.arguments, call.span))
        self.drafts[call.address] = Draft(
            call.address, STACK, {"Parameters": given}, call.span, call.extent, call.condition
        )

    def add(
        self,
        resource: TerraformResource,
        name: str,
        kind: str,
        properties: dict[str, Property],
        span: Span | None = None,
    ) -> Draft:
        """A resource that *resource* makes, at its place or at *span*."""
        draft = Draft(name, kind, properties, span or resource.span, resource.extent, resource.condition)
        if resource.ignored:
            ignored = tuple(Known(each, resource.span) for each in resource.ignored)
            draft.metadata = {"ignore_changes": Known(ignored, resource.span)}
        self.drafts[name] = draft
        return draft

    def methods(self) -> Mapping[tuple[object, ...], str]:
        """The names of the methods of REST APIs, by what tells them apart; those of unknown ones are left out."""
        if self._methods is None:
            self._methods = {
                called: each.name
                for each in self.drafts.values()
                if each.type == METHOD and None not in (called := _called(each.properties))
            }
        return self._methods

    def role_named(self, name: str | None) -> Draft | None:
        """The role that is given the name *name*."""
        if name is None:
            return None
        roles = (each for each in self.drafts.values() if each.type == ROLE)
        return next((each for each in roles if text_of(each.properties.get("RoleName")) == name), None)

    def finish(self, main: Mapping[str, Reference | None]) -> None:
        """Put the parts where they belong, and subnets that say nothing into their VPC's main table."""
        for join, resource in self._parts:
            known = shape(resource.type)
            assert known is not None
            join(self, resource, self.words.properties(resource, known))
        for vpc, table in main.items():
            self._into_main_table(vpc, table)

    def referred(self, value: Property | None, kind: str) -> Draft | None:
        """The resource of type *kind* that *value* is a reference to."""
        reference = reference_of(value)
        draft = self.drafts.get(reference.resource) if reference else None
        return draft if draft and draft.type == kind else None

    def _into_main_table(self, vpc: str, table: Reference | None) -> None:
        place = self.drafts[vpc]
        if table and table == _own_table(vpc):
            made = Draft(table.resource, "AWS::EC2::RouteTable", {}, place.span, place.extent, place.condition)
            made.properties["VpcId"] = _refers(Reference(vpc), place.span)
            self.drafts[table.resource] = made
        associated = {
            found.resource
            for each in self.drafts.values()
            if each.type == "AWS::EC2::SubnetRouteTableAssociation"
            for found in references(each.properties.get("SubnetId"))
        }
        for subnet in list(self.drafts.values()):
            inside = reference_of(subnet.properties.get("VpcId"))
            if subnet.type != "AWS::EC2::Subnet" or subnet.name in associated or not inside or inside.resource != vpc:
                continue
            self.drafts[f"{subnet.name}.main_route_table"] = Draft(
                f"{subnet.name}.main_route_table",
                "AWS::EC2::SubnetRouteTableAssociation",
                {
                    "SubnetId": _refers(Reference(subnet.name), subnet.span),
                    "RouteTableId": _refers(table, subnet.span) if table else Unknown(vpc, subnet.span),
                },
                subnet.span,
                subnet.extent,
                subnet.condition,
            )


def _refers(reference: Reference, span: Span) -> Unknown:
    return Unknown(reference.resource, span, reference)


def _function(maker: _Maker, resource: TerraformResource, draft: Draft) -> None:
    """The provider makes text of the variables' values, and -1 stands for no reserved concurrency."""
    reserved = draft.properties.get("ReservedConcurrentExecutions")
    if isinstance(reserved, Known) and reserved.value == -1:
        del draft.properties["ReservedConcurrentExecutions"]
    environment = properties_of(draft.properties.get("Environment"))
    variables = environment.get("Variables")
    if isinstance(variables, Known) and isinstance(variables.value, Mapping):
        texts = {name: _as_text(value) for name, value in variables.value.items()}
        draft.properties["Environment"] = Known(
            {**environment, "Variables": Known(texts, variables.span)}, draft.properties["Environment"].span
        )


def _as_text(value: Property) -> Property:
    if isinstance(value, Known) and isinstance(value.value, bool):
        return Known("true" if value.value else "false", value.span, value.stated, value.parameter)
    if isinstance(value, Known) and isinstance(value.value, int | float):
        return Known(str(value.value), value.span, value.stated, value.parameter)
    return value


def _route_table(maker: _Maker, resource: TerraformResource, draft: Draft) -> None:
    """Routes in the table's own blocks, and gateways that write to it, are resources of their own."""
    own = _refers(Reference(draft.name), draft.span)
    listed = resource.attributes.get("route")
    known = _row("aws_route_table.route")
    if isinstance(listed, Unknown):
        maker.add(resource, f"{draft.name}.route", known.type, {"RouteTableId": own}, listed.span)
    for number, item in enumerate(items_of(listed)):
        properties = maker.words.shaped(properties_of(item), known.arguments) if isinstance(item, Known) else {}
        properties = {name: value for name, value in properties.items() if text_of(value) != ""}
        maker.add(resource, f"{draft.name}.route[{number}]", known.type, {**properties, "RouteTableId": own}, item.span)
    gateways = resource.attributes.get("propagating_vgws")
    if gateways is not None and (isinstance(gateways, Unknown) or items_of(gateways)):
        maker.add(
            resource,
            f"{draft.name}.propagating_vgws",
            "AWS::EC2::VPNGatewayRoutePropagation",
            {"RouteTableIds": Known((own,), draft.span), "VpnGatewayId": maker.words.value(gateways)},
            gateways.span,
        )


def _propagation(maker: _Maker, resource: TerraformResource, draft: Draft) -> None:
    if (table := draft.properties.get("RouteTableIds")) is not None:
        draft.properties["RouteTableIds"] = Known((table,), table.span)


def _endpoint(maker: _Maker, resource: TerraformResource, draft: Draft) -> None:
    """A service's name is put together around the region, or asked of a data source."""
    stated = resource.attributes.get("service_name")
    if isinstance(stated, Pieces):
        text = "".join("${…}" if isinstance(part, Unknown) else str(part.value) for part in stated.parts)
        draft.properties["ServiceName"] = Unknown(f"!Sub {text}", stated.span, mentions=stated.mentions)
    elif isinstance(stated, Unknown) and stated.refers:
        source = maker.words.resources.get(stated.refers.resource)
        service = text_of(source.attributes.get("service")) if source else None
        if source and source.type == "aws_vpc_endpoint_service" and service:
            draft.properties["ServiceName"] = Unknown(f"!Sub com.amazonaws.${{…}}.{service}", stated.span)


def _security_group(maker: _Maker, resource: TerraformResource, draft: Draft) -> None:
    for direction, name in (("ingress", "SecurityGroupIngress"), ("egress", "SecurityGroupEgress")):
        listed = resource.attributes.get(direction)
        if isinstance(listed, Unknown):
            draft.properties[name] = maker.words.value(listed)
        elif listed is not None:
            rules = [rule for item in items_of(listed) for rule in _rules(maker, item, direction, draft.name)]
            draft.properties[name] = Known(tuple(rules), listed.span)


def _rules(maker: _Maker, block: Property, direction: str, group: str) -> Iterator[Property]:
    """One rule of CloudFormation's for each range, group or list of addresses that a block names."""
    if isinstance(block, Unknown):
        yield maker.words.value(block)
        return
    attributes = properties_of(block)
    common = maker.words.shaped(attributes, _row("aws_security_group.ingress").arguments)
    for name, value in _peers(attributes, direction, group, block.span):
        yield Known({**common, name: maker.words.value(value)}, block.span)


def _peers(attributes: Properties, direction: str, group: str, span: Span) -> Iterator[tuple[str, Property]]:
    side = "Source" if direction == "ingress" else "Destination"
    for argument, name in (
        ("cidr_blocks", "CidrIp"),
        ("ipv6_cidr_blocks", "CidrIpv6"),
        ("prefix_list_ids", f"{side}PrefixListId"),
        ("security_groups", f"{side}SecurityGroupId"),
        ("source_security_group_id", f"{side}SecurityGroupId"),
    ):
        value = attributes.get(argument)
        for item in (value,) if isinstance(value, Unknown) else items_of(value):
            yield name, item
    itself = attributes.get("self")
    if isinstance(itself, Known) and itself.value is True:
        yield f"{side}SecurityGroupId", _refers(Reference(group), span)


def _http_api(maker: _Maker, resource: TerraformResource, draft: Draft) -> None:
    """Quick create: the API makes its integration itself, with a format that API Gateway decides."""
    target = draft.properties.pop("Target", None)
    if target is not None:
        maker.add(
            resource,
            f"{draft.name}.target",
            "AWS::ApiGatewayV2::Integration",
            {
                "ApiId": _refers(Reference(draft.name), draft.span),
                "IntegrationType": Known("AWS_PROXY", target.span, stated=False),
                "IntegrationUri": target,
                "PayloadFormatVersion": Unknown("quick create", target.span),
            },
            target.span,
        )


def _table(maker: _Maker, resource: TerraformResource, draft: Draft) -> None:
    keys = []
    for argument, kind in (("hash_key", "HASH"), ("range_key", "RANGE")):
        if (name := resource.attributes.get(argument)) is not None:
            keys.append(Known({"AttributeName": name, "KeyType": Known(kind, name.span)}, name.span))
    if keys:
        draft.properties["KeySchema"] = Known(tuple(keys), keys[0].span)
    streaming = resource.attributes.get("stream_enabled")
    if streaming is None or (isinstance(streaming, Known) and not streaming.value):
        draft.properties.pop("StreamSpecification", None)


def _role_policy(maker: _Maker, resource: TerraformResource, draft: Draft) -> None:
    if (role := resource.attributes.get("role")) is not None:
        draft.properties["Roles"] = Known((maker.words.value(role),), role.span)


def _policy_of_several(maker: _Maker, resource: TerraformResource, draft: Draft) -> None:
    """CloudFormation lets one policy be that of several queues or topics."""
    for name in ("Queues", "Topics"):
        value = draft.properties.get(name)
        if value is not None and not (isinstance(value, Known) and isinstance(value.value, tuple)):
            draft.properties[name] = Known((value,), value.span)


def _association(maker: _Maker, resource: TerraformResource, draft: Draft) -> None:
    if "gateway_id" in resource.attributes and "SubnetId" not in draft.properties:
        draft.type = "AWS::EC2::GatewayRouteTableAssociation"


def _join_target(maker: _Maker, resource: TerraformResource, properties: Properties) -> None:
    target = Known(properties, resource.span)
    rule = maker.referred(_translated(maker, resource, "rule"), "AWS::Events::Rule")
    if rule is not None:
        rule.append("Targets", (target,), resource.span)
    elif "Arn" in properties:
        kind = TriggerKind.EVENTBRIDGE
        maker.loose.append(Loose(kind, resource.address, properties["Arn"], resource.span, properties))


def _join_notification(maker: _Maker, resource: TerraformResource, properties: Properties) -> None:
    bucket = maker.referred(properties.get("Bucket"), "AWS::S3::Bucket")
    listed = resource.attributes.get("lambda_function")
    found: list[Property] = []
    for item in items_of(listed):
        settings = maker.words.shaped(properties_of(item), _row("aws_s3_bucket_notification.lambda_function").arguments)
        block = properties_of(item)
        if filters := _key_filter(block, item.span):
            settings["Filter"] = filters
        events = block.get("events")
        listed_events = items_of(events) or ((events,) if events is not None else ())
        found += [Known({**settings, "Event": event}, item.span) for event in listed_events]
    if bucket is not None and found:
        there = properties_of(bucket.properties.get("NotificationConfiguration"))
        configurations = Known((*items_of(there.get("LambdaConfigurations")), *found), resource.span)
        bucket.properties["NotificationConfiguration"] = Known(
            {**there, "LambdaConfigurations": configurations}, resource.span
        )
        return
    for configuration in found:
        settings = dict(properties_of(configuration))
        if "Function" in settings:
            maker.loose.append(
                Loose(TriggerKind.S3, resource.address, settings["Function"], configuration.span, settings)
            )


def _key_filter(block: Properties, span: Span) -> Property | None:
    rules = [
        Known({"Name": Known(name, value.span), "Value": value}, value.span)
        for argument, name in (("filter_prefix", "prefix"), ("filter_suffix", "suffix"))
        if (value := block.get(argument)) is not None
    ]
    return Known({"S3Key": Known({"Rules": Known(tuple(rules), span)}, span)}, span) if rules else None


def _join_group_target(maker: _Maker, resource: TerraformResource, properties: Properties) -> None:
    group = maker.referred(_translated(maker, resource, "target_group_arn"), "AWS::ElasticLoadBalancingV2::TargetGroup")
    if group is not None:
        group.append("Targets", (Known(properties, resource.span),), resource.span)
    elif "Id" in properties:
        maker.loose.append(Loose(TriggerKind.ALB, resource.address, properties["Id"], resource.span, properties))


def _join_policy(maker: _Maker, resource: TerraformResource, properties: Properties) -> None:
    """An attachment to a role that is not known may be one to any of them, as a policy of its own says."""
    arn = properties.get("PolicyArn")
    named = properties.get("Role")
    for value in items_of(properties.get("Roles")) or ((named,) if named is not None else ()):
        role = maker.referred(value, ROLE) or maker.role_named(text_of(value))
        if role is not None and arn is not None:
            role.append("ManagedPolicyArns", (arn,), resource.span)
        elif isinstance(value, Unknown) and not value.refers:
            maker.add(resource, resource.address, "AWS::IAM::Policy", {"Roles": Known((value,), value.span)})


def _join_endpoint_table(maker: _Maker, resource: TerraformResource, properties: Properties) -> None:
    endpoint = maker.referred(properties.get("VpcEndpointId"), "AWS::EC2::VPCEndpoint")
    if endpoint is not None and (table := properties.get("RouteTableId")) is not None:
        endpoint.append("RouteTableIds", (table,), resource.span)


def _join_group_rule(maker: _Maker, resource: TerraformResource, properties: Properties) -> None:
    direction = text_of(resource.attributes.get("type"))
    if direction not in ("ingress", "egress"):
        return
    group = properties.get("GroupId")
    name = reference_of(group)
    kind = f"AWS::EC2::SecurityGroup{direction.capitalize()}"
    block = Known(resource.attributes, resource.span)
    for number, rule in enumerate(_rules(maker, block, direction, name.resource if name else "")):
        made = {**properties_of(rule), **({"GroupId": group} if group is not None else {})}
        maker.add(resource, f"{resource.address}#{number}" if number else resource.address, kind, made)


def _join_integration(maker: _Maker, resource: TerraformResource, properties: Properties) -> None:
    """CloudFormation states an integration in its method; it stands where Terraform's does."""
    method = maker.referred(_translated(maker, resource, "http_method"), METHOD)
    if method is None:
        name = maker.methods().get(_called(properties))
        method = maker.drafts[name] if name else None
    made = dict(properties)
    if method is not None and method.type == METHOD:
        made = {**made, **method.properties}
        method.type, method.properties = "aws_api_gateway_method", {}
    maker.add(resource, resource.address, METHOD, made)


def _called(method: Properties) -> tuple[object, ...]:
    """What tells methods apart: the API, the resource and the verb, as values or as references."""
    stated = (method.get(name) for name in ("RestApiId", "ResourceId", "HttpMethod"))
    return tuple(
        value.value if isinstance(value, Known) and isinstance(value.value, str) else reference_of(value)
        for value in stated
    )


def _join_concurrency(maker: _Maker, resource: TerraformResource, properties: Properties) -> None:
    alias = maker.referred(_translated(maker, resource, "qualifier"), "AWS::Lambda::Alias")
    executions = properties.get("ProvisionedConcurrentExecutions")
    if alias is not None and executions is not None:
        alias.properties["ProvisionedConcurrencyConfig"] = Known(
            {"ProvisionedConcurrentExecutions": executions}, resource.span
        )


def _join_nothing(maker: _Maker, resource: TerraformResource, properties: Properties) -> None:
    """What the main route tables have been worked out from."""


def _translated(maker: _Maker, resource: TerraformResource, name: str) -> Property | None:
    value = resource.attributes.get(name)
    return None if value is None else maker.words.value(value)


def _row(name: str) -> Shape:
    known = shape(name)
    assert known is not None
    return known


_FINISHERS: Final[Mapping[str, Callable[[_Maker, TerraformResource, Draft], None]]] = {
    "aws_lambda_function": _function,
    "aws_route_table": _route_table,
    "aws_default_route_table": _route_table,
    "aws_route_table_association": _association,
    "aws_vpn_gateway_route_propagation": _propagation,
    "aws_vpc_endpoint": _endpoint,
    "aws_security_group": _security_group,
    "aws_default_security_group": _security_group,
    "aws_apigatewayv2_api": _http_api,
    "aws_dynamodb_table": _table,
    "aws_iam_role_policy": _role_policy,
    "aws_sqs_queue_policy": _policy_of_several,
    "aws_sns_topic_policy": _policy_of_several,
}

_PARTS: Final[Mapping[str, Callable[[_Maker, TerraformResource, Properties], None]]] = {
    "aws_cloudwatch_event_target": _join_target,
    "aws_s3_bucket_notification": _join_notification,
    "aws_lb_target_group_attachment": _join_group_target,
    "aws_iam_role_policy_attachment": _join_policy,
    "aws_iam_policy_attachment": _join_policy,
    "aws_vpc_endpoint_route_table_association": _join_endpoint_table,
    "aws_security_group_rule": _join_group_rule,
    "aws_api_gateway_integration": _join_integration,
    "aws_lambda_provisioned_concurrency_config": _join_concurrency,
    "aws_main_route_table_association": _join_nothing,
}
