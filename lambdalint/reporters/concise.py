"""One line a finding, for editors and for grep."""

from lambdalint.engine.result import Result
from lambdalint.model.finding import Finding
from lambdalint.reporters.style import Style
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import visible
from lambdalint.reporters.wording import conclusion, fixing, place, untold_failures


def render(result: Result, view: View) -> str:
    """``path:line:column: CODE[severity] message (name)``, and the failures in the same manner."""
    style = Style(view.colour)
    lines = [_finding(result, finding, style) for finding in result.findings]
    for failure in untold_failures(result):
        hint = f" ({visible(failure.hint)})" if failure.hint else ""
        path = visible(result.shown(failure.path)) or "lambdalint"
        lines.append(_inert(f"{path}: {style.bad('failed')} {visible(failure.message)}{hint}"))
    lines += conclusion(result)
    lines += filter(None, [fixing(result)])
    return "\n".join(lines) + "\n"


def _finding(result: Result, finding: Finding, style: Style) -> str:
    code = style.severity(finding.severity, f"{finding.code}[{finding.severity.value}]")
    name = style.faint(f"({finding.name})")
    return _inert(f"{style.strong(place(result, finding.at))}: {code} {visible(finding.message)} {name}")


def _inert(line: str) -> str:
    """*line*, not to be taken for a command to a GitHub runner, even where a file is called ``::error::x``."""
    return f"./{line}" if line.startswith("::") else line
