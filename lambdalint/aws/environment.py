"""The environment variables that Lambda knows."""

from functools import cache

from lambdalint.aws.tables import table


@cache
def reserved_names() -> frozenset[str]:
    """The names that a function may not declare."""
    return frozenset(table("environment")["reserved"]["names"])


@cache
def names_set() -> frozenset[str]:
    """The names that a Python function may find set without declaring them."""
    return reserved_names() | frozenset(table("environment")["set"]["names"])


def wrapper_name() -> str:
    """The variable that names a script around the runtime, which may set any other variable."""
    return str(table("environment")["wrapper"]["name"])


def library_path_variable() -> str:
    """The variable that says where the loader looks for libraries."""
    return str(table("environment")["library_path"]["name"])


def path_variable() -> str:
    """The variable that says where programs are looked for."""
    return str(table("environment")["program_path"]["name"])
