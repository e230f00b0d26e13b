"""How often each rule was found."""

from collections import Counter

from lambdalint.engine.result import Result
from lambdalint.reporters.style import Style
from lambdalint.reporters.view import View
from lambdalint.reporters.wording import conclusion


def render(result: Result, view: View) -> str:
    """A line for each rule and severity, the most frequent first."""
    style = Style(view.colour)
    counts = Counter((finding.severity, finding.code, finding.name) for finding in result.findings)
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0][0].rank, row[0][1]))
    digits = max((len(str(count)) for count in counts.values()), default=0)
    lines = [
        f"{count:>{digits}}  {style.severity(severity, f'{severity.value:<7}')}  {style.strong(code)}  {name}"
        for (severity, code, name), count in rows
    ]
    return "\n".join([*lines, *conclusion(result)]) + "\n"
