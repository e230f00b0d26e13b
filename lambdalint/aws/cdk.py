"""What the AWS CDK puts into a cloud assembly by itself."""

import re
from functools import cache

from lambdalint.aws.tables import table


def is_helper(construct: str | None, logical_id: str) -> bool:
    """Whether a resource belongs to a function that the CDK adds; *construct* is its path where that is known."""
    if construct is not None:
        return any(part.startswith(_helpers()) for part in construct.split("/"))
    return any(name in logical_id for name in _helper_ids())


def is_harmless(kind: str) -> bool:
    """Whether custom resources of the type *kind* change nothing that a function depends on."""
    return kind in _harmless()


@cache
def _helpers() -> tuple[str, ...]:
    return tuple(part for row in table("cdk")["helper"] for part in row["parts"])


@cache
def _helper_ids() -> tuple[str, ...]:
    """A logical id is made of a path's parts with all but letters and digits left out."""
    return tuple(re.sub(r"[^A-Za-z0-9]", "", part) for part in _helpers())


@cache
def _harmless() -> frozenset[str]:
    return frozenset(kind for row in table("cdk")["harmless"] for kind in row["types"])
