"""Workflow commands of GitHub Actions, which annotate the lines of a pull request.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

import posixpath
from typing import Final

from lambdalint.engine.result import Result
from lambdalint.model.finding import Finding, Severity
from lambdalint.model.places import Member, Span
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import visible
from lambdalint.reporters.wording import conclusion, is_whole, untold_failures

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(result: Result, view: View) -> str:
    """An annotation for each finding, failure and note, and one line that sums up for whoever reads the log."""
    lines = [_finding(result, finding, view.folder) for finding in result.findings]
    for failure in untold_failures(result):
        message = f"{failure.message}\n{failure.hint}" if failure.hint else failure.message
        path = result.shown(failure.path) if failure.path else ""
        properties = {"file": _file(path, view.folder)} if path else {}
        lines.append(_command("error", {**properties, "title": "lambdalint could not finish"}, message))
    lines += [_command("notice", {"title": "lambdalint"}, note) for note in result.notes]
    lines += conclusion(result)
    return "\n".join(lines) + "\n"


def _finding(result: Result, finding: Finding, folder: str) -> str:
    properties = {"file": _file(result.shown(finding.path), folder)}
    message = finding.message
    match finding.at:
        case Member(entry=entry):
            message = f"{entry}: {message}"
        case Span() if is_whole(finding.at):
            pass
        case Span(line=line, column=column, end_line=end_line, end_column=end_column):
            properties["line"] = str(line)
            # Columns are understood within one line only.
            if line == end_line:
                properties |= {"col": str(column + 1), "endLine": str(end_line), "endColumn": str(end_column + 1)}
            else:
                properties["endLine"] = str(end_line)
    properties["title"] = f"{finding.code} {finding.name}"
    inside = f" (in {finding.function})" if finding.function else ""
    help_lines = [f"\nhelp: {finding.hint}"] if finding.hint else []
    return _command(_COMMANDS[finding.severity], properties, "".join([message, inside, *help_lines]))


def _file(path: str, folder: str) -> str:
    """The path from the root of the repository."""
    return posixpath.normpath(posixpath.join(folder, path)) if folder else path


def _command(name: str, properties: dict[str, str], message: str) -> str:
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {given}::{_data(message)}"


def _data(text: str) -> str:
    # Lines are ours to break; whatever else a terminal would obey is written out, since the log is read in one.
    shown = "\n".join(map(visible, text.split("\n")))
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
