"""What was packaged again, in a line: what is new, and how much stayed as it was."""

from datetime import time
from typing import Final

from lambdalint.model.finding import Severity
from lambdalint.reporters import text
from lambdalint.reporters.packages.document import Package, Packaging
from lambdalint.reporters.style import Style
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import visible
from lambdalint.reporters.wording import counted, listed, size

#: Packages that are named; of more, only the number is said.
NAMED: Final = 4


def render(packaging: Packaging, before: Packaging, view: View, at: time) -> str:
    """Findings and failures if there are any, then a line that says what is not as it was *before*."""
    style = Style(view.colour)
    findings = ""
    if packaging.check.findings or packaging.check.failures:
        findings = text.render(packaging.check, view) + "\n"
    earlier = {each.path: each.sha256 for each in before.packages}
    written = [each for each in packaging.packages if each.sha256]
    fresh = [each for each in written if each.sha256 != earlier.get(each.path)]
    refused = [each for each in packaging.packages if each.refused]
    parts = []
    if fresh:
        parts.append(f"{style.good('packaged')} {_named(fresh, style)}")
    if refused:
        parts.append(f"{style.severity(Severity.ERROR, 'refused')} {_named(refused, style)}")
    if packaging.check.failures:
        parts.append(style.bad(counted(len(packaging.check.failures), "failure")))
    for name, reason in packaging.skipped:
        if (name, reason) not in before.skipped:
            parts.append(f"skipped {style.strong(visible(name))}, {visible(reason)}")
    same = len(written) - len(fresh)
    if same:
        parts.append(f"{same:,} unchanged")
    said = "; ".join(parts) or "nothing to package"
    return f"{findings}{style.faint(at.isoformat('seconds'))}  {said} ({packaging.seconds:.2f} s)\n"


def _named(packages: list[Package], style: Style) -> str:
    if len(packages) > NAMED:
        total = sum(each.packed_bytes or each.unpacked_bytes for each in packages)
        return f"{counted(len(packages), 'package')}, {size(total)}"
    return listed(
        [f"{style.strong(visible(each.name))}, {size(each.packed_bytes or each.unpacked_bytes)}" for each in packages]
    )
