"""The rules of all installed packs."""

import pkgutil
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final

from lambdalint.errors import RuleError, UsageError
from lambdalint.rule import Rule

ENTRY_POINT_GROUP: Final = "lambdalint.rules"

#: How a module states a rule that it holds.
_STATED: Final = re.compile(rb"""@rule\(\s*"([A-Z]{2}\d{3})",\s*"([\w-]+)",""")


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """A rule of which only the names are known."""

    code: str
    name: str

    @property
    def family(self) -> str:
        """The two letters of the code."""
        return self.code[:2]


@dataclass(frozen=True, slots=True, eq=False)
class Registry:
    """Rules in the order of their codes; *others* are there as well, and are not loaded."""

    rules: tuple[Rule, ...]
    others: tuple[Listed, ...] = ()

    @staticmethod
    def load_some(names: Sequence[str]) -> "Registry":
        """The rules of these families and codes; the modules of others are read and not run.

        Raises:
            RuleError: as :meth:`load` does.
        """
        others: list[Listed] = []
        rules: list[Rule] = []
        for pack in _packs():
            package = _package(pack)
            rules += _rules_in(package)
            for name, place in _module_files(package):
                listed = _listed(place)
                if listed is None or any(each.code in names or each.family in names for each in listed):
                    rules += _rules_in(_imported(name))
                else:
                    others += listed
        return Registry(Registry.of(rules).rules, tuple(others))

    @staticmethod
    def load() -> "Registry":
        """The rules of every pack that an installed distribution announces.

        Raises:
            RuleError: there is no pack, a pack does not import, two rules share a code or a name, or a rule asks for
                something that it cannot have.
        """
        return Registry.of(rule for pack in _packs() for rule in _pack_rules(pack))

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
        found = tuple(rule for rule in self.all if text in (rule.code, rule.name, rule.family))
        found += tuple(rule for rule in self.rules if text in rule.covers)
        if found:
            return found
        if self.others:
            # What they cover is not known.
            return Registry.load().meant(text)
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


def _packs() -> tuple[EntryPoint, ...]:
    packs = installed_packs()
    if not packs:
        raise RuleError(
            "no pack of rules is installed, not even the built-in one",
            hint="install lambdalint itself (pip install lambdalint, or pip install -e . in a checkout)",
        )
    return packs


def _pack_rules(pack: EntryPoint) -> Iterator[Rule]:
    package = _package(pack)
    yield from _rules_in(package)
    for name, _ in _module_files(package):
        yield from _rules_in(_imported(name))


def _package(pack: EntryPoint) -> ModuleType:
    try:
        package: ModuleType = pack.load()
    except Exception as error:
        raise RuleError(
            f"the pack of rules {pack.name!r} ({pack.value}) does not import: {error}",
            hint=f"reinstall or remove {pack.dist.name if pack.dist else pack.name}",
        ) from error
    return package


def _rules_in(module: ModuleType) -> Iterator[Rule]:
    for value in vars(module).values():
        if isinstance(value, Rule) and value.check.__module__ == module.__name__:
            yield value


def _module_files(package: ModuleType) -> Iterator[tuple[str, Path | None]]:
    """The modules in *package*, with their files where they have any."""
    for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
        folder = getattr(found.module_finder, "path", None)
        inner = "/__init__.py" if found.ispkg else ".py"
        place = Path(folder, found.name.rpartition(".")[2] + inner) if folder else None
        yield found.name, place if place is not None and place.is_file() else None


def _listed(place: Path | None) -> list[Listed] | None:
    """The rules in the module in a file; ``None`` where its text does not show which they are."""
    text = place.read_bytes() if place else b"rule("
    stated = [Listed(code.decode(), name.decode()) for code, name in _STATED.findall(text)]
    return None if text.count(b"rule(") != len(stated) or b"rule as " in text else stated


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except RuleError:
        raise
    except Exception as error:
        raise RuleError(f"the rule module {name} does not import: {error!r}") from error
