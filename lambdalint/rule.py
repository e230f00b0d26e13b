"""All that a rule author imports.

A rule is a function with the decorator ``rule``.  The type of its first parameter says what the rule is about; the
types of the others say what it wants to know: a fact, a fact of every module (``PerModule[Fact]``), or what the
subject belongs to (``Function``, ``Project``).  It yields a ``Problem`` for each place where the pattern is found.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Final, Literal, TypeAlias, get_args, get_origin

from lambdalint.errors import LambdalintError, RuleError
from lambdalint.facts.per_module import PerModule
from lambdalint.model.artifact import Artifact, ArtifactKind, Damage, Entry, Record, RecordKind
from lambdalint.model.boot import Measured
from lambdalint.model.changes import (
    AddEndpoint,
    AddParameter,
    AnswerFailures,
    AwaitByWaiter,
    AwaitHandler,
    BoundCache,
    CollectFailures,
    DefaultInBody,
    DropCall,
    HandleRecords,
    HideException,
    LoadOnce,
    MoveImport,
    MoveIntoFunction,
    MoveToModule,
    Paginate,
    PrefixText,
    ReadAbsent,
    ReadKeys,
    Refer,
    RenameItem,
    RenameKey,
    Replace,
    ReturnEvent,
    Rewrite,
    SetArgument,
    SetProperty,
    UseTemporary,
    Wrap,
)
from lambdalint.model.dockerfile import Instruction, Stage, Word
from lambdalint.model.finding import (
    Applicability,
    Confidence,
    Edit,
    Fix,
    Problem,
    Profile,
    Related,
    Severity,
)
from lambdalint.model.function import (
    Code,
    CodeKind,
    Function,
    Handler,
    Handling,
    Invocation,
    Layer,
    Permission,
    Trigger,
    TriggerKind,
)
from lambdalint.model.image import Image, ImageKind, ImageLayer, Recipe
from lambdalint.model.network import Endpoint, Network, Route, RouteTable, RouteTarget, Subnet
from lambdalint.model.places import Member, Place, Span
from lambdalint.model.project import Module, Project
from lambdalint.model.source import Source
from lambdalint.model.template import Dialect, Resource, Template
from lambdalint.model.values import Known, Properties, Property, Reference, Unknown, Value

__all__ = [
    "AddEndpoint",
    "AddParameter",
    "AnswerFailures",
    "Applicability",
    "Artifact",
    "ArtifactKind",
    "AwaitByWaiter",
    "AwaitHandler",
    "BoundCache",
    "Code",
    "CodeKind",
    "CollectFailures",
    "Confidence",
    "Content",
    "Damage",
    "DefaultInBody",
    "Dialect",
    "DropCall",
    "Edit",
    "Endpoint",
    "Entry",
    "Fix",
    "Function",
    "HandleRecords",
    "Handler",
    "Handling",
    "HideException",
    "Image",
    "ImageKind",
    "ImageLayer",
    "Instruction",
    "Invocation",
    "Known",
    "LambdalintError",
    "Layer",
    "LoadOnce",
    "Measured",
    "Member",
    "Module",
    "MoveImport",
    "MoveIntoFunction",
    "MoveToModule",
    "Network",
    "Paginate",
    "PerModule",
    "Permission",
    "Place",
    "PrefixText",
    "Problem",
    "Problems",
    "Profile",
    "Project",
    "Properties",
    "Property",
    "ReadAbsent",
    "ReadKeys",
    "Recipe",
    "Record",
    "RecordKind",
    "Refer",
    "Reference",
    "Related",
    "RenameItem",
    "RenameKey",
    "Replace",
    "Resource",
    "ReturnEvent",
    "Rewrite",
    "Route",
    "RouteTable",
    "RouteTarget",
    "Rule",
    "SetArgument",
    "SetProperty",
    "Severity",
    "Source",
    "Span",
    "Stage",
    "Subnet",
    "Template",
    "Trigger",
    "TriggerKind",
    "Unknown",
    "UseTemporary",
    "Value",
    "Word",
    "Wrap",
    "rule",
]

Problems: TypeAlias = Iterator[Problem]
Fixable: TypeAlias = Literal["none", "safe", "unsafe"]

#: A file of an example.  A callable is asked only when the example is run or shown: loading a rule stays cheap.
Content: TypeAlias = str | bytes | Callable[[], bytes]

#: A small whole project: path to content.
Example: TypeAlias = Mapping[str, Content]

SUBJECTS: Final[tuple[type, ...]] = (
    Function,
    Module,
    Trigger,
    Permission,
    Resource,
    Template,
    Artifact,
    Layer,
    Image,
    Project,
)

#: What a rule on each subject may ask for besides facts: the things it belongs to.
SURROUNDINGS: Final[Mapping[type, tuple[type, ...]]] = {
    Function: (Function, Project),
    Module: (Module, Project),
    Trigger: (Trigger, Function, Project),
    Permission: (Permission, Project),
    Resource: (Resource, Template, Project),
    Template: (Template, Project),
    Artifact: (Artifact, Project),
    Layer: (Layer, Project),
    Image: (Image, Project),
    Project: (Project,),
}


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule with its check, its documentation and its examples."""

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    profile: Profile
    fix: Fixable
    since: str
    covers: tuple[str, ...]
    subject: type
    wants: Mapping[str, Any]
    bad: tuple[Example, ...] = field(repr=False)
    good: tuple[Example, ...] = field(repr=False)
    documentation: str = field(repr=False)
    file: str = field(repr=False)
    line: int = field(repr=False)
    check: Callable[..., Iterable[Problem]] = field(repr=False)

    def __reduce__(self) -> tuple[Callable[[str, str], "Rule"], tuple[str, str]]:
        return _rule_in, (self.check.__module__, self.check.__name__)

    @property
    def family(self) -> str:
        """The two letters of the code."""
        return self.code[:2]

    @property
    def summary(self) -> str:
        """The first sentence of the rule's documentation."""
        return " ".join(self.documentation.partition("\n\n")[0].split())

    @property
    def source(self) -> str:
        """The page that proves the rule."""
        return self.documentation.rpartition("Source: ")[2].split()[0] if "Source: " in self.documentation else ""

    @property
    def url(self) -> str:
        """Where to read more: the page that proves the rule."""
        return self.source


def rule(
    code: str,
    name: str,
    *,
    severity: Severity,
    since: str,
    bad: Example | tuple[Example, ...],
    good: Example | tuple[Example, ...],
    confidence: Confidence = Confidence.HIGH,
    profile: Profile = Profile.DEFAULT,
    fix: Fixable = "none",
    covers: tuple[str, ...] = (),
) -> Callable[[Callable[..., Iterable[Problem]]], Rule]:
    """Make a rule of a check; its documentation is the docstring of the module that it stands in.

    Raises:
        RuleError: the check asks for something that a rule on its subject cannot have.
    """

    def make(check: Callable[..., Iterable[Problem]]) -> Rule:
        subject, wants = _signature(check)
        return Rule(
            code=code,
            name=name,
            severity=severity,
            confidence=confidence,
            profile=profile,
            fix=fix,
            since=since,
            covers=covers,
            subject=subject,
            wants=wants,
            bad=bad if isinstance(bad, tuple) else (bad,),
            good=good if isinstance(good, tuple) else (good,),
            documentation=inspect.cleandoc(sys.modules[check.__module__].__doc__ or ""),
            file=check.__code__.co_filename,
            line=check.__code__.co_firstlineno,
            check=check,
        )

    return make


def example_files(example: Example) -> dict[str, str | bytes]:
    """The files of *example*, with what was to be made on demand made."""
    return {path: content() if callable(content) else content for path, content in example.items()}


@cache
def scope_of(fact: type) -> type:
    """What a fact is about: one of the subjects, ``Project`` if it needs nothing narrower.

    Raises:
        RuleError: the fact has no ``of``, or ``of`` asks for things that never come together.
    """
    return _scope_of(fact, ())


@cache
def fact_wants(fact: type) -> Mapping[str, Any]:
    """The annotated parameters of a fact's ``of``, without ``cls``.

    Raises:
        RuleError: there is no classmethod ``of``, or one of its parameters is not annotated.
    """
    of = inspect.getattr_static(fact, "of", None)
    if not isinstance(of, classmethod):
        raise RuleError(f"{fact.__module__}.{fact.__qualname__} is no fact: it has no classmethod of()")
    return _annotations(of.__func__, skip=1)


def _scope_of(fact: type, asked: tuple[type, ...]) -> type:
    if fact in asked:
        chain = " → ".join(each.__name__ for each in (*asked, fact))
        raise RuleError(f"facts ask for each other in a circle: {chain}")
    scopes: set[type] = set()
    for wanted in fact_wants(fact).values():
        if wanted in (ast.Module, Source):
            scopes.add(Module)
        elif get_origin(wanted) is PerModule:
            scopes.add(Project)
        elif wanted in SUBJECTS:
            scopes.add(wanted)
        else:
            scopes.add(_scope_of(wanted, (*asked, fact)))
    narrow = scopes - {Project}
    if Trigger in narrow:
        narrow.discard(Function)
    if len(narrow) > 1:
        names = ", ".join(sorted(each.__name__ for each in narrow))
        raise RuleError(f"{fact.__module__}.{fact.__qualname__}.of() mixes {names}")
    return narrow.pop() if narrow else Project


def _signature(check: Callable[..., Any]) -> tuple[type, Mapping[str, Any]]:
    where = f"{check.__code__.co_filename}:{check.__code__.co_firstlineno}"
    wants = _annotations(check)
    if not wants:
        raise RuleError(f"{where}: a rule needs a first parameter, whose type says what it is about")
    subject = next(iter(wants.values()))
    if subject not in SUBJECTS:
        choices = ", ".join(each.__name__ for each in SUBJECTS)
        raise RuleError(f"{where}: {subject!r} is no subject of a rule", hint=f"the subjects are {choices}")
    for parameter, wanted in wants.items():
        if wanted in SURROUNDINGS[subject]:
            continue
        fact = get_args(wanted)[0] if get_origin(wanted) is PerModule else wanted
        expected = Module if get_origin(wanted) is PerModule else None
        if not isinstance(fact, type):
            raise RuleError(f"{where}: parameter {parameter!r} asks for {wanted!r}, which is no fact")
        try:
            scope = scope_of(fact)
        except RuleError as error:
            raise RuleError(f"{where}: parameter {parameter!r}: {error.message}", hint=error.hint) from error
        allowed = (expected,) if expected else SURROUNDINGS[subject]
        if scope not in allowed:
            hint = f"ask for PerModule[{fact.__name__}]" if scope is Module else None
            raise RuleError(
                f"{where}: parameter {parameter!r} asks for {fact.__name__}, a fact about one {scope.__name__}; "
                f"the rule is about a {subject.__name__}",
                hint=hint,
            )
    return subject, wants


def _rule_in(module: str, name: str) -> Rule:
    """The rule that another process means: its examples and code are there already, and need no sending."""
    found: Rule = getattr(import_module(module), name)
    return found


def _annotations(function: Callable[..., Any], skip: int = 0) -> Mapping[str, Any]:
    code = function.__code__
    names = code.co_varnames[skip : code.co_argcount + code.co_kwonlyargcount]
    missing = [name for name in names if name not in function.__annotations__]
    if missing:
        raise RuleError(f"{code.co_filename}:{code.co_firstlineno}: parameter {missing[0]!r} has no type")
    return {name: function.__annotations__[name] for name in names}
