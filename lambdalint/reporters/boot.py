"""What happened when an artifact was started, for people and for machines."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from enum import Enum
from typing import Any, Final

from lambdalint.model.boot import Boot, Ending, ImportTime, Invocation, Isolation, Phase, Raised
from lambdalint.reporters.style import Style
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import cut, visible
from lambdalint.reporters.wording import counted

#: Changes when a field goes or means something else.
VERSION: Final = 1

_SHOWN_IMPORTS: Final = 12
_SHOWN_DEPTH: Final = 3
_SHOWN_PATHS: Final = 8
_SHOWN_OUTPUT: Final = 10
_SHOWN_TEXT: Final = 160
#: An import that takes less than so much of all of them is not shown.
_WORTH_SHOWING: Final = 0.03

#: Folders on the way to a package in a layer, and the one for bytecode.
_BETWEEN: Final = ("python", "lib", "site-packages", "__pycache__", *(f"python3.{minor}" for minor in range(8, 20)))

_ISOLATIONS: Final = {
    Isolation.CONTAINER: "a container of crun: a read-only root of its own, as another user, without privileges",
    Isolation.NAMESPACES: "a read-only root of its own, as another user",
    Isolation.USER_NAMESPACE: "a read-only root of its own, without privileges",
    Isolation.CHROOT: "a root of its own, as another user",
    Isolation.USER: "another user; your files were in sight as far as everybody may read them",
    Isolation.PERMISSIONS: "file permissions only",
}


def render(name: str, boot: Boot, view: View) -> str:
    """The report in the format *name* of ``FORMATS``."""
    return FORMATS[name](boot, view)


def document(boot: Boot) -> dict[str, Any]:
    """The report as plain data; ``schema-boot.json`` beside this file says what is in it."""
    plain: dict[str, Any] = _plain(asdict(boot))
    for key in ("init_ms", "init_peak_mb", "peak_mb"):
        plain[key] = None if plain[key] is None else round(plain[key], 1)
    for invocation in plain["invocations"]:
        invocation["ms"] = None if invocation["ms"] is None else round(invocation["ms"], 1)
    return {"version": VERSION, "healthy": boot.is_healthy, **plain}


def _json(boot: Boot, view: View) -> str:
    return json.dumps(document(boot), indent=1) + "\n"


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case str():
            # A file name that is no UTF-8 must not make the whole report unreadable.
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        case _:
            return value


def _text(boot: Boot, view: View) -> str:
    style = Style(view.colour)
    where = f"{boot.runtime} {boot.architecture}".strip()
    what = f"{boot.handler} on {where}" + (f", by Python {boot.python}" if boot.python else "")
    lines = [f"{style.strong(visible(boot.artifact))}  {visible(what)}", ""]
    lines += _init(boot, style)
    lines += _imports(boot, style)
    for invocation in boot.invocations:
        lines += _invocation(invocation, style)
    lines += _files(boot.files)
    lines += _paths("compiled", boot.compiled, style.faint, "of these there is no bytecode that the runtime takes")
    lines += _paths("refused", boot.refused, style.bad, "only /tmp can be written to")
    lines += _output(boot, style)
    lines += [f"{'isolation':<11} {_ISOLATIONS[boot.isolation]}"]
    lines += [f"{'note':<11} {visible(note)}" for note in boot.notes]
    lines += ["", *(style.bad(visible(text)) for text in boot.passed), _conclusion(boot, style)]
    return "\n".join(lines) + "\n"


def _init(boot: Boot, style: Style) -> Iterator[str]:
    peak = "" if boot.init_peak_mb is None else f", {boot.init_peak_mb:,.0f} MB at most"
    if boot.init_ms is not None:
        yield f"{style.strong('init')}        {boot.init_ms:,.0f} ms{peak}"
    if boot.init_error is not None:
        yield f"{style.strong('init')}        {style.bad('failed')}{peak}"
        yield from _raised(boot.init_error, style)


def _imports(boot: Boot, style: Style) -> Iterator[str]:
    """The costliest imports of the function's own code, each below what it was imported by."""
    own = [each for each in boot.imports if each.phase is not Phase.RUNTIME]
    total = sum(each.self_us for each in own)
    runtime = sum(each.self_us for each in boot.imports if each.phase is Phase.RUNTIME)
    if not boot.imports:
        return
    counts = f"{total / 1000:,.0f} ms for {counted(len(own), 'module')}; {runtime / 1000:,.0f} ms before it"
    yield f"{'imports':<11} {counts}"
    for each in _costly(own, total):
        later = style.faint("  while invoked") if each.phase is Phase.INVOKE else ""
        name = f"{'  ' * each.depth}{visible(each.module)}"
        yield f"{'':<12}{each.cumulative_us / 1000:>9,.1f} ms  {name}{later}"


def _costly(own: Sequence[ImportTime], total: int) -> list[ImportTime]:
    """At most so many that matter; none without the one that imports it."""
    worth = [each for each in own if each.cumulative_us >= _WORTH_SHOWING * total and each.depth < _SHOWN_DEPTH]
    least = sorted((each.cumulative_us for each in worth), reverse=True)[:_SHOWN_IMPORTS]
    return [each for each in worth if each.cumulative_us >= least[-1]][:_SHOWN_IMPORTS] if least else []


def _invocation(invocation: Invocation, style: Style) -> Iterator[str]:
    took = "" if invocation.ms is None else f" {invocation.ms:,.0f} ms"
    name = visible(invocation.event)
    if invocation.ending is Ending.ANSWER:
        answer = cut(visible(invocation.response or ""), _SHOWN_TEXT)
        yield f"{style.strong('event')}       {name}{took}  {counted(invocation.response_bytes, 'byte')}  {answer}"
        return
    yield f"{style.strong('event')}       {name}{took}  {style.bad(invocation.ending.value.replace('-', ' '))}"
    if invocation.error is not None:
        yield from _raised(invocation.error, style)


def _raised(error: Raised, style: Style) -> Iterator[str]:
    yield f"{'':<12}{style.strong(visible(error.type))}: {visible(error.message)}"
    yield from (f"{'':<12}{style.faint(visible(line))}" for line in _without_importing(error.trace))


def _without_importing(trace: Sequence[str]) -> Iterator[str]:
    """The lines of a trace without those of the import system, which stands between any two modules."""
    skips = False
    for line in trace:
        if line.lstrip().startswith("File "):
            skips = "<frozen importlib" in line or "/importlib/__init__.py" in line
        if not skips:
            yield line


def _files(paths: Sequence[str]) -> Iterator[str]:
    """How many files were read, and of what."""
    if not paths:
        return
    tops = Counter(_top(path) for path in paths)
    shown = [f"{visible(top)} {count:,}" for top, count in tops.most_common(_SHOWN_PATHS)]
    more = [f"{len(tops) - _SHOWN_PATHS:,} more"] if len(tops) > _SHOWN_PATHS else []
    yield f"{'files read':<11} {len(paths):,}: {', '.join([*shown, *more])}"


def _top(path: str) -> str:
    """The package or module that a file belongs to; the folder of one that lies elsewhere."""
    for root in ("/var/task/", "/opt/"):
        if path.startswith(root):
            parts = [part for part in path[len(root) :].split("/") if part not in _BETWEEN]
            return (parts or [root])[0].partition(".")[0]
    return path.rpartition("/")[0]


def _paths(title: str, paths: Sequence[str], paint: Callable[[str], str], aside: str = "") -> Iterator[str]:
    if not paths:
        return
    yield f"{title:<11} {counted(len(paths), 'file')}{f'; {aside}' if aside else ''}"
    yield from (f"{'':<12}{paint(visible(path))}" for path in paths[:_SHOWN_PATHS])
    if len(paths) > _SHOWN_PATHS:
        yield f"{'':<12}{len(paths) - _SHOWN_PATHS:,} more"


def _output(boot: Boot, style: Style) -> Iterator[str]:
    # The runtime indents what it logs by spaces that do not break.
    lines = [line.replace("\xa0", " ").expandtabs(4) for line in boot.output.splitlines()]
    if not lines:
        return
    cut_off = ", cut" if boot.output_cut else ""
    yield f"{'output':<11} {counted(len(lines), 'line')}{cut_off}"
    if len(lines) > _SHOWN_OUTPUT:
        yield f"{'':<12}{len(lines) - _SHOWN_OUTPUT:,} before"
    yield from (f"{'':<12}{style.faint(cut(visible(line[:2000]), _SHOWN_TEXT))}" for line in lines[-_SHOWN_OUTPUT:])


def _conclusion(boot: Boot, style: Style) -> str:
    failed = sum(each.ending is not Ending.ANSWER for each in boot.invocations)
    if boot.init_ms is None:
        return style.bad("It does not come up")
    if failed:
        return style.bad(f"{counted(failed, 'event')} of {len(boot.invocations)} without an answer")
    if boot.passed:
        return style.bad("It does not keep its budgets")
    peak = "" if boot.peak_mb is None else f", {boot.peak_mb:,.0f} MB at most"
    events = f", answers {counted(len(boot.invocations), 'event')}" if boot.invocations else ""
    return style.good(f"It comes up in {boot.init_ms:,.0f} ms{events}{peak}")


#: Each format by its name.
FORMATS: Final[dict[str, Callable[[Boot, View], str]]] = {"text": _text, "json": _json}
