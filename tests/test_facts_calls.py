import ast
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.env_reads import EnvReads
from lambdalint.facts.expressions import (
    NONE,
    CallOf,
    Collection,
    Either,
    Env,
    EventPath,
    Joined,
    Literal,
    Name,
    Parameter,
    depends_on_event,
    text,
    text_prefix,
)
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.imports import Imports
from lambdalint.facts.outline import Outline
from lambdalint.facts.returns import Returns
from lambdalint.facts.symbols import Symbols
from tests.code_facts import fact


def calls(source: str) -> tuple[Call, ...]:
    return fact(Calls, source).calls


def names(source: str) -> list[str | None]:
    return [call.name for call in calls(source)]


def last(source: str) -> Call:
    return calls(source)[-1]


def argument(source: str) -> object:
    """What the argument of the call ``probe(…)`` is."""
    return next(call for call in calls(source) if call.name == "probe").args[0]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import boto3 as b\nb.client('s3').put_object()", "boto3.client(s3).put_object"),
        ("from boto3 import client as c\ns3 = c('s3')\ns3.get_object()", "boto3.client(s3).get_object"),
        ("import boto3\nboto3.client(service_name='s3').get_object()", "boto3.client().get_object"),
        (
            "import boto3\ntable = boto3.resource('dynamodb').Table('t')\ndef f(): table.put_item()",
            "boto3.resource(dynamodb).Table().put_item",
        ),
        ("import boto3\nboto3.Session().client('s3').get_object()", "boto3.Session().client(s3).get_object"),
        ("import requests\nwith requests.Session() as s:\n  s.get('u')", "requests.Session().get"),
        ("import requests\nif (s := requests.Session()):\n  s.get('u')", "requests.Session().get"),
        ("import os.path as p\np.join('a')", "os.path.join"),
        ("import os.path\nos.path.join('a')", "os.path.join"),
        ("open('x')", "open"),
        ("def open(x): ...\nopen('x')", ":open"),
        ("from .clients import table\ntable.put_item()", ".clients.table.put_item"),
        ("from .. import clients\nclients.s3.get()", "..clients.s3.get"),
        ("'{}'.join('a')", "str.join"),
        ("from helpers import *\ngo()", "helpers.go"),
        ("from a import *\nfrom b import *\ngo()", None),
        ("from a import *\nlen('')", "len"),
    ],
)
def test_calls_are_named_through_aliases_imports_and_assignments(source: str, name: str | None) -> None:
    assert last(source).name == name


def test_a_client_set_in_the_constructor_is_known_in_the_methods() -> None:
    source = """
        import boto3
        class Store:
            region = "eu-west-1"
            def __init__(self, name):
                self.client = boto3.client("s3")
                self.name = name
            def save(self, data):
                self.client.put_object(Bucket=self.name, Key=self.region)
                self.log()
            def log(self): ...
        store = Store("x")
        def handler(event, context):
            store.save(1)
            store.client.get_object()
    """
    assert names(source)[1:] == [
        "boto3.client(s3).put_object",
        ":Store.log",
        ":Store",
        ":Store.save",
        "boto3.client(s3).get_object",
    ]
    put = next(call for call in calls(source) if call.name == "boto3.client(s3).put_object")
    assert put.keywords == {"Bucket": Parameter("name"), "Key": Literal("eu-west-1")}
    assert put.scope == "Store.save"


def test_a_name_assigned_to_different_things_is_unknown() -> None:
    assert last("import a, b\nx = a.f()\nx = b.f()\nx.go()").name is None


def test_a_lazily_kept_client_is_known_although_it_starts_as_none() -> None:
    source = """
        import boto3
        client = None
        def handler(event, context):
            global client
            if client is None:
                client = boto3.client("s3")
            client.get_object()
    """
    made, used = calls(source)
    assert used.name == "boto3.client(s3).get_object"
    assert made.guards == (Guard(GuardKind.UNSET, ("client",)),)
    assert used.guards == ()


def test_a_guard_tells_what_follows_a_branch_that_leaves_from_what_stands_in_one() -> None:
    source = """
        def handler(event, context):
            if event["kind"] == "a":
                return first()
            if not event["kind"]:
                return second()
            return third()
    """
    first, second, third = ([(each.after, each.equals) for each in call.guards] for call in calls(source))
    assert first == [(False, True)]
    assert second == [(False, False), (True, True)]
    assert third == [(True, False), (True, True)]


@pytest.mark.parametrize(
    ("expression", "guard"),
    [
        ("client or boto3.client('s3')", Guard(GuardKind.UNSET, ("client",))),
        ("client and boto3.client('s3')", Guard(GuardKind.UNSET, ("client",), negated=True)),
        ("not client and boto3.client('s3')", Guard(GuardKind.UNSET, ("client",))),
    ],
)
def test_what_stands_behind_and_or_or_runs_under_a_condition(expression: str, guard: Guard) -> None:
    (made,) = calls(f"import boto3\nclient = None\ndef handler(event, context):\n    return {expression}\n")
    assert made.guards == (guard,)


def test_locals_hide_globals_and_class_bodies_hide_nothing_from_methods() -> None:
    source = """
        import requests
        class A:
            requests = 1
            def f(self): requests.get("u")
        def g(requests): requests.get("u")
    """
    first, second = calls(source)
    assert first.name == "requests.get"
    assert second.name is None
    assert second.receiver == Parameter("requests")


def test_a_target_of_a_comprehension_is_only_known_inside() -> None:
    source = "import requests\n[requests.get(x) for requests in y]\nrequests.get(1)"
    assert sorted(names(source), key=str) == [None, "requests.get"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("os.environ['A']", Env("A")),
        ("os.environ.get('A')", Env("A", NONE)),
        ("os.getenv('A', 'b')", Env("A", Literal("b"))),
        ("env['A']", Env("A")),
        ("'a' + 'b' + name", Joined((Literal("ab"), Parameter("name")))),
        ("f'/tmp/{name}.csv'", Joined((Literal("/tmp/"), Parameter("name"), Literal(".csv")))),
        ("'/tmp/%s.csv' % name", Joined((Literal("/tmp/"), Parameter("name"), Literal(".csv")))),
        ("'/tmp/{}.csv'.format(name)", Joined((Literal("/tmp/"), Parameter("name"), Literal(".csv")))),
        ("'{1}-{0}'.format('a', 'b')", Literal("b-a")),
        ("f'{1}{BASE}'", Literal("1/tmp")),
        ("15 * 60", Literal(900)),
        ("-1", Literal(-1)),
        ("(1, 'a')", Collection("tuple", (Literal(1), Literal("a")))),
        ("{'a': 1, **{'b': 2}}", Collection("dict", (Literal(1), Literal(2)), (Literal("a"), Literal("b")))),
        ("dict(a=1)", Collection("dict", (Literal(1),), (Literal("a"),))),
        ("1 if name else 2", Either((Literal(1), Literal(2)))),
        ("uuid.uuid4()", CallOf("uuid.uuid4")),
        ("os.sep", Name("os.sep")),
    ],
)
def test_expressions_are_described(expression: str, expected: object) -> None:
    source = f"import os, uuid\nfrom os import environ as env\nBASE = '/tmp'\ndef f(name): probe({expression})"
    assert argument(source) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("probe(event['a']['b'])", ("a", "b")),
        ("probe(event.get('a', {}).get('b'))", ("a", "b")),
        ("for r in event['Records']: probe(r['s3'])", ("Records", None, "s3")),
        ("for i, r in enumerate(event['Records']): probe(event['Records'][i])", ("Records", None)),
        ("[probe(r['s3']) for r in event['Records']]", ("Records", None, "s3")),
        ("body = event['body']\n    probe(body)", ("body",)),
        ("a, b = event['pair']\n    probe(b)", ("pair", 1)),
    ],
)
def test_what_comes_out_of_the_event_keeps_its_keys(body: str, expected: tuple[str | int | None, ...]) -> None:
    assert argument(f"def handler(event, context):\n    {body}") == EventPath(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("event", True),
        ("json.loads(event['body'])['x']", True),
        ("context.aws_request_id", True),
        ("f'{event}'", True),
        ("key.upper()", True),
        ("'a'", False),
        ("os.environ['A']", False),
        ("uuid.uuid4()", False),
        ("[x for x in event['Records']]", True),
        ("both", True),
    ],
)
def test_it_can_be_told_what_depends_on_the_event(expression: str, expected: bool) -> None:
    source = f"""
        import json, os, uuid
        def handler(event, context):
            key = json.loads(event["body"])["key"]
            both = "a"
            if key:
                both = event["b"]
            probe({expression})
    """
    assert depends_on_event(argument(source)) is expected  # type: ignore[arg-type]


def test_a_parameter_of_an_ordinary_function_may_or_may_not_depend_on_the_event() -> None:
    assert depends_on_event(argument("def f(x): probe(x + 1)")) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["req", "event", "_"])
def test_the_first_of_two_parameters_before_a_context_is_the_event(name: str) -> None:
    assert argument(f"def handler({name}, context): probe({name})") == EventPath()


@pytest.mark.parametrize(
    ("expression", "prefix"),
    [
        ("os.path.join('/tmp', event['k'])", "/tmp/"),
        ("os.path.join('/var', '/tmp/', 'x')", "/tmp/x"),
        ("Path('/tmp') / 'a' / event['k']", "/tmp/a/"),
        ("f'/tmp/{event}'", "/tmp/"),
        ("event['k'] + '/tmp'", ""),
    ],
)
def test_the_start_of_a_path_is_known_although_the_rest_is_not(expression: str, prefix: str) -> None:
    source = f"import os\nfrom pathlib import Path\ndef handler(event, context): probe({expression})"
    assert text_prefix(argument(source)) == prefix  # type: ignore[arg-type]


def test_text_is_only_what_is_surely_that_text() -> None:
    assert text(Joined((Literal("a"), Literal("b")))) == "ab"
    assert text(Joined((Literal("a"), Parameter("b")))) is None


def test_a_dict_that_is_filled_later_keeps_its_keys() -> None:
    source = """
        def handler(event, context):
            answer = {"statusCode": 200}
            answer["body"] = "x"
            return probe(answer)
    """
    found = argument(source)
    assert isinstance(found, Collection)
    assert found.complete
    assert found.get("body") == Literal("x")


def test_a_dict_that_somebody_else_may_fill_is_not_complete() -> None:
    found = argument("def f():\n  d = {}\n  d.update(g())\n  return probe(d)")
    assert isinstance(found, Collection)
    assert not found.complete


@pytest.mark.parametrize(("call", "complete"), [("print(d)", True), ("add_headers(d)", False), ("json.dumps(d)", True)])
def test_a_dict_that_is_handed_to_the_projects_code_may_hold_more(call: str, complete: bool) -> None:
    found = argument(f"import json\nfrom web import add_headers\ndef f():\n  d = {{}}\n  {call}\n  return probe(d)")
    assert isinstance(found, Collection)
    assert found.complete is complete


def test_a_call_tells_what_is_around_it() -> None:
    source = """
        import os
        async def handler(event, context):
            for x in event:
                data = await fetch(x)
            if os.environ.get("DEBUG"):
                show(1)
            if not os.path.exists("/tmp/x"):
                load(1)
            try:
                risky(1)
            except (KeyError, OSError):
                mend(1)
            with lock(1):
                pass
            if event.get("early"):
                return
            late(1)
    """
    found = {call.name: call for call in calls(source)}
    assert found["fetch"].in_loop
    assert found["fetch"].awaited
    assert found["fetch"].assigned == "data"
    assert found["show"].guards[0] == Guard(GuardKind.ENV, ("DEBUG",))
    exists = found["load"].guards[0]
    assert (exists.kind, exists.names, exists.negated) == (GuardKind.CONDITION, ("os.path.exists",), True)
    assert found["risky"].guards == (Guard(GuardKind.TRY, ("KeyError", "OSError")),)
    assert found["mend"].guards == (Guard(GuardKind.EXCEPT, ("KeyError", "OSError")),)
    assert found["lock"].entered
    assert found["late"].guards == (Guard(GuardKind.CONDITION, (), negated=True, on_event=True),)


def test_calls_under_main_are_skipped() -> None:
    assert [call.skipped for call in calls("if __name__ == '__main__': go()\nelse: stay()")] == [True, False]


def test_columns_count_characters() -> None:
    call = last("x = 'äöü'; go()")
    assert (call.span.column, call.span.end_column, call.callee.end_column) == (11, 15, 13)


def test_env_reads_say_how_absence_is_taken() -> None:
    source = """
        import os
        from os import environ, getenv
        A = os.environ["A"]
        B = environ.get("B", "x")
        C = getenv("C")
        if "D" in os.environ:
            D = os.environ["D"]
        try:
            E = os.environ["E"]
        except KeyError:
            E = None
        os.environ["F"] = "1"
        os.environ.setdefault("G", "1")
        def f(name): return os.environ[name]
    """
    reads = fact(EnvReads, source).reads
    assert [(read.name, read.absence.value, read.required) for read in reads] == [
        ("A", "error", True),
        ("B", "default", False),
        ("C", "default", False),
        ("D", "tested", False),
        ("D", "error", False),
        ("E", "error", False),
        ("F", "written", False),
        ("G", "written", False),
        (None, "error", True),
    ]


DEEP = [
    "x = " + "(" * 80 + "1" + ")" * 80,
    "x = " + " + ".join(["a"] * 700),
    "x = a" + ".b()" * 900,
    "x = a" + ".b" * 900,
    "x0 = [1, 2]\n" + "\n".join(f"x{n + 1} = [x{n}, x{n}, x{n}, x{n}]" for n in range(60)) + "\nf(x60)",
    "x0 = 1\n" + "\n".join(f"x{n + 1} = x{n}" for n in range(500)) + "\nf(x500)",
    "\n".join(f"{'  ' * n}if a{n}:" for n in range(60)) + "\n" + "  " * 60 + "f()",
    "if a: f()\n" + "\n".join(f"elif a{n}: f()" for n in range(900)),
    "def f(): return f()\nx = x\ny = [y]\nclass A(A): a = a\nself.x = self.x",
    "x = " + "[" * 80 + "]" * 80,
    "x = " + "not " * 500 + "a",
    "x = " + "lambda: " * 80 + "a()",
]


@pytest.mark.parametrize("source", DEEP, ids=range(len(DEEP)))
def test_code_that_nests_deeply_or_grows_out_of_itself_gives_small_facts(source: str) -> None:
    for kind in (Calls, Imports, Symbols, Outline, EnvReads, Returns):
        assert len(pickle.dumps(fact(kind, source))) < 600_000


NAMES = st.sampled_from(["a", "b", "event", "self", "os", "C"])
EXPRESSIONS = st.recursive(
    NAMES | st.sampled_from(["1", "'x'", "None", "os.environ['A']", "f'{a}x'"]),
    lambda inner: st.one_of(
        st.tuples(inner, NAMES).map(lambda pair: f"({pair[0]}).{pair[1]}"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]})({pair[1]}, *{pair[1]}, k={pair[0]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]})[{pair[1]}]"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} + {pair[1]})"),
        st.tuples(NAMES, inner).map(lambda pair: f"[{pair[0]} for {pair[0]} in {pair[1]} if {pair[0]}]"),
        st.tuples(NAMES, inner).map(lambda pair: f"({pair[0]} := {pair[1]})"),
        inner.map(lambda each: f"(lambda b: {each})"),
        inner.map(lambda each: f"{{'k': {each}, **{each}}}"),
    ),
    max_leaves=6,
)
STATEMENTS = st.one_of(
    st.tuples(NAMES, EXPRESSIONS).map(lambda pair: f"{pair[0]} = {pair[1]}"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda pair: f"self.{pair[0]} = {pair[1]}"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda pair: f"{pair[0]} += {pair[1]}"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda pair: f"{pair[0]}['x'] = {pair[1]}"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda pair: f"for {pair[0]} in {pair[1]}: a()"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda pair: f"with {pair[1]} as {pair[0]}: a()"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda pair: f"def {pair[0]}(self, event): return {pair[1]}"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda pair: f"class {pair[0]}(C):\n  def b(self): self.a = {pair[1]}"),
    st.sampled_from(["import os", "from a import b", "from . import a", "from x import *", "import a.b"]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STATEMENTS, max_size=8))
def test_every_program_has_facts_and_they_survive_pickling(statements: list[str]) -> None:
    source = "\n".join(statements)
    try:
        ast.parse(source)
    except SyntaxError:
        return
    for kind in (Calls, Imports, Symbols, Outline, EnvReads, Returns):
        found = fact(kind, source)
        assert pickle.loads(pickle.dumps(found)) == found
