"""The context that Lambda passes to a handler."""

from functools import cache

from lambdalint.aws.tables import table


@cache
def context_members() -> tuple[str, ...]:
    """The attributes of the context; methods have parentheses."""
    known = table("context")
    return (*known["attributes"], *(f"{name}()" for name in known["methods"]))
