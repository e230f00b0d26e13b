"""The rules of all installed packs."""

import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from types import ModuleType
from typing import Final

from lambdalint.errors import RuleError, UsageError
from lambdalint.rule import Rule

ENTRY_POINT_GROUP: Final = "lambdalint.rules"


@dataclass(frozen=True, slots=True, eq=False)
class Registry:
    """Rules in the order of their codes."""

    rules: tuple[Rule, ...]

    @staticmethod
    def load() -> "Registry":
        """The rules of every pack that an installed distribution announces.

        Raises:
            RuleError: there is no pack, a pack does not import, two rules share a code or a name, or a rule asks for
                something that it cannot have.
        """
        packs = installed_packs()
        if not packs:
            raise RuleError(
                "no pack of rules is installed, not even the built-in one",
                hint="install lambdalint itself (pip install lambdalint, or pip install -e . in a checkout)",
            )
        return Registry.of(rule for pack in packs for rule in _pack_rules(pack))

    @staticmethod
    def of(rules: Iterable[Rule]) -> "Registry":
        """A registry of just these rules.

        Raises:
            RuleError: two rules share a code or a name.
        """
        taken: dict[str, Rule] = {}
        kept = sorted(set(rules), key=lambda rule: rule.code)
        for rule in kept:
            for key in (rule.code, rule.name):
                if key in taken:
                    other = taken[key]
                    raise RuleError(f"{rule.file}:{rule.line}: {key} is taken by {other.file}:{other.line}")
                taken[key] = rule
        return Registry(tuple(kept))

    def find(self, text: str) -> tuple[Rule, ...]:
        """The rules that *text* means: a code, a name, a family, or the id of a peer's rule (``checkov:CKV_AWS_116``).

        Raises:
            UsageError: nothing is called so.
        """
        found = tuple(rule for rule in self.rules if text in (rule.code, rule.name, rule.family) or text in rule.covers)
        if found:
            return found
        if ":" in text:
            hint = "`lambdalint rules --output-format json` shows what each covers"
            raise UsageError(f"no rule covers {text!r}", hint=hint)
        from difflib import get_close_matches

        names = [key for rule in self.rules for key in (rule.code, rule.name, rule.family)]
        close = get_close_matches(text, names, n=1) or get_close_matches(text.upper(), names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`lambdalint rules` lists them all"
        raise UsageError(f"no rule is called {text!r}", hint=hint)


@cache
def installed_packs() -> tuple[EntryPoint, ...]:
    """The entry points of the packs, each once, in the order of their names."""
    packs = {(point.name, point.value): point for point in entry_points(group=ENTRY_POINT_GROUP)}
    return tuple(packs[key] for key in sorted(packs))


def pack_folders() -> tuple[str, ...]:
    """The folders that the packs' packages are in."""
    specs = (find_spec(pack.module) for pack in installed_packs())
    return tuple(folder for spec in specs if spec for folder in spec.submodule_search_locations or ())


def _pack_rules(pack: EntryPoint) -> Iterator[Rule]:
    try:
        package = pack.load()
    except Exception as error:
        raise RuleError(
            f"the pack of rules {pack.name!r} ({pack.value}) does not import: {error}",
            hint=f"reinstall or remove {pack.dist.name if pack.dist else pack.name}",
        ) from error
    for module in _modules(package):
        for value in vars(module).values():
            if isinstance(value, Rule) and value.check.__module__ == module.__name__:
                yield value


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
        try:
            yield import_module(found.name)
        except RuleError:
            raise
        except Exception as error:
            raise RuleError(f"the rule module {found.name} does not import: {error!r}") from error
