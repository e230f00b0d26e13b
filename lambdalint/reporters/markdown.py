"""A summary for the page of a job or a pull request."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from lambdalint.engine.result import Described, Result
from lambdalint.model.finding import Finding, Severity
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import visible
from lambdalint.reporters.wording import conclusion, place, severities, untold_failures

#: GitHub takes a mebibyte a step; a table with more rows than this is read by nobody anyway.
MAX_ROWS: Final = 200

#: What stands in a cell for a value that the template hides.
NOT_KNOWN: Final = "?"

_SIGNS: Final = {Severity.ERROR: "🔴 error", Severity.WARNING: "🟡 warning", Severity.INFO: "🔵 info"}


def render(result: Result, view: View) -> str:
    """Headline, findings, failures, and a folded table of the functions."""
    headline = severities(result) or ("incomplete" if result.failures else "all clear")
    blocks = [f"## lambdalint: {headline}", "<br>".join(map(plain, conclusion(result)))]
    worst_first = sorted(result.findings, key=lambda finding: finding.severity.rank)
    if worst_first:
        rows = (_finding(result, finding) for finding in worst_first[:MAX_ROWS])
        blocks.append(table(("Severity", "Rule", "Place", "Finding"), rows))
    if len(worst_first) > MAX_ROWS:
        blocks.append(f"… and {len(worst_first) - MAX_ROWS:,} more")
    failures = list(_failures(result))
    if failures:
        blocks.append("### What could not be judged\n\n" + "\n".join(failures))
    if result.functions:
        found = Counter((finding.template, finding.function) for finding in result.findings)
        header = ("Function", "Runtime", "Memory", "Timeout", "Triggers", "Findings")
        functions = result.functions[:MAX_ROWS]
        folded = table(header, (_function(each, found[each.template, each.name]) for each in functions))
        blocks.append(f"<details><summary>Functions</summary>\n\n{folded}\n\n</details>")
    blocks += [f"> {plain(note)}" for note in result.notes]
    return "\n\n".join(blocks) + "\n"


def _finding(result: Result, finding: Finding) -> tuple[str, ...]:
    rule = f"[{finding.code} {plain(finding.name)}]({finding.url})" if finding.url else f"{finding.code} {finding.name}"
    hint = f"<br><sub>{plain(finding.hint)}</sub>" if finding.hint else ""
    inside = f"<br><sub>{plain(finding.function)}</sub>" if finding.function else ""
    where = f"{code(place(result, finding.at))}{inside}"
    return _SIGNS[finding.severity], rule, where, f"{plain(finding.message)}{hint}"


def _failures(result: Result) -> Iterator[str]:
    for failure in untold_failures(result):
        hint = f" ({plain(failure.hint)})" if failure.hint else ""
        yield f"- {code(result.shown(failure.path))}: {plain(failure.message)}{hint}"


def _function(function: Described, findings: int) -> tuple[str, ...]:
    return (
        code(function.name),
        _known(function.runtime),
        _known(function.memory_mb, " MB"),
        _known(function.timeout_s, " s"),
        ", ".join(function.triggers),
        str(findings),
    )


def _known(value: object, unit: str = "") -> str:
    return NOT_KNOWN if value is None else plain(f"{value}{unit}")


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: str) -> str:
    """*text* as it is, whatever Markdown or HTML it looks like."""
    shown = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#!|~@$])", lambda match: f"&#{ord(match[1])};", shown)


def code(text: str) -> str:
    """*text* in a fixed width."""
    return f"<code>{plain(text)}</code>"
