"""Of two functions of one name, Lambda calls the later: the earlier is dead code that looks alive.

It is what remains when a handler was copied to be changed, and whoever edits the wrong one wonders why nothing happens.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from typing import Final

from lambdalint.facts.outline import Outline
from lambdalint.facts.symbols import Symbol, SymbolKind, Symbols
from lambdalint.rule import Confidence, Module, PerModule, Problem, Problems, Project, Related, Severity, Span, rule
from lambdalint_rules.handler.samples import orders

TWICE = """\
def handler(event, context):
    return "old"

def other(event, context):
    return "other"

def handler(event, context):  # finding
    return "new"
"""
IMPORTED = """\
from orders import handler

def handler(event, context):  # finding
    return "mine"
"""
ORDER = "def handler(event, context):\n    return 'theirs'\n"
BRANCHES = """\
import os

if os.environ.get("LEGACY"):
    def handler(event, context):
        return "old"
else:
    def handler(event, context):
        return "new"
"""
FALLBACK = """\
try:
    from fast import handler
except ImportError:
    def handler(event, context):
        return "slow"
"""
WRAPPED = """\
from framework import wrapped

def handler(event, context):
    return event

handler = wrapped(handler)
"""
KEPT = """\
def handler(event, context):
    return "old"

previous = handler

def handler(event, context):
    return event.get("new") or previous(event, context)
"""
OVERLOADS = """\
from typing import overload

@overload
def handler(event: dict, context: object) -> str: ...
@overload
def handler(event: list, context: object) -> list: ...
def handler(event, context):
    return event
"""

_MADE: Final = (SymbolKind.DEF, SymbolKind.LAMBDA, SymbolKind.CLASS)


@rule(
    "LH007",
    "redefined-handler",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    covers=("ruff:F811",),
    bad=(orders(TWICE), orders(IMPORTED, orders=ORDER)),
    good=(
        orders(BRANCHES),
        orders(FALLBACK, fast=ORDER),
        orders(WRAPPED),
        orders(KEPT),
        orders(OVERLOADS),
        orders(TWICE.replace("handler(event, context):  # finding", "main(event, context):")),
    ),
)
def check(module: Module, project: Project, symbols: PerModule[Symbols], outlines: PerModule[Outline]) -> Problems:
    found, outline = symbols.get(module.path), outlines.get(module.path)
    if found is None or outline is None:
        return
    handlers = {each.target.symbol or "" for each in project.functions if each.target.path == module.path}
    for name in sorted(handlers):
        bindings = found.symbols.get(name, ())
        used = {*outline.calls.get("", ()), *outline.mentions.get("", ())}
        if len(bindings) < 2 or f":{name}" in used or any(map(_is_one_of_several, bindings)):
            continue
        *earlier, last = bindings
        if last.kind in _MADE:
            yield Problem(
                Span(
                    last.span.path, last.span.line, last.span.column, last.span.line, last.span.column + 4 + len(name)
                ),
                f"{name} is bound on {_lines(bindings)}; the last one runs",
                related=tuple(Related(each.span, f"this {name} is never called") for each in earlier),
            )


def _is_one_of_several(symbol: Symbol) -> bool:
    """Whether it may be one of alternatives, a registered function, or not a callable yet."""
    decorated = symbol.definition is not None and bool(symbol.definition.decorators)
    return symbol.conditional or decorated or symbol.kind not in (*_MADE, SymbolKind.IMPORT)


def _lines(bindings: tuple[Symbol, ...]) -> str:
    *first, last = (str(each.span.line) for each in bindings)
    return f"lines {', '.join(first)} and {last}"
