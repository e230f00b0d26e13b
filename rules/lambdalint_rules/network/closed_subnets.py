"""Words for subnets that lead nowhere."""

from collections.abc import Iterable, Iterator

from lambdalint.facts.ways_out import DEFAULT
from lambdalint.rule import Related, Route, RouteTarget, Subnet


def listed(names: Iterable[str], most: int = 3) -> str:
    """``a``, ``a and b``, ``a, b and 4 more``."""
    known = list(names)
    if len(known) > most:
        known = [*known[: most - 1], f"{len(known) - most + 1} more"]
    return " and ".join(part for part in (", ".join(known[:-1]), known[-1]) if part)


def where_they_lead(subnets: tuple[Subnet, ...]) -> str:
    """What is wrong with the default routes, to follow the subnets' names."""
    targets = {route.target for subnet in subnets for route in _default_routes(subnet)}
    plural = len(subnets) > 1
    if targets == {RouteTarget.INTERNET_GATEWAY}:
        return f"{'route' if plural else 'routes'} {DEFAULT} to an internet gateway, which serves no function"
    if targets:
        return f"{'have' if plural else 'has'} no route to a NAT gateway"
    return f"{'route' if plural else 'routes'} {DEFAULT} nowhere"


def related(subnets: tuple[Subnet, ...]) -> Iterator[Related]:
    """The declarations of the subnets, or of the routes that lead nowhere."""
    for subnet in subnets:
        routes = list(_default_routes(subnet))
        for route in routes:
            yield Related(route.span, f"{subnet.name} leads to this {route.target.value}: {_WHY[route.target]}")
        if not routes:
            table = subnet.table.name if subnet.table else None
            uses = f"uses {table}, which has no default route" if table else "has no route table but the VPC's main one"
            yield Related(subnet.span, f"{subnet.name} {uses}")


def _default_routes(subnet: Subnet) -> Iterator[Route]:
    for route in subnet.table.routes if subnet.table else ():
        if route.destination == DEFAULT and route.target in _WHY:
            yield route


_WHY = {
    RouteTarget.INTERNET_GATEWAY: "an interface of Lambda has no public address",
    RouteTarget.PEERING: "a peer passes nothing on to the internet",
}
