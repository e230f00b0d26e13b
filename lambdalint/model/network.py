"""The network around a function: subnets, their routes, and endpoints."""

from dataclasses import dataclass
from enum import Enum

from lambdalint.model.places import Span


class RouteTarget(Enum):
    """Where a route leads, as far as it matters to a function."""

    NAT_GATEWAY = "NAT gateway"
    INTERNET_GATEWAY = "internet gateway"
    EGRESS_ONLY_GATEWAY = "egress-only internet gateway"
    PEERING = "peering connection"
    OTHER = "other"  # transit gateway, appliance, interface, unknown: may be a way out


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a table.

    *destination* is a range of addresses, ``None`` when it is unknown or a prefix list.  *name* is the resource that
    declares the route.
    """

    destination: str | None
    target: RouteTarget
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table; ``None`` for *name* is the main table of a VPC that the project makes."""

    name: str | None
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of the project.

    *vpc* is ``None`` when the VPC is not the project's: then nobody knows all of its endpoints.  *table* is ``None``
    when it is not known which table the subnet uses, or what else writes to it.
    """

    name: str
    span: Span
    vpc: str | None
    table: RouteTable | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A VPC endpoint.

    *service* is the part after ``com.amazonaws.REGION.`` (``s3``, ``ecr.api``), ``<region>`` standing for the region
    in names of another form (``aws.sagemaker.<region>.notebook``); ``None`` when it is unknown, or no service of AWS.
    *vpc* is ``None`` when it is unknown.  *tables* are the names of the route tables of a gateway endpoint, ``None``
    when they are not known.
    """

    name: str
    span: Span
    vpc: str | None
    service: str | None
    gateway: bool
    tables: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """What the subnets of one function can reach.

    *complete* is false when one of the subnets is decided outside the template: then nobody can say that there is no
    path.  *dual_stack* says whether the function may use IPv6, ``None`` when that is unknown.  *private_domains* are
    those that the VPC resolves by itself.
    """

    span: Span
    subnets: tuple[Subnet, ...]
    endpoints: tuple[Endpoint, ...]
    complete: bool
    dual_stack: bool | None = False
    private_domains: tuple[str, ...] = ()
