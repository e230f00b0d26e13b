"""Importing the handler may take ten seconds; what takes longer is cut off, and starts anew in the first invocation.

There it counts against the function's timeout.  The times are measured: processor time on one vCPU with warm files,
which is what init is seen to get whatever the memory.  A cold environment takes longer, so half of the limit is too
close to it.  A report of `lambdalint boot` takes their place.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from collections.abc import Iterator
from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.facts.import_costs import ImportCost, import_cost
from lambdalint.facts.imports import Imports
from lambdalint.facts.reach import Reach
from lambdalint.rule import (
    Confidence,
    Function,
    PerModule,
    Problem,
    Problems,
    Project,
    Related,
    Severity,
    Span,
    rule,
)
from lambdalint_rules.handler.orders import ORDERS
from lambdalint_rules.handler.prepared import is_prepared

HEAVY = """\
import anthropic
import awswrangler
import dask.dataframe
import fastapi
import fitz
import geopandas
import google.cloud.bigquery
import kubernetes
import langchain.agents
import langchain_aws
import litellm  # finding
import nltk
import openai
import polars
import seaborn
import sklearn.ensemble
import sqlalchemy.orm
import statsmodels.api
import sympy
from helpers import total

def handler(event, context):
    return total(event)
"""
HELPERS = """\
import flask
import s3fs

def total(event):
    import numba
    return event
"""

_SHOWN: Final = 3


@rule(
    "LI005",
    "init-over-budget",
    severity=Severity.INFO,
    confidence=Confidence.LOW,
    since="0.1.0",
    bad={"template.yaml": ORDERS, "src/app.py": HEAVY, "src/helpers.py": HELPERS},
    good=(
        {
            "template.yaml": ORDERS,
            "src/app.py": "import pandas\nimport sklearn\n" + HELPERS.replace("total", "handler"),
        },
        {
            "template.yaml": ORDERS + "      SnapStart: {ApplyOn: PublishedVersions}\n",
            "src/app.py": HEAVY.replace("  # finding", ""),
            "src/helpers.py": HELPERS,
        },
    ),
)
def check(function: Function, project: Project, reach: Reach, imports: PerModule[Imports]) -> Problems:
    init_s = limit("init", "max_s")
    measured = project.measurement(function)
    if measured is not None:
        if measured.init_ms >= init_s * 1000 / 2 and not is_prepared(function, project):
            yield Problem(
                function.span,
                f"init took {measured.init_ms / 1000:.1f} s when it was measured; it is cut off at {init_s} s",
                hint="import in the functions that need it, or split the function",
                confidence=Confidence.MEDIUM,
            )
        return
    costs = dict(_costs(function, reach, imports))
    shares = dict(_shares(list(costs)))
    total_ms = sum(shares.values())
    if total_ms < init_s * 1000 / 2 or is_prepared(function, project):
        return
    costly = sorted(shares, key=lambda each: (-shares[each], each.module))[:_SHOWN]
    listed = ", ".join(f"{each.module} {shares[each] / 1000:.1f} s" for each in costly)
    yield Problem(
        costs[costly[0]],
        f"imports take about {total_ms / 1000:.1f} s of one vCPU; init is cut off at {init_s} s ({listed} …)",
        related=tuple(Related(costs[each], f"imports {each.module}") for each in costly[1:]),
        hint="import in the functions that need it, or split the function",
    )


def _costs(function: Function, reach: Reach, imports: PerModule[Imports]) -> Iterator[tuple[ImportCost, Span]]:
    """What is imported with the handler, of the packages that are measured, and where."""
    for path in dict.fromkeys(function.modules.values()):
        found = imports.get(path) if (path, "") in reach.init else None
        for each in found.imports if found is not None else ():
            if each.scope or each.level or each.conditional or each.top_level in function.modules:
                continue
            cost = import_cost(each.module if each.name in (None, "*") else f"{each.module}.{each.name}")
            if cost is not None:
                yield cost, each.span


def _shares(costs: list[ImportCost]) -> Iterator[tuple[ImportCost, float]]:
    """Each with the milliseconds that it adds to those before it: what they load as well is there already."""
    there: set[str] = set()
    for each in costs:
        shared = [found for module in each.loads & there if (found := import_cost(module)) is not None]
        outer = [part for part in shared if not any(part.module in other.loads for other in shared)]
        if each.module not in there:
            yield each, max(0.0, each.ms - sum(part.ms for part in outer))
        there |= {each.module, *each.loads}
