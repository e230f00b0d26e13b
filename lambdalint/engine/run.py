"""A check: find, join, ask the rules, sort what they say."""

import gc
import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from time import perf_counter
from typing import Any, Final

from lambdalint.engine.answers import Answers, things_around
from lambdalint.engine.cache import Cache, digest
from lambdalint.engine.contents import Contents
from lambdalint.engine.describe import described
from lambdalint.engine.embedded import Embedded
from lambdalint.engine.executors import Executor
from lambdalint.engine.messages import (
    CRASHED_RULE,
    FAMILY,
    NEWER_GRAMMAR,
    SYNTAX_ERROR,
    UNREADABLE_INPUT,
    UNUSED_IGNORE,
    Message,
)
from lambdalint.engine.modules import Crash, Modules, Unparsed, is_pure, module_facts
from lambdalint.engine.planned import Planned, with_plans
from lambdalint.engine.registry import Registry
from lambdalint.engine.result import Failure, Result, Summary
from lambdalint.engine.select import Selection, quieted, selected
from lambdalint.engine.suppress import Suppressions
from lambdalint.errors import UnreadableInput
from lambdalint.facts.imports import Imports
from lambdalint.facts.outline import Outline
from lambdalint.facts.reach import Reach
from lambdalint.facts.scopes import Scopes
from lambdalint.facts.symbols import Symbols
from lambdalint.join.discover import Discovered, discover
from lambdalint.join.inputs import Inputs
from lambdalint.join.link import link
from lambdalint.model.artifact import Artifact
from lambdalint.model.finding import Confidence, Finding, Problem, Severity
from lambdalint.model.function import Evidence, Function, Layer, Trigger
from lambdalint.model.image import Image, ImageKind
from lambdalint.model.places import Span
from lambdalint.model.project import Module, Project
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Mounted, Tree
from lambdalint.rule import Rule

#: Facts that joining and filtering need, whatever rules run.
_OWN_FACTS: Final = (Symbols, Imports, Scopes, Reach)

#: The rule that says why an archive cannot be unpacked.
_OF_DAMAGES: Final = "LZ001"
#: The one that says which layers of an image Lambda refuses.
_OF_LAYERS: Final = "LO003"

#: How sure a finding can be about a function that nobody declares: with little confidence nothing is an error.
_SUREST: Final = {Evidence.FRAMEWORK: Confidence.MEDIUM, Evidence.SIGNATURE: Confidence.LOW}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run: what to look for, by which day, what not to look at.

    The patterns of *per_path_ignores* and *exclude* are git's, relative to the folder *base* of the tree.
    """

    selection: Selection = field(default_factory=Selection)
    min_confidence: Confidence = Confidence.LOW
    per_path_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    honour_foreign_ignores: bool = True
    exclude: tuple[str, ...] = ()
    base: str = ""
    inputs: Inputs = field(default_factory=Inputs)
    today: date


@dataclass(slots=True)
class _Findings:
    """What a run has found so far."""

    findings: list[Finding] = field(default_factory=list)

    def say(
        self,
        message: Message,
        at: Span,
        text: str,
        hint: str | None = None,
        confidence: Confidence = Confidence.HIGH,
    ) -> None:
        """Add a finding of the engine's own."""
        self.findings.append(_said(message, at, text, hint, confidence))


def _codes(registry: Registry, names: Iterable[str]) -> tuple[str, ...]:
    """The codes of the rules that *names* mean.

    Raises:
        UsageError: nothing is called so.
    """
    return tuple(sorted({rule.code for name in names for rule in registry.meant(name)}))


def _said(
    message: Message, at: Span, text: str, hint: str | None = None, confidence: Confidence = Confidence.HIGH
) -> Finding:
    severity = _at_most(message.severity, confidence)
    return Finding(message.code, message.name, severity, confidence, text, at, hint=hint)


def _surest(functions: Iterable[Function]) -> Confidence:
    """How sure a finding can be that is about any of *functions*; high for none."""
    found = [_SUREST.get(each.evidence, Confidence.HIGH) for each in functions]
    return min(found, key=lambda each: each.rank, default=Confidence.HIGH)


def _at_most(severity: Severity, confidence: Confidence) -> Severity:
    return Severity.WARNING if severity is Severity.ERROR and confidence is Confidence.LOW else severity


def run(
    tree: Tree,
    paths: Sequence[str],
    options: Options,
    registry: Registry,
    *,
    cache: Cache,
    executor: Executor,
    version: str,
    shown: Callable[[str], str] = str,
    plans: Callable[[Project], Planned] | None = None,
) -> Result:
    """Check what is under *paths*.

    *plans* gives what is not written yet for the project as it is joined; each artifact takes the place of the source
    folder of its function or layer.
    """
    started = perf_counter()
    with _paused_collection():
        return _Run(tree, options, registry, cache, executor, version, shown).result(paths, plans, started)


def join(tree: Tree, paths: Sequence[str], options: Options, *, cache: Cache, executor: Executor) -> Project:
    """The project under *paths*, without asking any rule about it."""
    _, project = _Run(tree, options, Registry(()), cache, executor, "", str).joined(paths)
    return project


class _Run:
    def __init__(
        self,
        tree: Tree,
        options: Options,
        registry: Registry,
        cache: Cache,
        executor: Executor,
        version: str,
        shown: Callable[[str], str],
    ) -> None:
        self.base = tree
        self.tree = Mounted(tree)
        self.options = options
        self.registry = registry
        self.shown = shown
        self.rules = selected(registry, options.selection)
        self.per_path = {pattern: _codes(registry, names) for pattern, names in options.per_path_ignores.items()}
        facts = module_facts(self.rules, _OWN_FACTS)
        pure = [rule.code for rule in self.rules if is_pure(rule)]
        names = [f"{fact.__module__}.{fact.__qualname__}" for fact in facts]
        key = digest(version, *map(str, sys.version_info[:2]), *pure, "|", *names)
        self.modules = Modules(self.tree, self.rules, facts, cache, key, executor)
        self.answers = Answers(self.modules.fact)
        self.contents = Contents(cache, version)
        self.found = _Findings()
        self.crashes: list[Crash] = []
        self.damaged: tuple[str, ...] = ()
        self.packed: tuple[str, ...] = ()

    def result(self, paths: Sequence[str], plans: Callable[[Project], Planned] | None, started: float) -> Result:
        discovered, project = self.joined(paths)
        if plans:
            project = with_plans(project, self.contents.of_plans(plans(project)))
        self.packed = tuple(image.path for image in project.images if image.kind is not ImageKind.DOCKERFILE)
        self._damages(project)
        for failure in discovered.failures:
            self._unreadable(failure)
        self._ask(project)
        self.contents.keep()
        self._module_findings(project)
        self._crashes()
        embedded = Embedded.of(project, self._read_text)
        findings = [self._mendable(embedded.placed(finding), discovered) for finding in self.found.findings]
        kept, suppressed = self._kept(findings, project)
        kept = _fingerprinted(_unique(kept), self._read_text)
        counts = Counter(finding.severity for finding in kept)
        failures = [
            Failure(each.path, each.message, each.hint)
            for each in kept
            if each.code.startswith(FAMILY) and each.severity is Severity.ERROR
        ]
        if not project.functions and not failures and not discovered.artifacts:
            hint = (
                "give the folder of a SAM, CloudFormation, Terraform, Serverless Framework or CDK project, "
                "or name the handlers in the configuration"
            )
            failures.append(Failure(paths[0] or ".", "no Lambda function is declared here", hint))
        return Result(
            findings=tuple(kept),
            functions=tuple(described(function) for function in project.functions),
            failures=tuple(failures),
            notes=project.notes,
            summary=Summary(
                files=len(project.templates) + len(project.modules),
                functions=len(project.functions),
                errors=counts[Severity.ERROR],
                warnings=counts[Severity.WARNING],
                infos=counts[Severity.INFO],
                suppressed=suppressed,
                seconds=perf_counter() - started,
            ),
            read_text=self._read_text,
            shown=self.shown,
        )

    def joined(self, paths: Sequence[str]) -> tuple[Discovered, Project]:
        """What is under *paths*, and the project that it makes."""
        discovered = discover(
            self.tree,
            paths,
            self.options.exclude,
            self.options.base,
            unpacked=self.options.inputs.artifacts is not None,
        )
        facts = (self.answers.per_module(Symbols), self.answers.per_module(Imports), self.answers.per_module(Outline))
        options = self.options
        return discovered, link(self.tree, discovered, *facts, options.today, options.inputs)

    def _mendable(self, finding: Finding, discovered: Discovered) -> Finding:
        """*finding* without its fix where that would have to be made in an archive."""
        path = finding.at.path
        if finding.fix is None or (self.base.is_file(path) and path not in (*discovered.artifacts, *self.packed)):
            return finding
        return replace(finding, fix=None)

    def _damages(self, project: Project) -> None:
        """Remember the artifacts that are not whole, and say so where no rule does; of images likewise."""
        damages = {artifact.path: artifact.damages for artifact in project.artifacts if artifact.damages}
        self.damaged = tuple(damages)
        if not any(rule.code == _OF_DAMAGES for rule in self.rules):
            for path, of_one in damages.items():
                for damage in of_one:
                    self.found.say(UNREADABLE_INPUT, Span.whole(path), damage.message, damage.hint)
        self._unread_layers(project)

    def _unread_layers(self, project: Project) -> None:
        """Say which layers of images nobody could look into, where no rule does."""
        is_judged = any(rule.code == _OF_LAYERS for rule in self.rules)
        for image in project.images:
            for number, layer in enumerate(image.layers, start=1):
                # Of the form itself the rule says only what Lambda makes of it.
                if layer.damages and (not is_judged or layer.packing == "zstd"):
                    text = f"layer {number} was not looked into: {layer.damages[0]}"
                    self.found.say(UNREADABLE_INPUT, image.place, text, "build or copy it anew, with layers as gzip")

    def _is_damaged(self, path: str) -> bool:
        """Whether it was said already that *path*, or the archive it is in, cannot be read."""
        return any(path == each or path.startswith(f"{each}/") for each in self.damaged)

    def _unreadable(self, failure: UnreadableInput) -> None:
        if self._is_damaged(failure.path):
            return
        at = Span(failure.path, failure.line, failure.column, failure.line, failure.column)
        self.found.say(UNREADABLE_INPUT, at, failure.message, failure.hint)

    def _ask(self, project: Project) -> None:
        """Run the rules that look at more than one module."""
        rules: dict[type, list[Rule]] = {}
        for rule in self.rules:
            if not is_pure(rule):
                rules.setdefault(rule.subject, []).append(rule)
        around: Function | None = None
        for subject, things, function in _subjects(project):
            if around is not None and things.get(Function) is not around:
                # What is known of one function holds on to what is known of all code that it reaches.
                self.answers.forget(around, but=Reach)
            around = things.get(Function)
            if subject is Module and not self.modules.is_read(things[Module].path):
                continue
            for rule in rules.get(subject, ()):
                self._run_rule(rule, things, function)

    def _run_rule(self, rule: Rule, things: Mapping[type, Any], function: Function | None) -> None:
        try:
            arguments = [self.answers.wanted(wanted, things) for wanted in rule.wants.values()]
            problems = list(rule.check(*arguments))
        except UnreadableInput as failure:
            self._unreadable(failure)
        except Exception as error:
            subject = things[rule.subject]
            name = getattr(subject, "name", None) or getattr(subject, "path", rule.subject.__name__)
            place = (function.template or function.span.path) if function else str(name)
            self.crashes.append(Crash(rule.name, place, f"{type(error).__name__}: {error}"))
        else:
            if rule.subject is Module:
                self._reached(rule, things[Module].path, problems, things[Project])
                return
            self.found.findings += [_finding(rule, problem, function) for problem in problems]

    def _module_findings(self, project: Project) -> None:
        """What the modules that some handler loads gave by themselves."""
        by_code = {rule.code: rule for rule in self.rules}
        for module in project.modules:
            checked = self.modules.checked(module.path)
            self.crashes += checked.crashes
            if checked.unparsed:
                self._unparsed(checked.unparsed, _surest(self._loaders(project).get(module.path, ())))
            grouped: dict[str, list[Problem]] = {}
            for code, problem in checked.problems:
                grouped.setdefault(code, []).append(problem)
            for code, problems in grouped.items():
                self._reached(by_code[code], module.path, problems, project)

    def _unparsed(self, unparsed: Unparsed, confidence: Confidence) -> None:
        if unparsed.newer:
            running = f"{sys.version_info.major}.{sys.version_info.minor}"
            text = f"this needs a newer parser than Python {running} has; the module was not looked at"
            self.found.say(NEWER_GRAMMAR, unparsed.at, text, "run lambdalint with the newest Python", confidence)
        elif not unparsed.unread:
            self.found.say(SYNTAX_ERROR, unparsed.at, unparsed.message, confidence=confidence)
        elif not self._is_damaged(unparsed.at.path):
            self.found.say(UNREADABLE_INPUT, unparsed.at, unparsed.message, confidence=confidence)

    def _reached(self, rule: Rule, path: str, problems: Iterable[Problem], project: Project) -> None:
        """Keep the problems in code that some handler reaches; one function stands for all that do."""
        scopes = self.modules.fact(path, Scopes)
        for problem in problems:
            if not isinstance(problem.at, Span) or scopes is None:
                continue
            scope = "" if problem.function else scopes.at(problem.at.line)
            for function in self._loaders(project).get(path, ()):
                if problem.function not in (None, function):
                    continue
                reach: Reach = self.answers.wanted(Reach, things_around(project, function))
                if (path, scope) in reach.init or (path, scope) in reach.invoke:
                    self.found.findings.append(_finding(rule, problem, function))
                    break

    def _loaders(self, project: Project) -> Mapping[str, tuple[Function, ...]]:
        if not hasattr(self, "_loaded"):
            self._loaded = project.loaders()
        return self._loaded

    def _crashes(self) -> None:
        for crash in dict.fromkeys(self.crashes):
            text = f"{crash.rule} crashed on {crash.subject}: {crash.error}"
            hint = "please report it; what the other rules found still holds"
            self.found.say(CRASHED_RULE, Span.whole(crash.subject), text, hint)

    def _kept(self, findings: list[Finding], project: Project) -> tuple[list[Finding], int]:
        options = self.options
        suppressions = Suppressions(
            self._read_text,
            project.templates,
            self.per_path,
            options.base,
            options.honour_foreign_ignores,
            project.functions,
        )
        quiet = quieted(options.selection.ignore)
        kept = []
        silenced = 0
        for finding in findings:
            if finding.confidence.rank > options.min_confidence.rank:
                continue
            if finding.code.startswith(FAMILY):
                kept.append(finding)
            elif suppressions.silences(finding):
                silenced += 1
            else:
                kept.append(finding)
        judged = [template.path for template in project.templates]
        judged += [module.path for module in project.modules if self.modules.is_read(module.path)]
        for at, text in suppressions.unused(judged, self._running):
            kept.append(_said(UNUSED_IGNORE, at, text))
        return [each for each in kept if each.code not in quiet], silenced

    def _running(self, name: str) -> bool | None:
        meant = [rule for rule in self.registry.all if name in (rule.code, rule.name, rule.family)]
        return any(rule in self.rules for rule in meant) if meant else None

    def _read_text(self, path: str) -> str | None:
        try:
            return decoded(self.tree.read(path), path)
        except UnreadableInput:
            return None


def _subjects(project: Project) -> Iterator[tuple[type, Mapping[type, Any], Function | None]]:
    """Everything a rule can be about, with what surrounds it."""
    yield Project, things_around(project), None
    for function in project.functions:
        yield Function, things_around(project, function), function
        for trigger in function.triggers:
            yield Trigger, things_around(project, function, trigger), function
        for permission in function.permissions:
            yield type(permission), things_around(project, permission), function
    for permission in project.permissions:
        if permission.function is None:
            yield type(permission), things_around(project, permission), None
    for template in project.templates:
        yield type(template), things_around(project, template), None
        for resource in template.resources.values():
            yield type(resource), things_around(project, template, resource), None
    for layer in project.layers:
        yield Layer, things_around(project, layer), None
    owners = {id(function.artifact): function for function in project.functions if function.artifact}
    for artifact in project.artifacts:
        owner = owners.get(id(artifact)) if artifact.system is None else _named(project, artifact)
        yield Artifact, things_around(project, artifact), owner
    for image in project.images:
        yield Image, things_around(project, image), _running(project, image)
    for module in project.modules:
        yield Module, things_around(project, module), None


def _named(project: Project, artifact: Artifact) -> Function | None:
    """The function that runs the image of which *artifact* is a part."""
    return next((function for function in project.functions if function.name == artifact.function), None)


def _running(project: Project, image: Image) -> Function | None:
    """The function that runs *image*; of those of one name, the one that names it at its place."""
    named = [function for function in project.functions if function.name == image.function]
    at_place = (function for function in named if function.code and function.code.span == image.source)
    return next(at_place, named[0] if named else None)


def _finding(rule: Rule, problem: Problem, function: Function | None) -> Finding:
    confidence = problem.confidence or rule.confidence
    if function is not None:
        confidence = max(confidence, _surest((function,)), key=lambda each: each.rank)
    severity = _at_most(problem.severity or rule.severity, confidence)
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=severity,
        confidence=confidence,
        message=problem.message,
        at=problem.at,
        function=function.name if function else None,
        template=function.template if function else None,
        related=problem.related,
        fix=problem.fix,
        hint=problem.hint,
        secret=problem.secret,
        url=rule.url,
        covers=rule.covers,
    )


def _unique(findings: list[Finding]) -> list[Finding]:
    """Sorted by place; what is said twice of one place, by several functions that share it, is said once.

    The surest of them is kept.
    """

    def place(finding: Finding) -> tuple[Any, ...]:
        at = finding.at
        where = (at.line, at.column, "") if isinstance(at, Span) else (0, 0, at.entry)
        return at.path, *where, finding.code, finding.message, finding.confidence.rank, finding.function or ""

    kept: dict[tuple[Any, ...], Finding] = {}
    for finding in sorted(findings, key=place):
        kept.setdefault((finding.at, finding.code, finding.message), finding)
    return list(kept.values())


def _fingerprinted(findings: list[Finding], read_text: Callable[[str], str | None]) -> list[Finding]:
    """Findings that are recognised when their line moves: by rule, function, file and the text of the line."""
    lines: dict[str, list[str]] = {}
    seen: Counter[str] = Counter()
    done = []
    for finding in findings:
        at = finding.at
        if isinstance(at, Span):
            if at.path not in lines:
                lines[at.path] = (read_text(at.path) or "").splitlines()
            text = "".join(lines[at.path][at.line - 1].split()) if at.line <= len(lines[at.path]) else ""
        else:
            text = at.entry
        base = digest(finding.code, finding.function or "", at.path, text)
        fingerprint = hashlib.sha256(f"{base} {seen[base]}".encode()).hexdigest()[:16]
        seen[base] += 1
        done.append(replace(finding, fingerprint=fingerprint))
    return done


@contextmanager
def _paused_collection() -> Iterator[None]:
    """Trees and nodes have no cycles; looking for some takes longer than building them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
