"""The modules that are part of Python itself, whatever lies beside the code."""

from functools import cache

from lambdalint.aws.tables import table


@cache
def builtin_modules() -> frozenset[str]:
    """The names in ``sys.builtin_module_names`` of every Python that Lambda runs."""
    return frozenset(table("builtin_modules")["names"])
