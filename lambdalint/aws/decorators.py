"""Decorators and wrappers of handlers whose effect is known."""

from functools import cache

from lambdalint.aws.tables import table


def keeps_signature(decorator: str) -> bool:
    """Whether a function under the decorator of that qualified name takes and returns what it did without it."""
    return decorator.removesuffix("()") in _keeping()


def original_handler_variable(handler: str) -> str | None:
    """The environment variable from which a known wrapper handler takes the real handler."""
    for row in table("decorators")["wrapper"]:
        if handler.replace("/", ".").lstrip(".") in {each.replace("/", ".").lstrip(".") for each in row["handlers"]}:
            return str(row["variable"])
    return None


def made_while_packaging(handler: str) -> str | None:
    """What must lie beside the code where a packager writes *handler*; ``""``: nothing; ``None``: none writes it."""
    for row in table("decorators")["packaged"]:
        if handler in row["handlers"]:
            return str(row.get("beside", ""))
    return None


@cache
def _keeping() -> frozenset[str]:
    return frozenset(name for row in table("decorators")["keeps"] for name in row["names"])
