"""What a run came to, in the words of the report."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lambdalint.aws.limits import limit
from lambdalint.model.boot import Boot, Ending, Invocation, Isolation, Raised
from lambdalint.packager.boot.process import INIT_MAX_S, Course, Heard
from lambdalint.packager.boot.runtime_api import Told
from lambdalint.packager.boot.streams import Streams

MAX_RESPONSE_CHARACTERS: Final = 4_000
_MAX_TRACE: Final = 60
_MAX_MESSAGE: Final = 4_000


@dataclass(frozen=True, slots=True)
class Sample:
    """An event to invoke the function with: its *name* for the reader, and what is sent."""

    name: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was started and how, whatever form it has; *shown* gives paths as Lambda has them, wherever they lay here.

    *is_ours* says of a path that it is none of the function's.
    """

    artifact: str
    function: str
    handler: str
    runtime: str
    architecture: str
    python: str
    isolation: Isolation
    events: Sequence[Sample]
    timeout_s: float
    max_init_ms: int | None
    max_memory_mb: int | None
    notes: tuple[str, ...] = ()
    shown: Callable[[str], str] = str
    is_ours: Callable[[str], bool] = lambda path: False


def outcome(tried: Tried, course: Course, streams: Streams) -> Boot:
    """The report on *tried*, which went as *course* and *streams* say."""
    shown = tried.shown
    output = shown(streams.output())
    ready = next((each for each in course.heard if each.message.told is Told.READY), None)
    init_ms = None if ready is None else (ready.message.at - course.begun) * 1000
    init_error = _init_error(course, shown) if ready is None else None
    invocations = () if ready is None else tuple(_invocations(tried, course))
    errors = [init_error, *(each.error for each in invocations)]
    return Boot(
        artifact=tried.artifact,
        function=tried.function,
        handler=tried.handler,
        runtime=tried.runtime,
        architecture=tried.architecture,
        python=tried.python,
        isolation=tried.isolation,
        init_ms=init_ms,
        init_error=init_error,
        init_peak_mb=course.peak_mb if ready is None else ready.peak_mb,
        peak_mb=course.peak_mb,
        imports=tuple(streams.times.rows()),
        invocations=invocations,
        files=tuple(sorted(shown(path) for path in streams.told["r"] if not tried.is_ours(path))),
        compiled=tuple(sorted(shown(path) for path in streams.told["c"])),
        refused=tuple(sorted(shown(path) for path in streams.told["w"])),
        output=output,
        output_cut=streams.cut,
        passed=tuple(_passed(tried, init_ms, course.peak_mb)),
        notes=(*tried.notes, *_slow(init_ms), *_wanted_variables(errors)),
    )


def _init_error(course: Course, shown: Callable[[str], str]) -> Raised:
    told = next((each.message for each in course.heard if each.message.told is Told.INIT_ERROR), None)
    if told is not None:
        return _raised(told.body, shown)
    return _ended(course, f"init is not done after {INIT_MAX_S} s")


def _ended(course: Course, too_long: str) -> Raised:
    if course.overfull:
        return Raised("Runtime.OutOfMemory", f"the process has taken {course.peak_mb:.0f} MB, and was stopped")
    if course.overran:
        return Raised("Sandbox.Timedout", too_long)
    return Raised("Runtime.ExitError", f"the process has ended by itself, with {course.code}")


def _invocations(tried: Tried, course: Course) -> Iterator[Invocation]:
    by_event: dict[int, list[Heard]] = {}
    for each in course.heard:
        by_event.setdefault(each.message.index, []).append(each)
    for index, sample in enumerate(tried.events):
        heard = [each.message for each in by_event.get(index, ())]
        ready = next((each for each in heard if each.told is Told.READY), None)
        told = next((each for each in heard if each.told is not Told.READY), None)
        if ready is None:
            yield Invocation(sample.name, Ending.NOT_RUN)
        elif told is None:
            ending = Ending.OUT_OF_MEMORY if course.overfull else Ending.TIMEOUT if course.overran else Ending.EXIT
            error = _ended(course, f"there is no answer after {tried.timeout_s:g} s")
            yield Invocation(sample.name, ending, (course.ended - ready.at) * 1000, error=error)
        elif told.told is Told.ERROR:
            yield Invocation(
                sample.name, Ending.ERROR, (told.at - ready.at) * 1000, error=_raised(told.body, tried.shown)
            )
        else:
            text = told.body[: 4 * MAX_RESPONSE_CHARACTERS].decode(errors="replace")[:MAX_RESPONSE_CHARACTERS]
            yield Invocation(sample.name, Ending.ANSWER, (told.at - ready.at) * 1000, text, len(told.body))


def _raised(body: bytes, shown: Callable[[str], str]) -> Raised:
    """The error in what the client posted."""
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        document = {}
    if not isinstance(document, dict):
        document = {}
    trace = document.get("stackTrace")
    lines = [line for each in trace for line in str(each).splitlines()] if isinstance(trace, list) else []
    return Raised(
        str(document.get("errorType") or "unknown")[:200],
        shown(str(document.get("errorMessage") or ""))[:_MAX_MESSAGE],
        tuple(shown(line)[:_MAX_MESSAGE] for line in lines[-_MAX_TRACE:]),
    )


def _passed(tried: Tried, init_ms: float | None, peak_mb: float | None) -> Iterator[str]:
    if tried.max_init_ms is not None and init_ms is not None and init_ms > tried.max_init_ms:
        yield f"init took {init_ms:,.0f} ms; the budget is {tried.max_init_ms:,} ms"
    if tried.max_memory_mb is not None and peak_mb is not None and peak_mb > tried.max_memory_mb:
        yield f"it took {peak_mb:,.0f} MB of memory; the budget is {tried.max_memory_mb:,} MB"


def _wanted_variables(errors: Sequence[Raised | None]) -> Iterator[str]:
    """What to do about variables that the function looks for in vain."""
    names = (
        error.message.strip("'")
        for error in errors
        if error is not None and error.type == "KeyError" and any("os.environ" in line for line in error.trace)
    )
    yield from (f"it wants a variable: give it by --env {name}=VALUE" for name in dict.fromkeys(names))


def _slow(init_ms: float | None) -> Iterator[str]:
    init_s = limit("init", "max_s")
    if init_ms is not None and init_ms > init_s * 1000:
        yield f"Lambda cuts init off after {init_s} s, and starts anew within the first invocation"
