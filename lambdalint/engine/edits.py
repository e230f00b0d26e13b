"""The edits that a fix makes, where what it changes is still as the fix expects it."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from lambdalint.engine.text import Text
from lambdalint.model.changes import (
    AddEndpoint,
    AwaitByWaiter,
    Change,
    DropCall,
    LoadOnce,
    MoveToModule,
    Paginate,
    Refer,
    RenameKey,
    Rewrite,
    SetArgument,
    SetProperty,
    UseTemporary,
)
from lambdalint.model.finding import Edit, Fix

#: What CDK writes anew each time is no place to mend anything.
_GENERATED: Final = "cdk.out"


def is_generated(path: str) -> bool:
    """Whether a file is made anew by a tool, so that nothing in it is worth mending."""
    return _GENERATED in path.split("/")


def edits_of(fix: Fix, read_text: Callable[[str], str | None]) -> tuple[Edit, ...] | None:
    """What *fix* changes in the texts as they are; ``None`` where it cannot be done there.

    *read_text* gives ``None`` for what cannot be written: members of archives, say.
    """
    by_path: dict[str, list[Change]] = {}
    for change in fix.changes:
        by_path.setdefault(_path(change), []).append(change)
    edits = list(fix.edits)
    for path in {edit.span.path for edit in edits}:
        if read_text(path) is None:
            return None
    for path, changes in by_path.items():
        text = None if is_generated(path) else read_text(path)
        found = None if text is None else _edits(Text(path, text), changes)
        if found is None:
            return None
        edits += found
    return tuple(edits) or None


def paths_of(fix: Fix) -> frozenset[str]:
    """The files that *fix* touches."""
    return frozenset((*(edit.span.path for edit in fix.edits), *map(_path, fix.changes)))


def _path(change: Change) -> str:
    match change:
        case RenameKey(value=span):
            return span.path
        case SetArgument(call=span) | MoveToModule(call=span) | DropCall(call=span) | Paginate(call=span):
            return span.path
        case AwaitByWaiter(call=span) | UseTemporary(call=span) | LoadOnce(call=span):
            return span.path
        case _:
            return change.at.path


def _edits(text: Text, changes: Sequence[Change]) -> list[Edit] | None:
    edits: list[Edit] = []
    in_code: list[Change] = []
    for change in changes:
        match change:
            case Rewrite():
                edit = _rewritten(text, change)
            case Refer():
                edit = _referred(text, change)
            case RenameKey():
                edit = _renamed(text, change)
            case SetProperty():
                from lambdalint.engine.property_edits import property_edit

                edit = property_edit(text, change)
            case AddEndpoint():
                from lambdalint.engine.endpoint_edits import endpoint_edit

                edit = endpoint_edit(text, change)
            case _:
                in_code.append(change)
                continue
        if edit is None:
            return None
        edits.append(edit)
    if in_code:
        from lambdalint.engine.code_edits import code_edits

        found = code_edits(text, in_code)
        if found is None:
            return None
        edits += found
    return edits


def _rewritten(text: Text, change: Rewrite) -> Edit | None:
    start, end = text.bounds(change.at)
    written = text.text[start:end].rstrip()
    quote = written[:1] if written[:1] in ("'", '"') and written[:1] == written[-1:] else ""
    if written != f"{quote}{change.old}{quote}":
        return None
    return text.edit(start, start + len(written), f"{quote}{change.new}{quote}")


def _referred(text: Text, change: Refer) -> Edit | None:
    start, end = text.bounds(change.at)
    written = text.text[start:end].rstrip()
    old = f"{change.resource}.{change.old}" if change.old else change.resource
    new = f"{change.resource}.{change.new}" if change.new else change.resource
    first, second = re.escape(change.resource), re.escape(change.old or "")
    apart = rf'\[\s*"?{first}"?\s*,\s*"?{second}"?\s*\]'
    short = rf"![A-Za-z]+\s+({re.escape(old)}|{apart})"
    long = rf'\{{?\s*"?(Ref|Fn::GetAtt)"?\s*:\s*("?{re.escape(old)}"?|{apart})\s*\}}?'
    if re.fullmatch(rf"!Sub\s+[\"']?\$\{{{re.escape(old)}\}}[\"']?", written):
        to = written.replace(f"${{{old}}}", f"${{{new}}}")
    elif re.fullmatch(short, written):
        to = f"!GetAtt {new}" if change.new else f"!Ref {new}"
    elif re.fullmatch(long, written):
        quote = '"' if '"' in written else ""
        value = (
            f"[{quote}{change.resource}{quote}, {quote}{change.new}{quote}]" if change.new else f"{quote}{new}{quote}"
        )
        to = f"{quote}{'Fn::GetAtt' if change.new else 'Ref'}{quote}: {value}"
        to = f"{{{to}}}" if written.startswith("{") else to
    else:
        return None
    return text.edit(start, start + len(written), to)


def _renamed(text: Text, change: RenameKey) -> Edit | None:
    before = text.text[: text.bounds(change.value)[0]]
    key = rf"(?<![\w.])(?P<quote>[\"']?)(?P<key>{re.escape(change.old)})(?P=quote)\s*[:=]\s*(?:![\w:]+\s+)?\Z"
    found = re.search(key, before[-(len(change.old) + 200) :])
    if found is None:
        return None
    shift = max(0, len(before) - len(change.old) - 200)
    return text.edit(found.start("key") + shift, found.end("key") + shift, change.new)
