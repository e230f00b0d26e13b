"""One Python module: parsed once, its facts worked out, the rules about modules run on it."""

import ast
import sys
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar, get_args, get_origin

from lambdalint.engine.answers import ModuleAnswers
from lambdalint.engine.cache import Cache, digest
from lambdalint.engine.executors import Executor
from lambdalint.engine.shelf import Shelf
from lambdalint.errors import UnreadableInput
from lambdalint.facts.per_module import PerModule
from lambdalint.model.finding import Problem
from lambdalint.model.places import Span
from lambdalint.model.project import Module
from lambdalint.model.source import Source
from lambdalint.readers.tree import Tree
from lambdalint.rule import Rule, fact_wants, scope_of

F = TypeVar("F")

#: More parts than any import has.
MAX_NAME_PARTS: Final = 1_000
#: What somebody writes by hand is smaller; what is larger is data, and would take seconds to parse.
MAX_MODULE_BYTES: Final = 2 * 1024 * 1024
_NEWER_TIMEOUT_S: Final = 5
_NEWER_BYTES: Final = 2 * 1024 * 1024 * 1024

# Deep nesting overflows the stack of a newer parser, or fills the memory; nothing in a process survives that.
_NEWER: Final = f"""\
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, ({_NEWER_BYTES}, {_NEWER_BYTES}))
except (ImportError, OSError, ValueError):
    pass
import libcst
libcst.parse_module(sys.stdin.buffer.read())
"""


@dataclass(frozen=True, slots=True)
class Unparsed:
    """Why a module has no syntax tree.

    *newer* says that a newer Python could read it, *unread* that its text was never seen.
    """

    message: str
    at: Span
    newer: bool = False
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Crash:
    """A rule that raised instead of answering."""

    rule: str
    subject: str
    error: str


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """What one module gave: problems by the rule's code, facts by their type, or why it gave none."""

    problems: tuple[tuple[str, Problem], ...] = ()
    facts: Mapping[type, Any] | None = None
    crashes: tuple[Crash, ...] = ()
    unparsed: Unparsed | None = None


def module_facts(rules: Iterable[Rule], own: Iterable[type]) -> tuple[type, ...]:
    """The facts about single modules that *rules*, and the facts *own* of the engine, come to ask for."""
    found: dict[type, None] = {}

    def ask(wanted: Any, inside_module: bool) -> None:
        if get_origin(wanted) is PerModule:
            ask(get_args(wanted)[0], inside_module=False)
        elif hasattr(wanted, "of"):
            about_module = scope_of(wanted) is Module
            if about_module and not inside_module:
                found.setdefault(wanted)
            if not about_module:
                for each in fact_wants(wanted).values():
                    ask(each, inside_module=False)

    for fact in own:
        ask(fact, inside_module=False)
    for rule in rules:
        for wanted in rule.wants.values():
            ask(wanted, inside_module=is_pure(rule))
    return tuple(found)


def is_pure(rule: Rule) -> bool:
    """Whether a rule looks at one module and nothing else."""
    return rule.subject is Module and all(
        wanted is Module or (isinstance(wanted, type) and hasattr(wanted, "of") and scope_of(wanted) is Module)
        for wanted in rule.wants.values()
    )


def check_module(path: str, data: bytes, rules: tuple[Rule, ...], facts: tuple[type, ...]) -> Checked:
    """Parse *data* and ask *rules* and *facts*; a pure function of its arguments."""
    try:
        tree = _parsed(path, data)
    except UnreadableInput as error:
        at = Span(path, error.line, error.column, error.line, error.column)
        # Only grammar is a matter of the parser's age: not encodings, nor the nesting or the numbers that it takes.
        grammar = isinstance(error.__cause__, SyntaxError) and not error.message.startswith("Exceeds the limit")
        newer = grammar and _is_newer(data)
        return Checked(unparsed=Unparsed(error.message, at, newer, unread=len(data) > MAX_MODULE_BYTES))
    source = Source(path, _text(data))
    answers = ModuleAnswers(tree, source)
    problems: list[tuple[str, Problem]] = []
    crashes: list[Crash] = []
    for rule in rules:
        try:
            problems += [
                (rule.code, problem) for problem in rule.check(*(answers.get(wanted) for wanted in rule.wants.values()))
            ]
        except Exception as error:
            crashes.append(Crash(rule.name, path, f"{type(error).__name__}: {error}"))
    known: dict[type, Any] = {}
    for fact in facts:
        try:
            known[fact] = answers.get(fact)
        except Exception as error:
            crashes.append(Crash(fact.__name__, path, f"{type(error).__name__}: {error}"))
    answers.take_apart()
    return Checked(tuple(problems), known, tuple(crashes))


class Modules:
    """The modules of a tree, each checked when it is first asked for, or remembered from an earlier run."""

    def __init__(
        self,
        tree: Tree,
        rules: tuple[Rule, ...],
        facts: tuple[type, ...],
        cache: Cache,
        version: str,
        executor: Executor,
    ) -> None:
        self._tree, self._cache, self._executor = tree, cache, executor
        self._rules = tuple(rule for rule in rules if is_pure(rule))
        self._facts = facts
        self._version = version
        self._checked: dict[str, Checked] = {}
        self._shelf = Shelf()

    def fact(self, path: str, fact: type[F]) -> F | None:
        """A fact of the module at *path*; ``None`` when there is none or it does not parse."""
        if path not in self._checked:
            self.prepare((path,))
        found: F | None = self._shelf.get(path, fact)
        return found

    def is_read(self, path: str) -> bool:
        """Whether the module at *path* is there and parses."""
        if path not in self._checked:
            self.prepare((path,))
        return path in self._shelf

    def checked(self, path: str) -> Checked:
        """What the module at *path* gives but for its facts."""
        if path not in self._checked:
            self.prepare((path,))
        return self._checked[path]

    def prepare(self, paths: Iterable[str]) -> None:
        """Check many modules at once, in the executor's processes where that pays."""
        work: list[tuple[str, bytes, str]] = []
        for path in dict.fromkeys(paths):
            if path in self._checked:
                continue
            if not self._tree.is_file(path):
                self._checked[path] = Checked()
                continue
            try:
                data = self._tree.read(path)
            except UnreadableInput as error:
                self._checked[path] = Checked(unparsed=Unparsed(error.message, Span.whole(path), unread=True))
                continue
            key = digest(self._version, path, data)
            remembered = self._cache.get(key)
            if isinstance(remembered, Checked):
                self._keep(path, remembered, len(data))
            else:
                work.append((path, data, key))
        job = _Job(self._rules, self._facts)
        for (path, data, key), checked in zip(work, self._executor.map(job, work), strict=True):
            self._keep(path, checked, len(data))
            if not checked.crashes:
                self._cache.put(key, checked)

    def _keep(self, path: str, checked: Checked, size: int) -> None:
        self._checked[path] = replace(checked, facts=None)
        if checked.facts is not None:
            self._shelf.put(path, checked.facts, size)


@dataclass(frozen=True, slots=True)
class _Job:
    """``check_module`` with what is the same for all modules; it can be sent to another process."""

    rules: tuple[Rule, ...]
    facts: tuple[type, ...]

    def __call__(self, work: tuple[str, bytes, str]) -> Checked:
        path, data, _ = work
        return check_module(path, data, self.rules, self.facts)


def _parsed(path: str, data: bytes) -> ast.Module:
    if len(data) > MAX_MODULE_BYTES:
        raise UnreadableInput(f"the module is larger than {MAX_MODULE_BYTES // 1024 // 1024} MB", path=path)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UnreadableInput("this is UTF-16; Python reads UTF-8 source", path=path)
    if b"\x00" in data:
        raise UnreadableInput("this is no Python source: it holds NUL bytes", path=path)
    # The parser keeps every beginning of a dotted name: 100,000 parts cost it gigabytes.
    long = (line for line in data.split(b"\n") if len(line) > MAX_NAME_PARTS)
    if any(line.count(b".") > MAX_NAME_PARTS and b"import" in line for line in long):
        raise UnreadableInput(f"a name of more than {MAX_NAME_PARTS:,} parts is imported", path=path)
    return _tree(path, data)


def _tree(path: str, data: bytes) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except SyntaxError as error:
        # A wrong encoding is a SyntaxError without a place.
        line, column = error.lineno or 1, max((error.offset or 1) - 1, 0)
        # The place says it, and in inline code the lines of the message are others.
        message = (error.msg or "invalid syntax").partition(" (detected at line")[0]
        raise UnreadableInput(message, path=path, line=line, column=column) from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableInput("the code nests too deeply to be parsed", path=path) from error
    except ValueError as error:
        raise UnreadableInput(str(error), path=path) from error


def _text(data: bytes) -> str:
    """The text that the parser saw; it has parsed, so the encoding is a sound one."""
    import io
    import tokenize

    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding)


def _is_newer(data: bytes) -> bool:
    """Whether a parser of newer Python takes what ours refuses."""
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-I", "-c", _NEWER],
            input=data,
            capture_output=True,
            timeout=_NEWER_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
