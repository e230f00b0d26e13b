"""The network that a function's VpcConfig puts it in, as far as the function's template declares it.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from lambdalint.join.properties import items_of, properties_of, reference_of, references, text_of
from lambdalint.model.network import Endpoint, Network, Route, RouteTable, RouteTarget, Subnet
from lambdalint.model.template import Resource, Template
from lambdalint.model.values import Known, Property, Unknown

VPC: Final = "AWS::EC2::VPC"
SUBNET: Final = "AWS::EC2::Subnet"
ROUTE: Final = "AWS::EC2::Route"
ASSOCIATION: Final = "AWS::EC2::SubnetRouteTableAssociation"
ENDPOINT: Final = "AWS::EC2::VPCEndpoint"
PROPAGATION: Final = "AWS::EC2::VPNGatewayRoutePropagation"
ATTACHMENT: Final = "AWS::EC2::VPCGatewayAttachment"

#: Resources that may add routes and endpoints to what they are given.
_OPAQUE: Final = ("Custom::", "AWS::CloudFormation::", "AWS::Serverless::Application")

_MATTERS: Final = ("AWS::EC2::", "AWS::VpcLattice::", "AWS::Route53", *_OPAQUE)

#: Properties of a route that say where it leads; a gateway may be one of several kinds.
_TARGETS: Final[Mapping[str, RouteTarget]] = {
    "NatGatewayId": RouteTarget.NAT_GATEWAY,
    "EgressOnlyInternetGatewayId": RouteTarget.EGRESS_ONLY_GATEWAY,
    "VpcPeeringConnectionId": RouteTarget.PEERING,
}

_REGION: Final = r"(?:\$\{[^}]*\}|[a-z]{2}(?:-[a-z]+)+-\d)"
_AWS_SERVICE: Final = re.compile(rf"(?:cn\.)?com\.amazonaws\.{_REGION}\.(?P<name>[^${{}}]+)")
_OTHER_SERVICE: Final = re.compile(rf"(?P<owner>aws\.[a-z]+|api\.aws)\.{_REGION}\.(?P<name>[^${{}}]+)")
_GLOBAL_SERVICE: Final = re.compile(r"com\.amazonaws\.[a-z0-9]+")


def declared_network(config: Property | None, template: Template) -> Network | Unknown | None:
    """The network of a function whose merged VpcConfig is *config*; ``None`` when it is not in a VPC.

    A configuration that a condition may remove is unknown: the function is in a VPC in one world only.
    """
    if config is None or isinstance(config, Unknown):
        return config
    settings = properties_of(config)
    listed = settings.get("SubnetIds")
    if listed is None or (isinstance(listed, Known) and not items_of(listed)):
        return None
    items = items_of(listed)
    template = _network_of(template)
    found = [resource for item in items if (resource := _referred(item, SUBNET, template))]
    subnets = tuple(_subnets(found, template))
    vpcs = {subnet.vpc for subnet in subnets}
    return Network(
        span=config.span,
        subnets=subnets,
        endpoints=tuple(each for each in _endpoints(template) if each.vpc is None or each.vpc in vpcs),
        complete=isinstance(listed, Known) and len(found) == len(items),
        dual_stack=_flag(settings.get("Ipv6AllowedForDualStack")),
        private_domains=tuple(dict.fromkeys(_private_domains(template))),
    )


@lru_cache(maxsize=4)
def _network_of(template: Template) -> Template:
    """What matters of *template*, for the next of its functions too: large ones have thousands of resources."""
    parents = {name.rpartition(".")[0] for name in template.resources}
    resources = {
        name: each
        for name, each in template.resources.items()
        # What a stack does is known when its own resources are here.
        if each.type.startswith(_MATTERS) and not (each.type.startswith(_OPAQUE) and name in parents)
    }
    return replace(template, resources=resources)


def _subnets(found: list[Resource], template: Template) -> Iterator[Subnet]:
    shared = _handed_on(template)
    for resource in found:
        vpc = _referred(resource.properties.get("VpcId"), VPC, template)
        known = vpc is not None and vpc.name not in shared
        table = None if resource.name in shared else _table(resource, known, shared, template)
        yield Subnet(resource.name, resource.span, vpc.name if vpc and known else None, table)


def _table(subnet: Resource, own_vpc: bool, shared: set[str], template: Template) -> RouteTable | None:
    associations = [
        resource
        for resource in template.resources.values()
        if resource.type == ASSOCIATION and _mentions(resource.properties.get("SubnetId"), subnet.name)
    ]
    if not associations:
        # A VPC starts with a main table that has the local route only, and CloudFormation cannot change it.
        return RouteTable(None, ()) if own_vpc else None
    association = associations[0]
    table = reference_of(association.properties.get("RouteTableId"))
    certain = reference_of(association.properties.get("SubnetId")) and association.condition in (None, subnet.condition)
    if len(associations) > 1 or not certain or table is None or table.resource not in template.resources:
        return None
    if table.resource in shared:
        return None
    return RouteTable(table.resource, tuple(_routes(table.resource, template)))


def _routes(table: str, template: Template) -> Iterator[Route]:
    for resource in template.resources.values():
        if resource.type == ROUTE and _mentions(resource.properties.get("RouteTableId"), table):
            destination = resource.get("DestinationCidrBlock") or resource.get("DestinationIpv6CidrBlock")
            yield Route(text_of(destination), _target(resource, template), resource.name, resource.span)
        elif resource.type == PROPAGATION and _mentions(resource.properties.get("RouteTableIds"), table):
            yield Route(None, RouteTarget.OTHER, resource.name, resource.span)


def _target(route: Resource, template: Template) -> RouteTarget:
    for name, target in _TARGETS.items():
        if name in route.properties:
            return target
    gateway = route.properties.get("GatewayId")
    if (text_of(gateway) or "").startswith("igw-"):
        return RouteTarget.INTERNET_GATEWAY
    reference = reference_of(gateway)
    resource = template.resources.get(reference.resource) if reference else None
    if resource and resource.type == ATTACHMENT and "VpnGatewayId" not in resource.properties:
        return RouteTarget.INTERNET_GATEWAY
    if resource and resource.type == "AWS::EC2::InternetGateway":
        return RouteTarget.INTERNET_GATEWAY
    return RouteTarget.OTHER


def _endpoints(template: Template) -> Iterator[Endpoint]:
    for resource in template.resources.values():
        if resource.type == ENDPOINT:
            kind = resource.properties.get("VpcEndpointType")
            vpc = _referred(resource.properties.get("VpcId"), VPC, template)
            yield Endpoint(
                resource.name,
                resource.span,
                vpc.name if vpc else None,
                _service(resource.properties.get("ServiceName")),
                kind is None or text_of(kind) == "Gateway",
                _table_names(resource.properties.get("RouteTableIds")),
            )
        elif resource.type == "AWS::VpcLattice::ServiceNetworkVpcAssociation":
            vpc = _referred(resource.properties.get("VpcIdentifier"), VPC, template)
            yield Endpoint(resource.name, resource.span, vpc.name if vpc else None, None, gateway=False)


def _service(value: Property | None) -> str | None:
    """The service in an endpoint's ServiceName; the name is mostly put together around the region."""
    if isinstance(value, Known):
        return _service_in(str(value.value))
    if value is None:
        return None
    if value.choices:
        named = {_service(choice) for choice in value.choices}
        return named.pop() if len(named) == 1 else None
    return _service_in(value.expression.partition(" ")[2])


def _service_in(text: str) -> str | None:
    if match := _AWS_SERVICE.fullmatch(text):
        # com.amazonaws.vpce.REGION.vpce-svc-… is somebody's own service and does not match.
        return match["name"]
    if match := _OTHER_SERVICE.fullmatch(text):
        return f"{match['owner']}.<region>.{match['name']}"
    return text if _GLOBAL_SERVICE.fullmatch(text) else None


def _table_names(value: Property | None) -> tuple[str, ...] | None:
    if value is None:
        return ()
    names = [reference.resource for item in items_of(value) if (reference := reference_of(item))]
    complete = isinstance(value, Known) and len(names) == len(items_of(value))
    return tuple(names) if complete else None


def _private_domains(template: Template) -> Iterator[str]:
    for resource in template.resources.values():
        private = resource.type == "AWS::Route53::HostedZone" and "VPCs" in resource.properties
        if private or resource.type == "AWS::Route53Resolver::ResolverRule":
            name = text_of(resource.get("Name" if private else "DomainName"))
            yield (name or ".").rstrip(".").lower()  # an unknown name may be any: the root, which all end in


def _handed_on(template: Template) -> set[str]:
    """The resources that nested stacks and custom resources are given, and may add to."""
    return {
        reference.resource
        for resource in template.resources.values()
        if resource.type.startswith(_OPAQUE)
        for reference in references(Known(resource.properties, resource.span))
    }


def _referred(value: Property | None, kind: str, template: Template) -> Resource | None:
    reference = reference_of(value)
    resource = template.resources.get(reference.resource) if reference else None
    return resource if resource and resource.type == kind else None


def _mentions(value: Property | None, name: str) -> bool:
    return any(reference.resource == name for reference in references(value))


def _flag(value: Property | None) -> bool | None:
    if value is None:
        return False
    return str(value.value).lower() == "true" if isinstance(value, Known) else None
