"""The rules of all installed packs."""

import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from types import ModuleType
from typing import Final

from lambdalint.engine.cache import Cache, digest
from lambdalint.errors import RuleError, UsageError
from lambdalint.rule import Rule

ENTRY_POINT_GROUP: Final = "lambdalint.rules"


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """A rule of which only the names are known, and the module that it is in."""

    module: str
    code: str
    name: str
    family: str
    covers: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Registry:
    """Rules in the order of their codes; *others* are there as well, and are not loaded."""

    rules: tuple[Rule, ...]
    others: tuple[Listed, ...] = ()

    @staticmethod
    def load_some(names: Sequence[str], cache: Cache, version: str) -> "Registry":
        """The rules of these families and codes; *cache* has where they are, for one *version* of all packs.

        Raises:
            RuleError: as :meth:`load` does.
        """
        key = digest("rules", version)
        listed = cache.get(key)
        if not isinstance(listed, tuple):
            registry = Registry.load()
            cache.put(key, tuple(map(_listed, registry.rules)))
            return registry
        wanted = [each for each in listed if each.code in names or each.family in names]
        modules = {each.module: None for each in wanted}
        loaded = Registry.of(rule for module in modules for rule in _rules_in(_imported(module)))
        codes = {rule.code for rule in loaded.rules}
        return Registry(loaded.rules, tuple(each for each in listed if each.code not in codes))

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

    @property
    def all(self) -> tuple[Rule | Listed, ...]:
        """All rules that there are, loaded or not."""
        return (*self.rules, *self.others)

    def find(self, text: str) -> tuple[Rule, ...]:
        """The rules that *text* means: a code, a name, a family, or the id of a peer's rule (``checkov:CKV_AWS_116``).

        There may be none where only others are meant.

        Raises:
            UsageError: nothing is called so.
        """
        meant = {each.code for each in self.meant(text)}
        return tuple(rule for rule in self.rules if rule.code in meant)

    def meant(self, text: str) -> tuple[Rule | Listed, ...]:
        """What :meth:`find` gives, and the others."""
        found = tuple(rule for rule in self.all if text in (rule.code, rule.name, rule.family) or text in rule.covers)
        if found:
            return found
        if ":" in text:
            hint = "`lambdalint rules --output-format json` shows what each covers"
            raise UsageError(f"no rule covers {text!r}", hint=hint)
        from difflib import get_close_matches

        names = [key for rule in self.all for key in (rule.code, rule.name, rule.family)]
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
        yield from _rules_in(module)


def _rules_in(module: ModuleType) -> Iterator[Rule]:
    for value in vars(module).values():
        if isinstance(value, Rule) and value.check.__module__ == module.__name__:
            yield value


def _listed(rule: Rule) -> Listed:
    return Listed(rule.check.__module__, rule.code, rule.name, rule.family, tuple(rule.covers))


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
        yield _imported(found.name)


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except RuleError:
        raise
    except Exception as error:
        raise RuleError(f"the rule module {name} does not import: {error!r}") from error
