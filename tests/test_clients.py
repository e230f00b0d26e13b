"""The tables of libraries, and what a call says about waiting; benchmarks/client_defaults.py asks the libraries."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from lambdalint.facts import clients as module
from lambdalint.facts.calls import Calls
from lambdalint.facts.client_timeouts import stated_wait
from lambdalint.facts.clients import client, clients, library_default_s
from tests.code_facts import fact

ROWS = tomllib.loads(Path(module.__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ROWS)
def test_each_row_says_where_it_is_from(name: str) -> None:
    row = ROWS[name]
    assert row["source"].startswith("https://")
    assert date.fromisoformat(row["as_of"])
    assert row["version"]
    assert ("keyword" in row) == ("unit" in row)
    assert row["default_s"] == "never" or row["default_s"] > 0


@pytest.mark.parametrize(("table", "key"), [("library_caches", "cache"), ("semaphores", "need")])
def test_what_is_known_of_libraries_says_where_it_is_from(table: str, key: str) -> None:
    rows = tomllib.loads(Path(module.__file__).with_name(f"{table}.toml").read_text(encoding="utf-8"))[key]
    assert all(row["source"].startswith("https://") and date.fromisoformat(row["as_of"]) for row in rows)


def test_a_client_is_known_by_each_of_its_names() -> None:
    assert len(clients()) > len(ROWS) >= 60
    assert client("pymysql.connections.Connection") is not None
    assert client("boto3.client") is None


def test_what_a_library_waits_by_default() -> None:
    assert library_default_s("requests") is None
    assert library_default_s("httpx") == 5


@pytest.mark.parametrize(
    ("call", "seconds"),
    [
        ("pymysql.connect(host='db', connect_timeout=4)", 4),
        ("pymongo.MongoClient(serverSelectionTimeoutMS=2500)", 2.5),
        ("openai.OpenAI(timeout=10, max_retries=2)", 30),
        ("openai.OpenAI(timeout=openai.Timeout(10))", None),
        ("slack_sdk.WebClient(token, None, 9)", 9),
        ("slack_sdk.WebClient(token)", None),
        ("twilio.rest.Client(timeout=3)", None),
    ],
)
def test_the_wait_that_a_call_states(call: str, seconds: float | None) -> None:
    (made,) = [
        each
        for each in fact(Calls, f"import openai, pymongo, pymysql, slack_sdk, twilio.rest\n{call}\n").calls
        if client(each.name or "")
    ]
    wait = stated_wait(made, made.name or "")
    assert (wait and wait.total_s) == seconds
