"""Which rules run."""

from collections.abc import Iterable
from dataclasses import dataclass

from lambdalint.engine.messages import FAMILY, MESSAGES
from lambdalint.engine.registry import Registry
from lambdalint.model.finding import Profile, Severity
from lambdalint.rule import Rule


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user asks for, by code, family, name or a peer's id.

    An empty *select* means the rules of the *profile*.
    """

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    profile: Profile = Profile.DEFAULT


def selected(registry: Registry, selection: Selection) -> tuple[Rule, ...]:
    """The rules to run, in the order of their codes.

    Raises:
        UsageError: something is asked for that does not exist.
    """
    if selection.select:
        chosen = _found(registry, selection.select)
    elif selection.profile is Profile.STRICT:
        chosen = set(registry.rules)
    else:
        chosen = {rule for rule in registry.rules if rule.profile is Profile.DEFAULT}
    chosen |= _found(registry, selection.extend_select)
    chosen -= _found(registry, (name for name in selection.ignore if not quieted((name,))))
    return tuple(rule for rule in registry.rules if rule in chosen)


def quieted(names: Iterable[str]) -> frozenset[str]:
    """The codes of what the engine itself says and *names* ignore; what makes a report incomplete is always said."""
    meant = set(names)
    return frozenset(
        message.code
        for message in MESSAGES
        if message.severity is not Severity.ERROR and meant.intersection((message.code, message.name, FAMILY))
    )


def _found(registry: Registry, names: Iterable[str]) -> set[Rule]:
    return {rule for name in names for rule in registry.find(name)}
