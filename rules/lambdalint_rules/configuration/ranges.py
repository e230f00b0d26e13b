"""Numbers that Lambda takes only within bounds."""

from typing import Any

from lambdalint.rule import Applicability, Fix, Function, Known, Rewrite, Unknown


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


def rewriting(value: Known[Any], new: object, title: str) -> Fix | None:
    """The fix that writes *new* where the template states *value*; a parameter's default is not the setting."""
    if not value.stated or value.parameter is not None:
        return None
    return Fix(title, Applicability.UNSAFE, changes=(Rewrite(value.span, str(value.value), str(new)),))


def nearest_bound(value: Known[Any], least: int, most: int, unit: str) -> Fix | None:
    """The fix that takes the bound which *value* has passed."""
    if not isinstance(value.value, int | float):
        return None
    bound = min(max(round(value.value), least), most)
    return rewriting(value, bound, f"take {bound:,} {unit}")
