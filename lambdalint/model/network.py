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
    OTHER = "other"  # transit gateway, appliance, interface, prefix list, unknown: may be a way out


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a table; *destination* is ``None`` when it is unknown."""

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
    """A subnet of the project; *table* is ``None`` when which table it uses is not known."""

    name: str
    span: Span
    vpc: str | None
    table: RouteTable | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A VPC endpoint.

    *service* is the part after ``com.amazonaws.REGION.`` (``s3``, ``ecr.api``), ``None`` when unknown.
    *tables* are the names of the route tables of a gateway endpoint, ``None`` when they are not known.
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

    *complete* is false when a subnet, route or endpoint is decided outside the project's templates: then nobody can
    say that there is no path.
    """

    span: Span
    subnets: tuple[Subnet, ...]
    endpoints: tuple[Endpoint, ...]
    complete: bool
