"""What a reference to a resource gives, and which kind of it the parameters of the SDK take."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from lambdalint.aws.tables import table


@dataclass(frozen=True, slots=True)
class Parameter:
    """The parameter *name* of a client's operations: the kinds it *takes*, and the *types* of resources it is about."""

    name: str
    takes: tuple[str, ...]
    types: tuple[str, ...]


def kind_of_reference(resource_type: str, attribute: str | None) -> str | None:
    """What ``GetAtt``, or ``Ref`` without an *attribute*, of such a resource gives; ``None``: not known."""
    found = table("return_values")["resource"].get(resource_type, {})
    return None if attribute in _ABOUT else found.get(attribute or "Ref")


def attributes_of_kind(resource_type: str, kinds: tuple[str, ...]) -> tuple[str | None, ...]:
    """The attributes of such a resource that are of one of *kinds*, ``None`` for ``Ref``."""
    found = table("return_values")["resource"].get(resource_type, {})
    return tuple(
        None if name == "Ref" else name for name, kind in found.items() if name not in _ABOUT and kind in kinds
    )


def resource_noun(resource_type: str) -> str:
    """What to call such a resource in a sentence."""
    return str(table("return_values")["resource"].get(resource_type, {}).get("what", "resource"))


def parameters(client: str) -> Mapping[str, Parameter]:
    """The parameters of the boto3 client *client* that name a resource, by name."""
    return _parameters().get(client, {})


def object_parameter(service: str, kind: str) -> Parameter | None:
    """The parameter that the first argument of ``boto3.resource(service).kind(…)`` stands for."""
    name = table("return_values")["objects"].get(service, {}).get(kind)
    return None if name is None else parameters(service).get(name)


_ABOUT = ("what", "source")


@cache
def _parameters() -> Mapping[str, Mapping[str, Parameter]]:
    found: dict[str, dict[str, Parameter]] = {}
    for row in table("return_values")["parameter"]:
        parameter = Parameter(row["name"], tuple(row["takes"]), tuple(row["types"]))
        found.setdefault(row["client"], {})[parameter.name] = parameter
    return found
