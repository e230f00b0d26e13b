"""Which VPC endpoints serve which clients of the SDK."""

from functools import cache

from lambdalint.aws.tables import table


def endpoint_services(client: str) -> tuple[str, ...]:
    """The services whose endpoints the boto3 client *client* may use, the one of its API first.

    A name is what stands after ``com.amazonaws.REGION.``; one that ends in ``*`` goes on with something of the
    account's.  Nothing is listed for some clients, which does not prove that there is no endpoint.
    """
    return _services().get(client, ())


def serves(service: str, client: str) -> bool:
    """Whether an endpoint of *service* serves the boto3 client *client*."""
    return any(
        service.startswith(known[:-1]) if known.endswith("*") else service == known
        for known in endpoint_services(client)
    )


def has_gateway_endpoint(client: str) -> bool:
    """Whether the service can be reached through a route table, free of charge."""
    return client in table("endpoints")["gateway"]["clients"]


def is_global(client: str) -> bool:
    """Whether the service has one endpoint for all regions."""
    return client in table("endpoints")["global"]["clients"]


@cache
def _services() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for group in table("endpoints")["privatelink"]:
        found |= {client: (client,) for client in group.get("same", "").split()}
        found |= {client: tuple(services) for client, services in group.get("other", {}).items()}
    return found
