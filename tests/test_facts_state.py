import pickle

import pytest

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.calls import Calls
from lambdalint.facts.expressions import EventPath, Parameter, carries_event, text
from lambdalint.facts.file_calls import BY_NAME, LAST_PARTS, Doing
from lambdalint.facts.files import FileCalls, Files
from lambdalint.facts.module_state import ModuleState
from lambdalint.facts.returns import Returns
from lambdalint.facts.stale_state import StaleState
from tests.code_facts import fact, loaded, work_out


def touched(source: str) -> list[tuple[Doing, str | None]]:
    """What the handler with *source* as its body touches."""
    body = source.replace("\n", "\n    ")
    imports = "import boto3, gzip, os, shutil, tarfile, tempfile, zipfile\nfrom pathlib import Path\n"
    tree, function = loaded({"app.py": f"{imports}\ndef handler(event, context):\n    {body}\n"})
    return [(use.doing, use.text) for use in work_out(Files, tree, function).uses]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("open('a')", (Doing.READ, "a")),
        ("open('a', 'w')", (Doing.WRITE, "a")),
        ("open(file='a', mode='ab')", (Doing.APPEND, "a")),
        ("open('a', 'r+')", (Doing.OPEN, "a")),
        ("tarfile.open('a', 'r:xz')", (Doing.READ, "a")),
        ("tarfile.open('a', 'w:gz')", (Doing.WRITE, "a")),
        ("gzip.open('a', 'wb')", (Doing.WRITE, "a")),
        ("(Path('a') / 'b').write_text('')", (Doing.WRITE, "a/b")),
        ("Path('a').open('w')", (Doing.WRITE, "a")),
        ("os.makedirs(os.path.join('a', 'b'))", (Doing.MAKE, "a/b")),
        ("boto3.Session().client('s3').download_file('b', 'k', 'a')", (Doing.WRITE, "a")),
        ("boto3.resource('s3').Bucket('b').download_file(Key='k', Filename='a')", (Doing.WRITE, "a")),
        ("zipfile.ZipFile(event).extractall()", (Doing.UNPACK, ".")),
        ("tempfile.NamedTemporaryFile(delete=False)", (Doing.TEMPORARY, "/tmp")),
        ("make(event).to_csv('a')", (Doing.WRITE, "a")),
    ],
)
def test_a_call_touches_a_file(source: str, found: tuple[Doing, str | None]) -> None:
    assert found in touched(source)


@pytest.mark.parametrize(
    "source",
    [
        "open('a', mode)",
        "open(*event)",
        "open('a', **event)",
        "tempfile.NamedTemporaryFile()",
        "event.open('a', 'w')",
        "print('a')",
    ],
)
def test_what_a_call_does_is_not_guessed(source: str) -> None:
    assert not touched(source)


def test_every_known_call_can_be_found_by_its_last_part() -> None:
    assert all(name.rpartition(".")[2] in LAST_PARTS for name in BY_NAME)


def test_a_parameter_is_what_each_call_passes() -> None:
    source = """
        def handler(event, context):
            convert(event["a"], scale=2)
            for record in event["b"]:
                convert(record)
        def convert(record, scale=1):
            probe(record["key"], scale)
        """
    arguments, calls = fact(Arguments, source), fact(Calls, source)
    probe = next(call for call in calls.calls if call.name == "probe")
    found = list(arguments.alternatives(probe.args[0], probe.scope))
    assert found == [EventPath(("a", "key")), EventPath(("b", None, "key"))]
    assert list(arguments.alternatives(Parameter("other"), "convert")) == [Parameter("other")]
    assert text(next(iter(arguments.alternatives(probe.args[1], probe.scope)))) is None


def test_what_is_the_same_for_all_events_of_a_function_is_none_of_the_event() -> None:
    assert carries_event(EventPath(("requestContext", "requestId")))
    assert carries_event(EventPath(("aws_request_id",), context=True))
    assert not carries_event(EventPath(("requestContext", "domainName")))
    assert not carries_event(EventPath(("Records", 0, "awsRegion")))
    assert not carries_event(EventPath(("function_name",), context=True))
    assert not carries_event(EventPath(context=True))


def test_state_is_found_by_name_and_only_where_functions_set_it() -> None:
    source = """
        user = None
        STATE = {}
        class Kept:
            name = None
        def handler(event, context):
            global user
            user = event["user"]
            STATE["role"] = Kept.name = event["role"]
            local = user
            return local, STATE["role"], Kept.name, STATE["other"]
        """
    state = fact(ModuleState, source)
    assert [each.name for each in state.settings] == ["user", "STATE[role]", "Kept.name"]
    assert [each.name for each in state.readings] == ["user", "STATE[role]", "Kept.name"]
    assert pickle.loads(pickle.dumps(state)) == state
    assert fact(ModuleState, "user = 1\ndef handler(event, context): return user") == ModuleState()


def stale(body: str) -> list[str]:
    tree, function = loaded({"app.py": f"value = None\n{body}"})
    return [each.setting.name for each in work_out(StaleState, tree, function).kept]


def test_a_branch_for_either_case_sets_the_value_in_any_case() -> None:
    both = """
def handler(event, context):
    global value
    if event["a"]:
        if event["b"]:
            value = event["b"]
        else:
            value = event["c"]
    else:
        value = 2
    return value
"""
    assert stale(both) == []
    assert stale(both.replace("value = 2", "pass")) == ["value", "value"]


def test_a_caller_that_sets_the_value_first_is_enough_if_all_do() -> None:
    code = """
def handler(event, context):
    if event["quick"]:
        return answer()
    remember(event)
    return answer()
def remember(event):
    global value
    value = event["a"]
def answer():
    return value
"""
    assert stale(code) == ["value"]
    assert stale(code.replace("return answer()\n    remember", "return None\n    remember")) == []


def test_an_exception_that_is_caught_may_end_a_function_without_a_result() -> None:
    source = """
        def swallows():
            try:
                return 1
            except KeyError:
                print()
        def raises():
            try:
                return 1
            except KeyError:
                raise ValueError from None
        def may_end():
            if 1:
                return 1
        """
    returns = fact(Returns, source)
    assert returns.swallowing == {"swallows"}
    assert returns.falls_off == {"swallows", "may_end"}


def test_file_calls_survive_a_trip_to_another_process() -> None:
    calls = fact(FileCalls, "open('a', 'w')\nPath('b').touch()")
    assert pickle.loads(pickle.dumps(calls)) == calls
