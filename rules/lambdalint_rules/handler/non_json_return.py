"""Lambda turns what a handler returns into JSON and fails with ``Runtime.MarshalError`` where it cannot.

The handler has done its work by then, and an asynchronous or polled event is tried again.  Decimals, named tuples,
bytes in UTF-8, enumerations of text or numbers and keys that are numbers are fine; a datetime, a set, a UUID, a plain
enumeration, a dataclass or a generator is not.  NaN and infinities go out, but no JSON parser takes them.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from typing import Final

from lambdalint.facts.entry import Entry
from lambdalint.facts.json_values import JsonValues, Misfit
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.returns import Returns
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import Applicability, Fix, Function, Problem, Problems, Related, Severity, Span, Wrap, rule
from lambdalint_rules.handler.orders import ORDERS


def _returning(value: str, before: str = "", imports: str = "import datetime, decimal, math, uuid") -> dict[str, str]:
    body = f"    {before}\n" if before else ""
    return {"template.yaml": ORDERS, "src/app.py": f"{imports}\n\ndef handler(event, context):\n{body}    {value}\n"}


BUILT = """\
from datetime import datetime
from models import Order

def handler(event, context):
    order = {"id": event["id"]}
    order["at"] = datetime.now()
    if event.get("new"):
        return Order(event["id"])  # finding
    return {"order": order}  # finding
"""
MODELS = """\
from dataclasses import dataclass
from enum import Enum

class State(Enum):
    OPEN = "open"

class Rank(str, Enum):
    FIRST = "first"

@dataclass
class Order:
    id: str
"""
HELPER = """\
def handler(event, context):
    return {"statusCode": 200, "ids": ids(event)}  # finding

def ids(event):
    if not event:
        return []
    return {each["id"] for each in event["orders"]}
"""
CONVERTED = """\
import json
from collections import Counter, OrderedDict, namedtuple
from dataclasses import asdict
from datetime import datetime
from models import Order, Rank

Point = namedtuple("Point", "x y")

def handler(event, context):
    at = datetime.now()
    at = at.isoformat()
    seen = set()
    seen.add(event["id"])
    result = {"at": datetime.now(), "seen": sorted(seen), "point": Point(1, 2), "rank": Rank.FIRST}
    result["at"] = result["at"].isoformat()
    result["order"] = asdict(Order(event["id"]))
    result["body"] = json.dumps({"at": datetime.now()}, default=str)
    result["counts"] = Counter(event["tags"])
    times = {"start": datetime.now(), "end": datetime.now(), "now": datetime.now(), "last": datetime.now()}
    result["start"] = times.pop("start").isoformat()
    del times["end"]
    for name in list(times):
        times[name] = times[name].isoformat()
    result["times"] = times
    days = {"first": datetime.now()}
    make_text(days)
    result["days"] = days
    return {"result": result, "at": at, 1: None, "year": datetime.now().year}

def make_text(days):
    days["first"] = days["first"].isoformat()
"""
CLEANED = """\
from datetime import datetime

def handler(event, context):
    return clean({"at": datetime.now(), "ids": {1, 2}})

def clean(value):
    if isinstance(value, dict):
        return {key: clean(each) for key, each in value.items()}
    if isinstance(value, set):
        return sorted(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value
"""
RESOLVER = """\
from datetime import datetime
from framework import resolver

@resolver
def handler(event, context):
    return {"at": datetime.now()}
"""

_CONVERSIONS: Final = {
    **dict.fromkeys(("a datetime", "a date", "a time"), "{}.isoformat()"),
    **dict.fromkeys(("a timedelta", "a UUID", "a Path"), "str({})"),
    **dict.fromkeys(("a set", "a frozenset"), "sorted({})"),
    **dict.fromkeys(("a dict view", "a generator", "a range", "a map", "a filter", "a deque"), "list({})"),
}


@rule(
    "LH005",
    "non-json-return",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    covers=("sonar:S7613",),
    bad=(
        _returning('return {"at": datetime.datetime.now()}  # finding'),
        _returning('return {"id": uuid.uuid4(), "ok": True}  # finding'),
        _returning('return {"total": float("nan")}  # finding'),
        _returning('return {**event, "at": datetime.datetime.now()}  # finding'),
        _returning('return {"tags": [set(event["tags"])]}  # finding'),
        _returning('return (order for order in event["orders"])  # finding'),
        _returning('return {(1, 2): "corner"}  # finding'),
        _returning("return counts.keys()  # finding", 'counts = {"a": 1}'),
        {"template.yaml": ORDERS, "src/app.py": BUILT, "src/models.py": MODELS},
        {
            "template.yaml": ORDERS,
            "src/app.py": "import models\n\ndef handler(event, context):\n    return models.State.OPEN  # finding\n",
            "src/models.py": MODELS,
        },
        {"template.yaml": ORDERS, "src/app.py": HELPER},
    ),
    good=(
        _returning('return {"at": datetime.datetime.now().isoformat(), "price": decimal.Decimal("1.5")}'),
        _returning('return {"data": b"text", "pair": (1, 2), 1: str(uuid.uuid4())}'),
        _returning("return b'raw'"),
        _returning('return fetch(event)["items"]', imports="from service import fetch"),
        {"template.yaml": ORDERS, "src/app.py": CONVERTED, "src/models.py": MODELS},
        {"template.yaml": ORDERS, "src/app.py": CLEANED},
        {"template.yaml": ORDERS, "src/app.py": RESOLVER},
        {
            "template.yaml": ORDERS,
            "src/app.py": HELPER.replace("return {each", "return [each")
            .replace("]}\n", "]]\n")
            .replace("  # finding", ""),
        },
    ),
)
def check(function: Function, entry: Entry, symbols: PerModule[Symbols], returns: PerModule[Returns]) -> Problems:
    definition, path = entry.definition, entry.path
    if definition is None or path is None or definition.is_deferred:
        return
    values = JsonValues(function, symbols, returns)
    found = returns.get(path)
    for each in found.get(definition.scope) if found is not None else ():
        for misfit in values.misfits(each.value, path):
            consequence = "which is no JSON" if misfit.invalid else "which Lambda cannot turn into JSON"
            yield Problem(
                each.span,
                f"the handler returns {misfit.what}{_where(misfit)}, {consequence}".replace(",,", ","),
                related=(Related(misfit.at, "it comes out of here"),) if misfit.at else (),
                fix=_converting(each.span, misfit),
            )


def _converting(returned: Span, misfit: Misfit) -> Fix | None:
    """The fix that returns text or a list instead; only where all that leads to the value is written there."""
    pattern = _CONVERSIONS.get(misfit.what)
    keys = tuple(key for key in misfit.keys if key is not None)
    if pattern is None or misfit.at or misfit.as_key or len(keys) < len(misfit.keys):
        return None
    return Fix(f"return {pattern.format('…')}", Applicability.UNSAFE, changes=(Wrap(returned, pattern, keys),))


def _where(misfit: Misfit) -> str:
    keys = "".join("[…]" if key is None else f'["{key}"]' for key in misfit.keys)
    if misfit.as_key:
        return f" as a key in {keys}" if keys else " as a key"
    if len(misfit.keys) == 1 and misfit.keys[0] is not None:
        return f' under "{misfit.keys[0]}"'
    return f" in {keys}" if keys else ""
