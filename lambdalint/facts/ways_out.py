"""Where the subnets of a function lead."""

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from lambdalint.aws.endpoints import serves
from lambdalint.model.function import Function
from lambdalint.model.network import Network, Route, RouteTarget, Subnet

DEFAULT: Final = "0.0.0.0/0"
_PRIVATE: Final = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))


@dataclass(frozen=True, slots=True)
class WaysOut:
    """What is certain about the network of a function.

    *network* is ``None`` for a function that is in no VPC, or in one of which not enough is known to say that there is
    no path; then nothing is closed.  *closed* are the subnets from which no address of the internet can be reached.
    A subnet that leads to a transit gateway or an appliance is not closed: there may be a way out behind it.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
    """

    network: Network | None
    closed: tuple[Subnet, ...]

    @classmethod
    def of(cls, function: Function) -> "WaysOut":
        network = function.network
        if (
            not isinstance(network, Network)
            or not network.complete
            or any(each.table is None for each in network.subnets)
        ):
            return cls(None, ())
        closed = tuple(
            each for each in network.subnets if not any(_leads_out(route, network) for route in _routes(each))
        )
        return cls(network, closed)

    @property
    def public(self) -> tuple[tuple[Subnet, Route], ...]:
        """The subnets whose default route is an internet gateway, which serves no function, with that route."""
        subnets = self.network.subnets if self.network else ()
        return tuple(
            (subnet, route)
            for subnet in subnets
            for route in _routes(subnet)
            if route.destination == DEFAULT and route.target is RouteTarget.INTERNET_GATEWAY
        )

    def closed_to_host(self, host: str) -> tuple[Subnet, ...]:
        """The subnets from which *host*, a public one, certainly cannot be reached.

        A name that the VPC resolves by itself, or that somebody's endpoint service may stand for, is not certain.
        """
        if self.network is None or any(endpoint.service is None for endpoint in self.network.endpoints):
            return ()
        if ".execute-api." in host and any(endpoint.service == "execute-api" for endpoint in self.network.endpoints):
            return ()
        return () if _is_private(host, self.network) else self.closed

    def closed_to_service(self, client: str) -> tuple[Subnet, ...]:
        """The subnets from which the service of the boto3 client *client* certainly cannot be reached.

        An endpoint of the service in the VPC counts as a way, whether or not it is routed and resolved as it should be.
        Another network that the subnet leads to may have endpoints for both.
        """
        if self.network is None or any(
            "amazonaws.com" in domain or not domain for domain in self.network.private_domains
        ):
            return ()
        endpoints = self.network.endpoints
        return tuple(
            subnet
            for subnet in self.closed
            if subnet.vpc is not None
            and not any(route.target in (RouteTarget.PEERING, RouteTarget.OTHER) for route in _routes(subnet))
            and not any(endpoint.service is None or serves(endpoint.service, client) for endpoint in endpoints)
        )


def _routes(subnet: Subnet) -> tuple[Route, ...]:
    return subnet.table.routes if subnet.table else ()


def _leads_out(route: Route, network: Network) -> bool:
    ipv6 = route.destination is not None and ":" in route.destination
    if ipv6:
        return network.dual_stack is not False and route.target is not RouteTarget.PEERING
    if route.target in (RouteTarget.INTERNET_GATEWAY, RouteTarget.PEERING):
        return False
    return not _is_private_range(route.destination)


def _is_private_range(destination: str | None) -> bool:
    if destination is None:
        return False
    try:
        addresses = ip_network(destination, strict=False)
    except ValueError:
        return False
    return any(addresses.version == 4 and addresses.subnet_of(each) for each in _PRIVATE)  # type: ignore[arg-type]


def _is_private(host: str, network: Network) -> bool:
    return any(domain in ("", host) or host.endswith(f".{domain}") for domain in network.private_domains)
