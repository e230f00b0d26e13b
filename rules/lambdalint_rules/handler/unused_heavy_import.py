"""A package that nothing uses still costs its import at every cold start.

Init time is billed, and it is time that the first caller waits.  The usual ways there are an import left over from
earlier code, and a module of helpers that every handler imports although only some need its heavy half.

The times are measured: processor time on one vCPU, which init is seen to get whatever the memory.  A report of
`lambdalint boot` takes their place.

Source: https://docs.aws.amazon.com/lambda/latest/operatorguide/static-initialization.html
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.import_costs import ImportCost, import_cost
from lambdalint.facts.imports import Import, Imports
from lambdalint.facts.outline import Outline
from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.reach import Reach
from lambdalint.rule import Confidence, Function, Measured, Problem, Problems, Project, Severity, rule
from lambdalint_rules.handler.orders import ORDERS

LEFT_OVER = """\
import json
import pandas as pd  # finding

def handler(event, context):
    return json.dumps(event)
"""
SHARED = """\
from reports import total

def handler(event, context):
    return total(event["orders"])
"""
REPORTS = """\
import pandas as pd  # finding

def total(orders):
    return sum(order["price"] for order in orders)

def table(orders):
    return pd.DataFrame(orders)
"""
USED = """\
import boto3
import numpy as np
import openpyxl
import pandas as pd
import requests
from reports import table, pd as frames

def handler(event, context):
    boto3.client("s3").put_object(Bucket="b", Key="k", Body=frames.DataFrame(event).to_csv())
    return fetch(event)

def fetch(event) -> requests.Response:
    return None
"""
GUARDED = """\
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
try:
    import polars
except ImportError:
    polars = None

def handler(event, context):
    import matplotlib.pyplot
    return event
"""
BY_NAME = """\
import sys
import pandas as pd

def handler(event, context):
    return getattr(sys.modules[__name__], event["report"])(event)

def table(event):
    return pd.DataFrame(event)
"""
REGISTERED = """\
import pandas as pd
from registry import Reports

reports = Reports()

@reports.named("sales")
def sales(orders):
    return pd.DataFrame(orders)

def handler(event, context):
    return reports.make(event["report"], event["orders"])
"""
REGISTRY = """\
class Reports:
    def __init__(self):
        self.known = {}

    def named(self, name):
        return lambda function: self.known.setdefault(name, function)

    def make(self, name, orders):
        return self.known[name](orders).to_csv()
"""
NEEDED_ELSEWHERE = """\
import boto3
import company_library

def handler(event, context):
    return company_library.work(event)
"""

_WORTH_MS: Final = 50

#: Packages that others load by name when they are installed, with those others.
_PLUGINS: Final[Mapping[str, tuple[str, ...]]] = {
    "cryptography": ("jwt", "pymysql"),
    "jinja2": ("fastapi", "pandas", "starlette"),
    "lxml": ("bs4", "pandas"),
    "matplotlib": ("pandas",),
    "numba": ("pandas",),
    "openpyxl": ("pandas",),
    "psycopg": ("django", "sqlalchemy"),
    "psycopg2": ("django", "sqlalchemy"),
    "pyarrow": ("dask", "pandas", "polars"),
    "pymysql": ("sqlalchemy",),
    "s3fs": ("dask", "fsspec", "pandas"),
    "scipy": ("networkx", "pandas"),
    "seaborn": ("matplotlib",),
    "statsmodels": ("plotly", "seaborn"),
}

#: Packages outside the table that import none of it.
_LIGHT: Final = frozenset(
    (
        "cfnresponse",
        "dateutil",
        "jmespath",
        "jwt",
        "markupsafe",
        "orjson",
        "pytz",
        "simplejson",
        "six",
        "tabulate",
        "typing_extensions",
        "ujson",
        "ulid",
        "urllib3",
        "xmltodict",
        "yaml",
    )
)

#: Calls that may use any name of a module.
_REFLECTIVE: Final = frozenset(("eval", "exec", "globals", "locals", "vars"))


@dataclass(frozen=True, slots=True)
class _Loaded:
    """An import at module level on the import path, and its cost where that is known for exactly this module."""

    path: str
    statement: Import
    cost: ImportCost | None
    exact: bool

    @property
    def module(self) -> str:
        return self.statement.module


@rule(
    "LI002",
    "unused-heavy-import",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        {"template.yaml": ORDERS, "src/app.py": LEFT_OVER},
        {"template.yaml": ORDERS, "src/app.py": SHARED, "src/reports.py": REPORTS},
        {"template.yaml": ORDERS, "src/app.py": "import boto3  # finding\n\ndef handler(event, context): ...\n"},
    ),
    good=(
        {"template.yaml": ORDERS, "src/app.py": USED, "src/reports.py": REPORTS.replace("  # finding", "")},
        {"template.yaml": ORDERS, "src/app.py": GUARDED},
        {"template.yaml": ORDERS, "src/app.py": BY_NAME},
        {"template.yaml": ORDERS, "src/app.py": REGISTERED, "src/registry.py": REGISTRY},
        {"template.yaml": ORDERS, "src/app.py": NEEDED_ELSEWHERE},
        {"template.yaml": ORDERS, "src/app.py": LEFT_OVER.replace("pandas as pd  # finding", "csv")},
    ),
)
def check(
    function: Function,
    project: Project,
    reach: Reach,
    calls: PathCalls,
    imports: PerModule[Imports],
    outlines: PerModule[Outline],
) -> Problems:
    measured = project.measurement(function)
    loaded = list(_loaded(function, reach, imports, measured))
    said: set[str] = set()
    for each in loaded:
        cost = each.cost
        if cost is None or cost.distribution in said:
            continue
        saved_ms = cost.ms - _shared_ms(each, cost, loaded, measured)
        if saved_ms < _WORTH_MS:
            continue
        if _is_needed(each, cost, loaded) or _is_kept(each, imports):
            continue
        found = imports[each.path]
        bound = {other.statement.bound for other in loaded if _is_same(other, each)}
        using = {scope for scope, names in found.used.items() if bound & names}
        if any((each.path, scope) in reach.init | reach.invoke or "." in scope for scope in using):
            continue
        if _is_used_from_elsewhere(each, calls, reach, outlines, imports, function):
            continue
        said.add(cost.distribution)
        # The runtime brings boto3: its size is nobody's.
        size = "" if cost.distribution == "boto3" else f", {cost.mb:.0f} MB"
        yield Problem(
            each.statement.span,
            f"importing {_dotted(each.path, function)} loads {_shown(each.statement, cost)} "
            f"({cost.told(saved_ms)}{size}), which nothing on this handler's path uses",
            related=reach.way(each.path, "", "init"),
            confidence=Confidence.LOW if using else None,
        )


def _loaded(
    function: Function, reach: Reach, imports: PerModule[Imports], measured: Measured | None
) -> Iterator[_Loaded]:
    """What comes from outside the project and the standard library when the handler is imported."""
    own = {dotted.partition(".")[0] for dotted in function.modules}
    for path in dict.fromkeys(function.modules.values()):
        found = imports.get(path) if (path, "") in reach.init else None
        for each in found.imports if found is not None else ():
            top = each.top_level
            if each.scope or each.skipped or not top or top in own or top in sys.stdlib_module_names:
                continue
            whole = each.module if each.name in (None, "*") else f"{each.module}.{each.name}"
            cost = import_cost(whole, measured)
            yield _Loaded(path, each, cost, cost is not None and cost.module in (whole, each.module))


def _is_needed(each: _Loaded, cost: ImportCost, loaded: list[_Loaded]) -> bool:
    """Whether something else on the import path loads the package anyway, or may."""
    top = each.statement.top_level
    for other in loaded:
        if other.statement is each.statement or _is_same(other, each):
            continue
        other_top = other.statement.top_level
        if other_top == top or other_top in _PLUGINS.get(top, ()):
            return True
        if other.cost is None or not other.exact:
            if other_top not in _LIGHT:
                return True
        elif any(module == cost.module or module.startswith(f"{top}.") for module in other.cost.loads):
            return True
    return False


def _shared_ms(each: _Loaded, cost: ImportCost, loaded: list[_Loaded], measured: Measured | None) -> float:
    """What the costliest part of the package takes that others on the import path load as well."""
    others = {
        module
        for other in loaded
        if other.cost is not None and not _is_same(other, each)
        for module in (other.cost.module, *other.cost.loads)
    }
    parts = (import_cost(module, measured) for module in cost.loads & others)
    return max((part.ms for part in parts if part is not None), default=0)


def _is_same(other: _Loaded, each: _Loaded) -> bool:
    """Whether both are names that one statement takes out of one module."""
    return other.path == each.path and other.statement.span == each.statement.span and other.module == each.module


def _is_kept(each: _Loaded, imports: PerModule[Imports]) -> bool:
    """Whether the statement may be there for its effect, for others to import, or for an annotation."""
    statement, found = each.statement, imports[each.path]
    return (
        statement.bound is None
        or statement.dynamic
        or bool(statement.guards)
        or statement.in_class
        or each.path.endswith("__init__.py")
        or statement.bound in found.annotating
        or statement.bound in found.exported
    )


def _is_used_from_elsewhere(
    each: _Loaded,
    calls: PathCalls,
    reach: Reach,
    outlines: PerModule[Outline],
    imports: PerModule[Imports],
    function: Function,
) -> bool:
    """Whether some code takes the name out of the module that binds it, or may take any."""
    last = f".{_dotted(each.path, function).rpartition('.')[2]}.{each.statement.bound}."
    for call in calls.calls:
        if call.name is None:
            continue
        if (call.name in _REFLECTIVE and call.path == each.path) or f"{call.name}.".startswith(f"{each.module}."):
            return True
    for path in {path for path, _ in reach.init | reach.invoke}:
        outline, found = outlines.get(path), imports.get(path)
        for names in (*outline.calls.values(), *outline.mentions.values()) if outline is not None else ():
            if any(last in f".{name}." or name.startswith("sys.modules") for name in names):
                return True
        for other in found.imports if found is not None else ():
            taken = f".{other.module}.{each.statement.bound if other.name == '*' else other.name}."
            if taken.endswith(last):
                return True
    return False


def _dotted(path: str, function: Function) -> str:
    return next((dotted for dotted, each in function.modules.items() if each == path), path)


def _shown(statement: Import, cost: ImportCost) -> str:
    return cost.module if cost.module.startswith(statement.module) else statement.module
