"""What cannot become JSON, held against the client that Lambda runs."""

import json
from typing import Any

import pytest
from awslambdaric.lambda_runtime_marshaller import to_json

from lambdalint.facts.json_values import NAMES, NOT_NUMBERS, RESULTS, JsonValues
from lambdalint.facts.returns import Returns
from lambdalint.facts.symbols import Symbols
from tests.code_facts import Parsed, loaded

MODULE = """\
import collections, dataclasses, datetime, decimal, enum, io, math, os, pathlib, re, types, typing, uuid

class Order:
    def __init__(self, number): self.number = number

class Missing(Exception): ...

@dataclasses.dataclass
class Line: sku: str

class Tags(dict): ...

class Text(str): ...

class Point(typing.NamedTuple):
    x: int
    y: int

class Described:
    def _asdict(self): return {"a": 1}

def several(): yield 1

def names(): return {"a", "b"}

class State(enum.Enum):
    OPEN = "open"

class Rank(str, enum.Enum):
    FIRST = "first"

def response(status, body): return {"statusCode": status, "body": body}

def failing():
    try:
        raise ValueError("a")
    except (ValueError, KeyError) as error:
        return {"error": error}

def explaining():
    try:
        raise ValueError("a")
    except ValueError as error:
        return {"error": str(error)}

def nothing(): ...

"""

REFUSED = (
    "datetime.datetime(2026, 11, 22)",
    "datetime.datetime.now()",
    "datetime.datetime.utcnow()",
    "datetime.datetime.today()",
    "datetime.datetime.fromtimestamp(0)",
    "datetime.datetime.utcfromtimestamp(0)",
    "datetime.datetime.fromisoformat('2026-11-22')",
    "datetime.datetime.strptime('2026', '%Y')",
    "datetime.datetime.combine(datetime.date.today(), datetime.time())",
    "datetime.datetime.now().replace(hour=1)",
    "datetime.datetime.now().astimezone()",
    "datetime.datetime.now().date()",
    "datetime.datetime.now().time()",
    "datetime.date(2026, 11, 22)",
    "datetime.date.today()",
    "datetime.date.fromisoformat('2026-11-22')",
    "datetime.date.fromtimestamp(0)",
    "datetime.time(1)",
    "datetime.time.fromisoformat('01:00')",
    "datetime.timedelta(days=1)",
    "datetime.timezone.utc",
    "datetime.UTC",
    "uuid.UUID(int=1)",
    "uuid.uuid1()",
    "uuid.uuid3(uuid.NAMESPACE_DNS, 'a')",
    "uuid.uuid4()",
    "uuid.uuid5(uuid.NAMESPACE_DNS, 'a')",
    "set([1])",
    "set([1]).union([2])",
    "{1, 2}",
    "{each for each in 'ab'}",
    "frozenset([1])",
    "range(3)",
    "map(str, [1])",
    "filter(None, [1])",
    "zip([1], [2])",
    "enumerate([1])",
    "reversed([1])",
    "iter([1])",
    "object()",
    "(each for each in 'ab')",
    "bytearray(b'a')",
    "memoryview(b'a')",
    "complex(1, 2)",
    "1j",
    "pathlib.Path('/tmp')",
    "pathlib.PurePath('/tmp')",
    "pathlib.PurePosixPath('/tmp')",
    "pathlib.PosixPath('/tmp')",
    "pathlib.Path('/tmp').parent",
    "pathlib.Path('/tmp').resolve()",
    "re.compile('a')",
    "io.StringIO()",
    "io.BytesIO()",
    "collections.deque([1])",
    "types.MappingProxyType({})",
    "types.SimpleNamespace(a=1)",
    "dict(a=1).keys()",
    "dict(a=1).values()",
    "dict(a=1).items()",
    "os.environ",
    "ValueError('a')",
    "Order(1)",
    "Missing('a')",
    "Line('a')",
    "several()",
    "names()",
    "State.OPEN",
    "{State.OPEN: 1}",
    "response(200, datetime.date.today())",
    "failing()",
    "{'a': [{'b': datetime.datetime.now()}]}",
    "{(1, 2): 'a'}",
    "{decimal.Decimal(1): 'a'}",
    "{datetime.date.today(): 'a'}",
    "math.nan",
    "math.inf",
    "float('nan')",
    "float('-inf')",
    "1e999",
    "[float('Infinity')]",
)
TAKEN = (
    "None",
    "True",
    "'text'",
    "b'text'",
    "1.5",
    "float('1.5')",
    "decimal.Decimal('1.5')",
    "{'a': decimal.Decimal(1)}",
    "(1, 2)",
    "[each for each in 'ab']",
    "list({1, 2})",
    "sorted({1, 2})",
    "str(uuid.uuid4())",
    "uuid.uuid4().hex",
    "datetime.datetime.now().isoformat()",
    "datetime.datetime.now().timestamp()",
    "datetime.datetime.now().year",
    "datetime.timedelta(days=1).total_seconds()",
    "pathlib.Path('/tmp').name",
    "collections.Counter('ab')",
    "collections.OrderedDict(a=1)",
    "collections.defaultdict(list)",
    "dict(os.environ)",
    "os.environ.get('HOME')",
    "{1: 'a', None: 'b', True: 'c', 1.5: 'd', b'e': 'f'}",
    "Tags(a=1)",
    "Text('a')",
    "Point(1, 2)",
    "Described()",
    "dataclasses.asdict(Line('a'))",
    "Order(1).number",
    "str(ValueError('a'))",
    "len({1, 2})",
    "nothing()",
    "State.OPEN.value",
    "Rank.FIRST",
    "response(200, 'text')",
    "explaining()",
    "re.compile('a').pattern",
    "io.StringIO('a').getvalue()",
    "http_status()",
)


def _misfits(expression: str) -> list[str]:
    code = f"{MODULE}\ndef handler(event, context):\n    return {expression}\n"
    tree, function = loaded({"app.py": code})
    returns = Parsed(tree, Returns)
    values = JsonValues(function, Parsed(tree, Symbols), returns)
    value = returns["app.py"].get("handler")[0].value
    return [misfit.what for misfit in values.misfits(value, "app.py")]


def _value(expression: str) -> Any:
    scope: dict[str, Any] = {"http_status": lambda: 200}
    exec(MODULE, scope)
    return eval(expression, scope)


@pytest.mark.parametrize("expression", REFUSED)
def test_what_is_said_not_to_become_json_does_not(expression: str) -> None:
    value = _value(expression)
    assert _misfits(expression)
    try:
        text = to_json(value)
    except TypeError:
        return
    with pytest.raises(ValueError, match="no JSON"):
        json.loads(text, parse_constant=_refuse)


@pytest.mark.parametrize("expression", TAKEN)
def test_what_becomes_json_is_not_found(expression: str) -> None:
    json.loads(to_json(_value(expression)), parse_constant=_refuse)
    assert not _misfits(expression)


def test_every_name_in_the_tables_is_held_against_the_client() -> None:
    exceptions = {name for name, what in RESULTS.items() if what == "an exception"}
    numpy = {name for name in NOT_NUMBERS if name.startswith("numpy.")}
    views = {"dict.keys", "dict.values", "dict.items", "cmath.nan"}
    named = {name.partition("(")[0].lstrip("-") for name in REFUSED}
    assert {*RESULTS, *NAMES, *NOT_NUMBERS} - exceptions - numpy - views <= named


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
