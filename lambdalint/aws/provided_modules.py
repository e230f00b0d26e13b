"""What can be imported on Lambda without being packaged."""

from functools import cache

from lambdalint.aws.tables import table


@cache
def provided_modules() -> frozenset[str]:
    """The top-level modules of the SDK and of the runtime's client in a Python runtime."""
    return frozenset(table("provided_modules")["names"])
