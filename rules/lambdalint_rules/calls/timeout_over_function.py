"""A client that waits longer than the function may run never gets to report its own timeout.

Lambda stops the function first: no exception, no clean-up, no answer.  A timeout below the function's leaves time to
say what went wrong, or to try something else.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
"""

from collections.abc import Iterator

from lambdalint.aws.limits import limit
from lambdalint.facts.client_timeouts import Wait, stated_wait
from lambdalint.facts.clients import client, library_default_s
from lambdalint.facts.http_calls import http_call
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    Known,
    Problem,
    Problems,
    Related,
    SetArgument,
    Severity,
    rule,
)
from lambdalint_rules.calls.deadlines import knows_deadline
from lambdalint_rules.calls.timeouts import timeout_argument, waiting_time

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Timeout: 10
"""
BAD = """\
import boto3
import requests
import urllib3
from botocore.config import Config

config = Config(connect_timeout=2, read_timeout=3, retries={"max_attempts": 3})  # finding
s3 = boto3.client("s3", config=config)
http = urllib3.PoolManager()

def handler(event, context):
    http.request("GET", "https://example.com", timeout=4.0)  # finding
    return requests.get("https://example.com", timeout=30).json()  # finding
"""
CLIENTS = """\
import openai
import psycopg2
import pymongo

mongo = pymongo.MongoClient(serverSelectionTimeoutMS=15_000)  # finding
ai = openai.OpenAI(timeout=4, max_retries=2)  # finding
db = psycopg2.connect(host="db", connect_timeout=15)  # finding

def handler(event, context):
    return db, mongo, ai
"""
DEFAULT = """\
import aiohttp

async def fetch():
    async with aiohttp.ClientSession() as session:
        async with session.get("https://example.com") as response:  # finding
            return await response.text()

def handler(event, context):
    import asyncio
    return asyncio.run(fetch())
"""
GOOD = """\
import os
import aiohttp
import boto3
import openai
import psycopg2
import pymongo
import requests
import urllib3
from botocore.config import Config

mongo = pymongo.MongoClient(serverSelectionTimeoutMS=5000)
ai = openai.OpenAI(timeout=4, max_retries=1)
db = psycopg2.connect(host="db", connect_timeout=9)
s3 = boto3.client("s3", config=Config(connect_timeout=1, read_timeout=2, retries={"max_attempts": 2}))
http = urllib3.PoolManager()

async def fetch():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        await session.get("https://example.com")

def handler(event, context):
    http.request("GET", "https://example.com", timeout=4.0, retries=False)
    requests.get("https://example.com", timeout=float(os.environ["SECONDS"]))
    return requests.get("https://example.com", timeout=(3.05, 5)).json()
"""
AT_IMPORT = """\
import requests

SETTINGS = requests.get("https://example.com", timeout=8).json()

def handler(event, context):
    return SETTINGS
"""
DEADLINE = """\
import requests

def handler(event, context):
    if context.get_remaining_time_in_millis() > 31_000:
        requests.get("https://example.com", timeout=30)
"""


@rule(
    "LT002",
    "timeout-over-function",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        {"template.yaml": TEMPLATE, "src/app.py": BAD},
        {"template.yaml": TEMPLATE, "src/app.py": CLIENTS},
        {"template.yaml": TEMPLATE, "src/app.py": DEFAULT},
    ),
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE, "src/app.py": DEADLINE},
        {"template.yaml": TEMPLATE.replace("10", "5"), "src/app.py": AT_IMPORT},
        {"template.yaml": TEMPLATE.replace("10", "!Ref Seconds"), "src/app.py": BAD.replace("  # finding", "")},
        {"template.yaml": TEMPLATE.replace("10", "60"), "src/app.py": BAD.replace("  # finding", "")},
    ),
)
def check(function: Function, calls: PathCalls) -> Problems:
    timeout = function.timeout_s
    if not isinstance(timeout, Known) or not isinstance(timeout.value, int) or knows_deadline(calls):
        return
    default = "" if timeout.stated else ", the default"
    seen = set()
    for call, wait in (*_stated(calls), *_defaults(calls)):
        # While the module is imported, init has a limit of its own; only what outlasts both is never reported.
        sends = call.phase == "init" and _waits_at_once(call.name or "")
        if wait.total_s < max(timeout.value, limit("init", "max_s") if sends else 0) or call.call.span in seen:
            continue
        seen.add(call.call.span)
        if wait.attempts > 1 and wait.seconds >= timeout.value:
            wait = Wait(wait.seconds)  # the first attempt is enough
        subject = "a call of a client with this Config" if (call.name or "").endswith(".Config") else f"{call.name}()"
        yield Problem(
            call.call.span,
            f"{subject} waits up to {wait}{' by default' if wait.assumed else ''}; "
            f"{function.name} is stopped after {timeout.value} s{default}",
            related=(
                *calls.way(call),
                Related(timeout.span, f"{function.name} may run for {timeout.value} s{default}"),
            ),
            hint="keep timeout and attempts together below the function's timeout",
            severity=Severity.WARNING if wait.assumed else None,
            confidence=Confidence.MEDIUM if timeout.parameter else None,
            fix=_lowering(call, timeout.value),
        )


def _lowering(call: PathCall, budget_s: int) -> Fix | None:
    """The fix that lets the client give up earlier; the function's own timeout is nobody's to raise."""
    known = http_call(call.name or "")
    if known is not None:
        value = timeout_argument(known.library, budget_s)
        if value is None or call.call.argument(known.timeout, "timeout") is None:
            return None
        change = SetArgument(call.call.span, "timeout", value, known.timeout)
        return Fix(f"pass timeout={value}", Applicability.UNSAFE, changes=(change,))
    wait = stated_wait(call.call, call.name or "")
    stated = [name for name in ("connect_timeout", "read_timeout") if name in call.call.keywords]
    if wait is None or not stated:
        return None
    seconds = waiting_time(budget_s, wait.attempts * len(stated))
    if seconds is None:
        return None
    changes = tuple(SetArgument(call.call.span, name, f"{seconds:g}") for name in stated)
    return Fix(f"wait {seconds:g} s at most each time", Applicability.UNSAFE, changes=changes)


def _waits_at_once(name: str) -> bool:
    made = client(name)
    return http_call(name) is not None or (made is not None and made.connects)


def _stated(calls: PathCalls) -> Iterator[tuple[PathCall, Wait]]:
    for call in calls.calls:
        wait = stated_wait(call.call, call.name) if call.name else None
        if wait:
            yield call, wait


def _defaults(calls: PathCalls) -> Iterator[tuple[PathCall, Wait]]:
    """The first request by aiohttp, if no session and no request says how long to wait."""
    requests = []
    for call in calls.calls:
        known = http_call(call.name) if call.name else None
        if (known and known.library == "aiohttp") or call.name == "aiohttp.ClientSession":
            if "timeout" in call.call.keywords or call.call.may_have_more:
                return
            if known:
                requests.append(call)
    seconds = library_default_s("aiohttp")
    if requests and seconds is not None:
        yield requests[0], Wait(seconds, assumed=True)
