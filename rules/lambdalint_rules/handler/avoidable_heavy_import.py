"""A package that only some events need costs its import at every cold start, for all of them.

Imported in the function that uses it, it costs those events alone, and only the first of them.  The times are measured:
processor time on one vCPU.  A report of `lambdalint boot` takes their place.

Source: https://docs.aws.amazon.com/lambda/latest/operatorguide/static-initialization.html
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.import_costs import ImportCost, import_cost
from lambdalint.facts.imports import Import, Imports
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    Measured,
    Module,
    MoveImport,
    PerModule,
    Problem,
    Problems,
    Project,
    Severity,
    rule,
)
from lambdalint_rules.handler.prepared import is_prepared
from lambdalint_rules.handler.samples import orders

BRANCH = """\
import json
import pandas as pd  # finding
import requests

def handler(event, context):
    if event["format"] == "xlsx":
        return export(event["orders"])
    return lines(event["orders"])

def lines(orders):
    return [json.dumps(order) for order in orders]

def export(orders):
    return pd.DataFrame(orders).to_excel("/tmp/orders.xlsx")
"""
FAILURE = """\
import json
import openai  # finding

def handler(event, context):
    try:
        return json.loads(event["body"])
    except ValueError:
        return repaired(event["body"])

def repaired(text):
    return openai.OpenAI().responses.create(input=text)
"""
USED = """\
import json
import matplotlib.pyplot as plt
import numpy as np
import openai
import pandas as pd
import sympy

def handler(event, context):
    if not event.get("orders"):
        return json.dumps([])
    if event["format"] == "xlsx":
        export(event["orders"])
    if event["title"] and event["date"]:
        answer(solve(event["records"]))
    elif event["format"] == "latex":
        answer(solve(event["orders"]))
    else:
        answer([])
    return json.dumps(totals(event["orders"]))

def export(orders):
    return pd.DataFrame(orders).to_excel("/tmp/orders.xlsx")

def totals(orders):
    return pd.DataFrame(orders).sum().to_list(), model(orders)

_client = None

def model(orders):
    global _client
    if _client is None:
        _client = client()
    return _client

def client():
    return openai.OpenAI()

def answer(found):
    print(found)

def solve(records):
    return sympy.solve(records)

def unused():
    plt.show()
"""
ELSEWHERE = "import pandas\n\nFRAMES = pandas.DataFrame()\n"

_WORTH_MS: Final = 100


@rule(
    "LI003",
    "avoidable-heavy-import",
    severity=Severity.INFO,
    confidence=Confidence.MEDIUM,
    fix="unsafe",
    since="0.1.0",
    bad=(orders(BRANCH), orders(FAILURE)),
    good=(
        orders(USED),
        orders(BRANCH.replace("  # finding", ""), "      SnapStart: {ApplyOn: PublishedVersions}\n"),
        orders(
            BRANCH.replace("  # finding", ""),
            "      AutoPublishAlias: live\n      ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 2}\n",
        ),
        orders(BRANCH.replace("  # finding", "").replace("requests", "frames"), frames=ELSEWHERE),
        orders(BRANCH.replace("pandas as pd  # finding", "decimal as pd")),
    ),
)
def check(module: Module, project: Project, imports: PerModule[Imports], modules: PerModule[Calls]) -> Problems:
    found, calls = imports.get(module.path), modules.get(module.path)
    if found is None or calls is None:
        return
    measured = _measured(module, project)
    costly = [(each, cost) for each in found.imports if (cost := _cost(each, found, measured)) is not None]
    functions = project.loaders().get(module.path, ()) if costly else ()
    if not functions or any(each.target.scope_path != module.path or is_prepared(each, project) for each in functions):
        return
    entries = {each.target.scope or "" for each in functions}
    certain, possible = _reached(calls, entries, certain=True), _reached(calls, entries, certain=False)
    for each, cost in costly:
        using = {scope for scope, names in found.used.items() if each.bound in names}
        if not using or using & certain or not using <= possible or _is_loaded_anyway(each, cost, functions, imports):
            continue
        where = " and ".join(f"{scope}()" for scope in sorted(using))
        yield Problem(
            each.span,
            f"{cost.module} ({cost.told(cost.ms)}) is used only in {where}, where not every event gets to",
            hint="import it there",
            fix=Fix("import it there", Applicability.UNSAFE, changes=(MoveImport(each.span, tuple(sorted(using))),)),
        )


def _measured(module: Module, project: Project) -> Measured | None:
    """What was measured of a function that loads the module."""
    if not project.measured:
        return None
    found = map(project.measurement, project.loaders().get(module.path, ()))
    return next((each for each in found if each is not None), None)


def _cost(each: Import, found: Imports, measured: Measured | None) -> ImportCost | None:
    """What the import costs, where it could as well stand in a function."""
    if each.scope or each.guards or each.dynamic or each.in_class or not each.top_level or each.bound is None:
        return None
    if each.bound in found.annotating or each.bound in found.exported:
        return None
    cost = import_cost(each.module if each.name is None else f"{each.module}.{each.name}", measured)
    return cost if cost is not None and cost.ms >= _WORTH_MS and cost.distribution != "boto3" else None


def _reached(calls: Calls, entries: set[str], *, certain: bool) -> set[str]:
    """The scopes that the handlers call, with *certain* those that hardly an event misses."""
    by_scope: dict[str, list[Call]] = {}
    for call in calls.calls:
        if not call.skipped:
            by_scope.setdefault(call.scope, []).append(call)
    times = Counter(call.name for call in calls.calls)
    reached, waiting = {"", *entries}, list(entries)
    while waiting:
        beside = by_scope.get(waiting.pop(), [])
        for call in beside:
            target = call.name[1:] if call.name and call.name[0] == ":" else ""
            if (
                target
                and target not in reached
                and not (certain and any(_chooses(each, beside, times) for each in call.guards))
            ):
                reached.add(target)
                waiting.append(target)
    return reached


def _chooses(guard: Guard, beside: list[Call], times: Counter[str | None]) -> bool:
    """Whether the code under *guard* is for some events, and others have a function of their own instead."""
    if guard.kind is GuardKind.EXCEPT:
        return True
    if not guard.equals or guard.after or guard.negated or not guard.on_event:
        return False
    # What is called in many places, as for answers, is no alternative.
    return any(
        other.at == guard.at and (other.after or other.negated)
        for call in beside
        if call.name and call.name[0] == ":" and times[call.name] == 1
        for other in call.guards
    )


def _is_loaded_anyway(
    each: Import, cost: ImportCost, functions: tuple[Function, ...], imports: PerModule[Imports]
) -> bool:
    """Whether something else on the import path brings the package, too."""
    return any(
        other.top_level == each.top_level or cost.module in _loads(other)
        for other in _imported(functions, imports)
        if other is not each
    )


def _imported(functions: tuple[Function, ...], imports: PerModule[Imports]) -> Iterator[Import]:
    for path in dict.fromkeys(path for each in functions for path in each.modules.values()):
        found = imports.get(path)
        yield from (each for each in found.imports if not each.scope) if found is not None else ()


def _loads(other: Import) -> frozenset[str]:
    cost = import_cost(other.module if other.name in (None, "*") else f"{other.module}.{other.name}")
    return frozenset() if cost is None else cost.loads
