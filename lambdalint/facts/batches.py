"""How a module treats the records of a batch: where it loops over them, and where it reports single failures."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.expressions import CallOf, Collection, EventPath, Expression, walk
from lambdalint.facts.names import Names
from lambdalint.facts.walk import Bound, Scope
from lambdalint.model.places import Span

#: Functions and methods of Powertools whose result reports single failures.
_RESPONSES: Final = ("process_partial_response", "async_process_partial_response")
_PROCESSORS: Final = ("BatchProcessor", "AsyncBatchProcessor")
_FAILURES: Final = "batchItemFailures"
_REPORTING: Final = (_FAILURES, *_RESPONSES, *_PROCESSORS)
#: What names the group of a message, in the event and in the data classes of Powertools.
_GROUPS: Final = ("MessageGroupId", "message_group_id")
_LISTS: Final = ("Records", "records")


@dataclass(frozen=True, slots=True)
class RecordLoop:
    """A loop over the records of the event.

    *span* is its head, *calls* are the places of the calls in its body that leave the handler when they fail: those
    not under a ``try`` of the loop's own whose handlers go on.  *body* is the place of its statements, and *ended*
    that of a ``return`` or ``break`` which leaves it in the first round, whatever happens.
    """

    scope: str
    span: Span
    calls: tuple[Span, ...]
    body: Span
    ended: Span | None = None


@dataclass(frozen=True, slots=True)
class Batches:
    """The loops over records, and by scope the place of what returns ``batchItemFailures``.

    *processed*: a batch processor of Powertools is used in the module.  *grouped*: it looks at the group of a message.
    """

    loops: tuple[RecordLoop, ...]
    reported: tuple[tuple[str, Span], ...]
    processed: bool
    grouped: bool = False

    @classmethod
    def of(cls, names: Names) -> "Batches":
        text = names.source.text
        # Most modules mention none of it, which is asked far sooner than what each return and loop is about.
        loops = _loops(names) if any(each in text for each in _LISTS) else ()
        reported = (
            (scope.owner.name, names.source.span(node))
            for node, scope, _ in (names.walk.returns if any(each in text for each in _REPORTING) else ())
            if node.value is not None and not _is_empty(node.value) and _reports(names.describe(node.value, scope))
        )
        processed = any(
            name is not None and name.rpartition(".")[2] in _RESPONSES + _PROCESSORS for name in names.by_name
        )
        grouped = any(group in text for group in _GROUPS)
        return cls(tuple(loops), tuple(reported), processed, grouped)


def _is_empty(value: ast.expr) -> bool:
    """Whether it is written out that nothing failed, which is true of code that raises otherwise."""
    return isinstance(value, ast.Dict) and all(isinstance(each, ast.List) and not each.elts for each in value.values)


def _reports(value: Expression) -> bool:
    for part in walk(value):
        if isinstance(part, Collection) and part.kind == "dict" and part.get(_FAILURES) is not None:
            return True
        if isinstance(part, CallOf) and part.name is not None:
            owner, _, method = part.name.rpartition(".")
            if method in _RESPONSES or (method == "response" and owner.removesuffix("()").endswith(_PROCESSORS)):
                return True
    return False


def _loops(names: Names) -> Iterator[RecordLoop]:
    seen: set[ast.AST] = set()
    for scope in names.walk.scopes:
        for bindings in scope.bindings.values():
            for bound, node, value, _, evaluated, _ in bindings:
                if bound is not Bound.ELEMENT or node in seen or not isinstance(node, ast.For | ast.AsyncFor):
                    continue
                if _is_records(names.describe(value, evaluated)):
                    seen.add(node)
                    yield _described(node, scope, names)


def _described(loop: ast.For | ast.AsyncFor, scope: Scope, names: Names) -> RecordLoop:
    first, last = names.source.span(loop.body[0]), names.source.span(loop.body[-1])
    body = Span(first.path, first.line, first.column, last.end_line, last.end_column)
    end = _end(loop.body)
    goes_on = any(isinstance(node, ast.Continue) for statement in loop.body for node in ast.walk(statement))
    ended = None if end is None or goes_on else names.source.span(end)
    return RecordLoop(scope.owner.name, names.source.span(loop.iter), tuple(_leaving(loop, names)), body, ended)


def _end(body: list[ast.stmt]) -> ast.stmt | None:
    """The ``return`` or ``break`` that *body* surely comes to."""
    match body[-1]:
        case ast.Return() | ast.Break() as end:
            return end
        case ast.With(body=inner) | ast.AsyncWith(body=inner):
            return _end(inner)
        case ast.Try(body=inner, orelse=[], handlers=handlers):
            leaving = (ast.Return, ast.Raise, ast.Break)
            return _end(inner) if all(isinstance(each.body[-1], leaving) for each in handlers) else None
        case _:
            return None


def _is_records(value: Expression) -> bool:
    return any(
        isinstance(part, EventPath)
        and not part.context
        and part.keys[-1:]
        and part.keys[-1] in _LISTS
        and len(part.keys) == 1
        for part in walk(value)
    )


def _leaving(loop: ast.For | ast.AsyncFor, names: Names) -> Iterator[Span]:
    waiting: list[ast.AST] = list(loop.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Try | ast.TryStar) and any(_goes_on(handler) for handler in node.handlers):
            waiting += [*node.orelse, *node.finalbody]  # a handler deals with the failure
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield names.source.span(node)
        waiting.extend(ast.iter_child_nodes(node))


def _goes_on(handler: ast.ExceptHandler) -> bool:
    return not any(isinstance(node, ast.Raise) for statement in handler.body for node in ast.walk(statement))
