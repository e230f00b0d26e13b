"""Numbers that Lambda takes only within bounds."""

from lambdalint.rule import Function, Unknown


def range_fault(what: str, value: object, unit: str, least: int, most: int) -> str | None:
    """What is wrong with *value*, as ``memory 64 MB is outside`` its bounds; ``None`` when nothing is."""
    if not isinstance(value, int):
        return f"{what} {value!r} is no whole number of {unit}"
    if not least <= value <= most:
        return f"{what} {value:,} {unit} is outside {least:,}\u2013{most:,} {unit}"
    return None


def on_managed_instances(function: Function) -> bool | None:
    """Whether the function runs where other bounds hold; ``None`` when the template does not show it."""
    provider = function.resource.get("CapacityProviderConfig")
    return None if isinstance(provider, Unknown) else provider is not None
