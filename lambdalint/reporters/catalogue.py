"""The rules as a list, and one rule explained."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Any, Final

from lambdalint.engine.messages import FAMILY, Message
from lambdalint.model.finding import Profile
from lambdalint.reporters.style import Style
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import columns, cut
from lambdalint.reporters.wording import counted
from lambdalint.rule import Example, Rule

#: What ends a line of an example that its rule finds.
FOUND: Final = "# finding"
PAGE_COLUMNS: Final = 100


def listing(rules: Sequence[Rule], view: View) -> str:
    """One line a rule, the families apart."""
    style = Style(view.colour)
    longest = max((len(rule.name) for rule in rules), default=0)
    blocks = [
        "\n".join(_row(rule, longest, view, style) for rule in family)
        for _, family in groupby(rules, key=lambda rule: rule.family)
    ]
    strict = sum(rule.profile is Profile.STRICT for rule in rules)
    only = f", {strict:,} of them only in the strict profile (*)" if strict else ""
    return "\n\n".join([*blocks, f"{counted(len(rules), 'rule')}{only}"]) + "\n"


def listing_as_json(rules: Sequence[Rule]) -> str:
    """The rules for machines."""
    return json.dumps([_document(rule) for rule in rules], indent=2) + "\n"


def explanation(rule: Rule, view: View) -> str:
    """All that there is to know about a rule, with its examples."""
    style = Style(view.colour)
    width = min(view.width or PAGE_COLUMNS, PAGE_COLUMNS)
    title = f"{style.severity(rule.severity, rule.code)} {style.strong(rule.name)}"
    blocks = [title, *(_paragraph(each, width, style) for each in _paragraphs(rule)), _facts(rule, width, style)]
    for examples, heading in ((rule.bad, style.bad("Found")), (rule.good, style.good("Not found"))):
        blocks += [f"{heading}\n\n{_example(example, style)}" for example in examples]
    return "\n\n".join(blocks) + "\n"


def message_explanation(message: Message, view: View) -> str:
    """The same for what the engine itself says."""
    style = Style(view.colour)
    width = min(view.width or PAGE_COLUMNS, PAGE_COLUMNS)
    title = f"{style.severity(message.severity, message.code)} {style.strong(message.name)}"
    return (
        "\n\n".join([title, *(_paragraph(each, width, style) for each in message.documentation.split("\n\n"))]) + "\n"
    )


def message_as_json(message: Message) -> str:
    """The same for machines."""
    document = {
        "code": message.code,
        "name": message.name,
        "family": FAMILY,
        "severity": message.severity.value,
        "documentation": message.documentation,
    }
    return json.dumps(document, indent=2) + "\n"


def explanation_as_json(rule: Rule) -> str:
    """The same for machines; a file of an example that is not text is ``null``."""
    examples = {"bad": [_texts(each) for each in rule.bad], "good": [_texts(each) for each in rule.good]}
    return json.dumps({**_document(rule), "documentation": rule.documentation, **examples}, indent=2) + "\n"


def _document(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "name": rule.name,
        "family": rule.family,
        "subject": rule.subject.__name__,
        "severity": rule.severity.value,
        "confidence": rule.confidence.value,
        "profile": rule.profile.value,
        "fix": rule.fix,
        "since": rule.since,
        "covers": list(rule.covers),
        "summary": rule.summary,
        "source": rule.source,
        "url": rule.url,
    }


def _row(rule: Rule, longest: int, view: View, style: Style) -> str:
    mark = "*" if rule.profile is Profile.STRICT else " "
    start = f"{rule.code}{mark} {rule.name:<{longest}}  {rule.severity.value:<7}  "
    summary = rule.summary.removesuffix(".").replace("``", "`")
    if view.width:
        summary = cut(summary, max(view.width - columns(start), 1))
    severity = style.severity(rule.severity, f"{rule.severity.value:<7}")
    return f"{style.strong(rule.code)}{mark} {rule.name:<{longest}}  {severity}  {style.faint(summary)}"


def _paragraphs(rule: Rule) -> Iterator[str]:
    for paragraph in rule.documentation.split("\n\n"):
        if not paragraph.startswith("Source: "):
            yield paragraph


def _paragraph(text: str, width: int, style: Style) -> str:
    lines = text.splitlines()
    if any(line.startswith((" ", "- ", "* ")) for line in lines):
        return text
    wrapped = "\n".join(wrap(" ".join(lines), width, break_long_words=False, break_on_hyphens=False))
    return re.sub(r"``([^`]+)``", lambda match: style.strong(match[1]) if style.on else f"`{match[1]}`", wrapped)


def _facts(rule: Rule, width: int, style: Style) -> str:
    facts = {
        "about": rule.subject.__name__,
        "severity": rule.severity.value,
        "confidence": rule.confidence.value,
        "profile": rule.profile.value,
        "fix": rule.fix,
        "since": rule.since,
        "covers": ", ".join(rule.covers),
        "source": rule.source,
        "ignore": f"# lambdalint: ignore[{rule.name}]",
    }
    lines: list[str] = []
    for label, fact in facts.items():
        first, *others = wrap(fact, width - 12, break_long_words=False, break_on_hyphens=False) or [""]
        if first:
            lines.append(f"{style.hint(f'{label:<10}')}  {first}")
            lines += [f"{'':<12}{other}" for other in others]
    return "\n".join(lines)


def _example(example: Example, style: Style) -> str:
    return "\n\n".join("\n".join(_file(path, content, style)) for path, content in example.items())


def _file(path: str, content: object, style: Style) -> Iterator[str]:
    yield f"  {style.strong(path)}"
    if not isinstance(content, str):
        yield f"  {style.gutter('|')} {style.faint('(binary)')}"
        return
    for line in content.rstrip("\n").split("\n"):
        shown = style.bad(line) if line.endswith(FOUND) else line
        yield f"  {style.gutter('|')} {shown}".rstrip()


def _texts(example: Example) -> dict[str, str | None]:
    return {path: content if isinstance(content, str) else None for path, content in example.items()}
