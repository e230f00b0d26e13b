"""For machines: a contract, published as ``schema.json`` beside this file."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from lambdalint.engine.edits import edits_of
from lambdalint.engine.result import Described, Result
from lambdalint.model.finding import Finding, Fix
from lambdalint.model.places import Member, Place, Span
from lambdalint.reporters.view import View

VERSION: Final = 1


def render(result: Result, view: View) -> str:
    """The whole result; it is all ASCII, so that it survives every terminal and shell."""
    return json.dumps(document(result), indent=2) + "\n"


def document(result: Result) -> dict[str, Any]:
    """The whole result as plain data."""
    summary = result.summary
    return {
        "version": VERSION,
        "findings": [_finding(finding, result) for finding in result.findings],
        "functions": [_function(function, result.shown) for function in result.functions],
        "errors": [
            {"path": result.shown(failure.path), "message": failure.message, "hint": failure.hint}
            for failure in result.failures
        ],
        "notes": list(result.notes),
        "summary": {
            "files": summary.files,
            "functions": summary.functions,
            "errors": summary.errors,
            "warnings": summary.warnings,
            "infos": summary.infos,
            "suppressed": summary.suppressed,
            "seconds": round(summary.seconds, 3),
        },
    }


def _finding(finding: Finding, result: Result) -> dict[str, Any]:
    shown = result.shown
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "message": finding.message,
        **_place(finding.at, shown),
        "function": finding.function,
        "related": [{**_place(each.at, shown), "message": each.message} for each in finding.related],
        "fix": _fix(finding.fix, result) if finding.fix else None,
        "fingerprint": finding.fingerprint,
        "url": finding.url,
    }


def _place(at: Place, shown: Callable[[str], str]) -> dict[str, Any]:
    match at:
        case Member(path, entry):
            return {"path": shown(path), "span": None, "entry": entry}
        case Span(path, line, column, end_line, end_column):
            start, end = {"line": line, "column": column}, {"line": end_line, "column": end_column}
            return {"path": shown(path), "span": {"start": start, "end": end}}


def _fix(fix: Fix, result: Result) -> dict[str, Any] | None:
    """What a fix writes; nothing where the text is not as it expects, or where it cannot be written."""
    edits = edits_of(fix, result.read_text)
    if edits is None:
        return None
    return {
        "title": fix.title,
        "applicability": fix.applicability.value,
        "edits": [{**_place(edit.span, result.shown), "text": edit.text} for edit in edits],
    }


def _function(function: Described, shown: Callable[[str], str]) -> dict[str, Any]:
    return {
        **asdict(function),
        "template": None if function.template is None else shown(function.template),
        "code": None if function.code is None else shown(function.code),
    }
