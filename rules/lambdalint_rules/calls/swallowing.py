"""Where a function catches what goes wrong with its records, and goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.batches import Batches, RecordLoop
from lambdalint.facts.expressions import NONE, EventPath
from lambdalint.facts.http_calls import http_call
from lambdalint.facts.needs import service_call
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.returns import Returns
from lambdalint.facts.tries import Catch, Tries, Try
from lambdalint.rule import Function, PerModule, Span

#: Methods and functions that write a line somewhere, by the last part of their names.
_LOGGING: Final = frozenset(
    (
        "add_metric",
        "append_keys",
        "capture_exception",
        "capture_message",
        "critical",
        "debug",
        "error",
        "exception",
        "fatal",
        "info",
        "log",
        "log_exception",
        "print",
        "print_exc",
        "print_exception",
        "put_annotation",
        "put_metadata",
        "warn",
        "warning",
    )
)
#: An element of the event's list.
_RECORD: Final = EventPath(("Records", None))
#: Roots of names whose calls change nothing outside.
_HARMLESS: Final = ("datetime", "json", "logging", "sys", "time", "traceback")
_BUILTINS: Final = frozenset(["dict", "getattr", "int", "len", "list", "print", "repr", "str", "type", "vars"])


@dataclass(frozen=True, slots=True)
class Swallowing:
    """A broad ``except`` around the handling of records that neither raises nor does anything but log.

    *logged*: it says so somewhere.  *entry*: it stands in what Lambda itself calls.
    """

    path: str
    scope: str
    tried: Span
    catch: Catch
    logged: bool
    entry: bool


def swallowings(
    function: Function,
    batches: PerModule[Batches],
    tries: PerModule[Tries],
    returns: PerModule[Returns],
    calls: PathCalls,
) -> Iterator[Swallowing]:
    """All of them, in the order of the text."""
    inside: dict[tuple[str, str], list[PathCall]] = {}
    for call in calls.calls:
        if call.phase == "invoke":
            inside.setdefault((call.path, call.call.scope), []).append(call)
    handed = set(_handed_records(calls, batches))
    dotted = {path: name for name, path in reversed(tuple(function.modules.items()))}
    for path, scope in sorted(inside):
        module, records, returned = tries.get(path), batches.get(path), returns.get(path)
        loops = [] if records is None else [loop for loop in records.loops if loop.scope == scope]
        per_record = f"{dotted.get(path, '')}.{scope}" in handed
        if module is None or returned is None or not (loops or per_record):
            continue
        entry = (path, scope) == (function.target.scope_path, function.target.scope)
        if not entry and any(each.value != NONE for each in returned.get(scope)):
            continue  # what it returns may tell its caller
        own = inside[path, scope]
        later = [span for where, span in module.raises if where == scope]
        candidates = [each for each in module.tries if each.scope == scope]
        for each in candidates:
            if any(catch.body.holds(each.tried) for other in candidates for catch in other.catches):
                continue  # what goes wrong while a failure is dealt with
            if not per_record and not _is_about_records(each, loops):
                continue
            if not _is_the_work(each, loops, own, function) or (per_record and not _is_all(each, candidates, own)):
                continue
            catch = next((one for one in each.catches if one.is_broad), None)
            if catch is None or catch.raises or (catch.changed and not entry):
                continue
            if catch.changed and any(_is_after(span, each) for span in later):
                continue
            reported = [span for where, span in (records.reported if records else ()) if where == scope]
            if any(catch.changed or catch.body.holds(span) for span in reported):
                continue
            done = [call for call in own if catch.body.holds(call.call.span)]
            if catch.changed:  # what was noted may be sent elsewhere once the loop is done
                done += [call for call in own if _is_after(call.call.span, each)]
            if all(_is_harmless(call) for call in done):
                yield Swallowing(path, scope, each.tried, catch, any(_logs(call) for call in done), entry)


def may_fail(call: PathCall, function: Function) -> bool:
    """Whether it is a request, or a call of one of the project's functions."""
    if call.name is None:
        return False
    own = call.call.name is not None and call.call.name.startswith((":", "."))
    return (
        own
        or call.name.partition(".")[0].partition("(")[0] in function.modules
        or service_call(call.name) is not None
        or http_call(call.name) is not None
    )


def _handed_records(calls: PathCalls, batches: PerModule[Batches]) -> Iterator[str]:
    """What is called with a record as such, in a loop over them."""
    for call in calls.calls:
        if call.name is None or _RECORD not in call.call.args:
            continue
        module = batches.get(call.path)
        if module is not None and any(loop.body.holds(call.call.span) for loop in module.loops):
            yield call.name


def _is_all(each: Try, others: list[Try], own: list[PathCall]) -> bool:
    """Whether a function asks nothing of a service outside of its one ``try``."""
    requests = [call for call in own if call.name and (service_call(call.name) or http_call(call.name))]
    caught = [catch.body for catch in each.catches]
    return len(others) == 1 and all(
        each.tried.holds(call.call.span) or any(body.holds(call.call.span) for body in caught) for call in requests
    )


def _is_about_records(each: Try, loops: list[RecordLoop]) -> bool:
    return any(loop.body.holds(each.tried) or each.tried.holds(loop.body) for loop in loops)


def _is_the_work(each: Try, loops: list[RecordLoop], own: list[PathCall], function: Function) -> bool:
    """Whether something that may fail is tried, and no request of the same round stands outside of any ``try``."""
    leaving: set[Span] = {span for loop in loops if loop.body.holds(each.tried) for span in loop.calls}
    for call in own:
        if call.call.span in leaving and call.name and (service_call(call.name) or http_call(call.name)):
            return False
    return any(each.tried.holds(call.call.span) and may_fail(call, function) for call in own)


def _is_after(span: Span, each: Try) -> bool:
    return (span.line, span.column) > (each.tried.end_line, each.tried.end_column)


def _is_harmless(call: PathCall) -> bool:
    name = call.name or call.call.name
    if name is None:
        return False
    root = name.partition(".")[0].partition("(")[0]
    if "." not in name:
        return name in _BUILTINS or name in _LOGGING
    return root in _HARMLESS or name.rpartition(".")[2] in _LOGGING or root in ("str", "list", "dict", "set")


def _logs(call: PathCall) -> bool:
    return _last(call) in _LOGGING


def _last(call: PathCall) -> str:
    return (call.name or call.call.name or "").rpartition(".")[2]
