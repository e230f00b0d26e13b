"""What the SAM transform knows: policy templates, connectors, managed policies, and what Globals may say."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdalint.aws.tables import table


def global_properties(kind: str) -> frozenset[str]:
    """The properties that Globals may state for ``AWS::Serverless::KIND``."""
    return frozenset(_globals(kind).get("properties", ()))


def replaced_globals(kind: str) -> frozenset[str]:
    """The paths, with dots, at which a resource's own value takes the place of the one in Globals."""
    return frozenset(_globals(kind).get("replaced", ()))


def pruned_globals(kind: str) -> frozenset[str]:
    """The paths at which only the keys that a resource states itself are kept, and merged."""
    return frozenset(_globals(kind).get("pruned", ()))


def policy_statements(template: str) -> list[dict[str, Any]] | None:
    """The statements of a policy template, with ``${NAME}`` for its parameters; ``None`` when there is none."""
    found = table("sam_policies")["template"].get(template)
    return None if found is None else list(found["statement"])


def managed_policy_arn(name: str) -> str:
    """The ARN of AWS's managed policy *name*; an ARN stays as it is."""
    if name.startswith("arn:"):
        return name
    path = _policy_paths().get(name)
    return f"arn:aws:iam::aws:policy/{path}/{name}" if path else f"arn:aws:iam::aws:policy/{name}"


def connector(source: str, destination: str) -> Mapping[str, Any] | None:
    """What connects two types of resources; ``None`` when SAM does not connect them."""
    return _connectors().get((source, destination))


def connected_resource(kind: str) -> Mapping[str, str]:
    """How a connector names a resource of type *kind*: the attributes that give its ARN, its URL and so on."""
    found: Mapping[str, str] = table("sam_connectors")["resource"].get(kind, {})
    return found


def _globals(kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = table("sam")["globals"].get(kind, {})
    return found


@cache
def _policy_paths() -> dict[str, str]:
    return {name: group["path"] for group in table("managed_policies")["path"] for name in group["names"].split()}


@cache
def _connectors() -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(each["source"], each["destination"]): each for each in table("sam_connectors")["connector"]}
