"""What lives longer than an invocation: collections that grow, values read once, work that nobody waits for."""

import pytest

from lambdalint.facts.calls import Calls
from lambdalint.facts.expressions import text
from lambdalint.facts.frozen import Fresh, Frozen
from lambdalint.facts.growing import Growing
from lambdalint.facts.package_paths import package_path
from lambdalint.facts.waits import Waits
from tests.code_facts import fact


def grown(text: str) -> list[tuple[str, str, bool, bool]]:
    return [(each.name, each.kind, each.tested, each.sought) for each in fact(Growing, text).growths]


@pytest.mark.parametrize(
    ("start", "change", "kind"),
    [
        ("[]", "found.append(x)", "list"),
        ("list()", "found.extend(x)", "list"),
        ("{1}", "found.add(x)", "set"),
        ("{}", "found[x] = 1", "dict"),
        ("Counter()", "found[x] += 1", "dict"),
        ("deque([])", "found.appendleft(x)", "list"),
    ],
)
def test_a_collection_of_the_module_grows(start: str, change: str, kind: str) -> None:
    head = f"from collections import Counter, deque\nfound = {start}\n"
    assert grown(f"{head}def f(x):\n    {change}\n") == [("found", kind, False, False)]
    assert grown(f"{head}{change.replace('x', '1')}\n") == []


@pytest.mark.parametrize(
    "change",
    [
        "found.append(x); found.clear()",
        "found.append(x); y = found.pop(0)",
        "found.append(x); del found[0]",
        "found.append(x); found[:] = []",
        "found.append(x); send(found)",
        "found.append(x); y = send(rows=found)",
        "found.append(x); x.later(found.clear)",
        "found.append(x); y = found; y.clear()",
        "global found; found.append(x); found = []",
        "found = []; found.append(x)",
        "found.sort()",
        "found[0] = x",
    ],
)
def test_what_is_cut_somewhere_does_not_grow(change: str) -> None:
    assert grown(f"found = []\ndef send(x): ...\ndef f(x):\n    {change}\n") == []


def test_a_condition_may_seek_in_a_collection_or_ask_how_large_it_is() -> None:
    assert grown("found = {}\ndef f(x):\n  if x not in found:\n    found[x] = 1\n") == [("found", "dict", True, True)]
    assert grown("found = []\ndef f(x):\n  if len(found) < 9:\n    found.append(x)\n") == [
        ("found", "list", True, False)
    ]
    assert grown("found = {}\ndef f(x):\n  if found.get(x):\n    return\n  found[x] = 1\n") == [
        ("found", "dict", True, True)
    ]


def test_a_default_grows_unless_the_function_makes_its_own() -> None:
    (growth,) = fact(Growing, "def f(x, seen=[]):\n    seen.append(x)\n").growths
    assert growth.default
    assert grown("def f(x, seen=[]):\n    seen = list(seen)\n    seen.append(x)\n") == []
    assert grown("def f(x, seen=None):\n    seen.append(x)\n") == []


def frozen(text: str) -> list[tuple[str, Fresh]]:
    head = "import os, random, time, uuid\nfrom datetime import datetime, timedelta\n"
    return [(each.name, each.fresh) for each in fact(Frozen, head + text).values]


@pytest.mark.parametrize(
    ("value", "fresh"),
    [
        ("datetime.now()", Fresh.TIME),
        ("(datetime.now() - timedelta(days=1)).isoformat()", Fresh.TIME),
        ("int(time.time())", Fresh.TIME),
        ("f'{datetime.now():%Y}'", Fresh.TIME),
        ("uuid.uuid4().hex[:8]", Fresh.RANDOM),
        ("os.getenv('_X_AMZN_TRACE_ID')", Fresh.TRACE),
    ],
)
def test_a_value_is_read_once(value: str, fresh: Fresh) -> None:
    assert frozen(f"NOW = {value}\ndef f(x):\n    return {{'at': NOW}}\n") == [("NOW", fresh)]


@pytest.mark.parametrize(
    "use",
    [
        "return time.time() - NOW",
        "logger.info('at %s', NOW)",
        "print(f'{NOW}')",
        "x = NOW",
        "global NOW; NOW = 1; x(NOW)",
    ],
)
def test_a_duration_and_a_log_line_keep_nothing(use: str) -> None:
    assert frozen(f"NOW = time.time()\ndef f(x):\n    {use}\n") == []


def test_a_default_is_read_once_but_not_one_of_an_inner_function() -> None:
    assert frozen("def f(x, at=datetime.now()):\n    return at\n") == [("at", Fresh.TIME)]
    assert frozen("def f(x, at=datetime.now()):\n    return x\n") == []
    assert frozen("def f(x):\n  def g(at=datetime.now()):\n    return at\n  return g\n") == []


def test_joining_text_waits_for_nothing() -> None:
    assert fact(Waits, "def f(x):\n    ', '.join(x); os.path.join('a', x)\n").waited == {}
    assert fact(Waits, "def f(x):\n    x.join(); x.join(5)\n").waited == {"f": frozenset(("join",))}


def test_a_task_is_dropped_unless_something_has_it() -> None:
    text = "import asyncio\nasync def f():\n    {}\n"
    for dropping in ("asyncio.create_task(g())", "task = asyncio.create_task(g())"):
        assert len(fact(Waits, text.format(dropping)).dropped) == 1
    for keeping in (
        "await asyncio.create_task(g())",
        "t = asyncio.create_task(g()); await t",
        "return asyncio.create_task(g())",
    ):
        assert fact(Waits, text.format(keeping)).dropped == ()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("Path(__file__).parent / 'a.json'", "shop/a.json"),
        ("Path(__file__).resolve().parent.parent / 'a.json'", "a.json"),
        ("Path(__file__).parent.joinpath('data', 'a.json')", "shop/data/a.json"),
        ("os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'a.json')", "a.json"),
        ("Path(__file__).parent.parent.parent / 'a.json'", "../a.json"),
        ("os.environ['LAMBDA_TASK_ROOT'] + '/a.json'", "a.json"),
        ("Path(__file__).with_name('a.json')", "shop/a.json"),
        ("'a.json'", "a.json"),
        ("'/var/lang/a.json'", None),
        ("'/tmp/a.json'", None),
        ("'s3://bucket/a.json'", None),
        ("Path(x).parent / 'a.json'", None),
    ],
)
def test_a_path_is_followed_into_the_package(path: str, found: str | None) -> None:
    call = fact(Calls, f"import os\nfrom pathlib import Path\ndef f(x):\n    probe({path})\n").calls
    (probe,) = [each for each in call if each.name == "probe"]
    assert package_path(probe.args[0], "shop/app.py") == found
    assert found is None or text(probe.args[0]) in (None, found)
