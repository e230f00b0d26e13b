"""Who publishes layers for everybody, and the ARNs of layers."""

from functools import cache

from lambdalint.aws.tables import table


@cache
def publisher_accounts() -> frozenset[str]:
    """The accounts of AWS and of vendors whose layers are documented."""
    return frozenset(row["id"] for row in table("layers")["account"])


@cache
def published_names() -> frozenset[str]:
    """The names of layers that AWS publishes from another account in each region."""
    return frozenset(table("layers")["publishers"]["names"])


def partition(region: str) -> str:
    """The partition that a *region* lies in."""
    found: dict[str, str] = table("layers")["partition"]["of"]
    return found[max((each for each in found if region.startswith(each)), key=len)]


def max_arn_characters() -> int:
    """How many characters the ARN of a layer may have beside its partition and its region."""
    return int(table("layers")["arn"]["max_characters"])
