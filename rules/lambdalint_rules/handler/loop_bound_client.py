"""``asyncio.run`` makes a new event loop for every invocation and closes it; an asynchronous client outlives its own.

Its connections, locks and timers belong to the loop that they were first used in.  The first invocation works, a later
one fails with ``Event loop is closed`` or ``attached to a different loop``.

Source: https://docs.python.org/3/library/asyncio-runner.html
"""

from collections.abc import Iterator
from typing import Final

from lambdalint.facts.kept import runs_once
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import Confidence, Function, Problem, Problems, Related, Severity, rule
from lambdalint_rules.handler.samples import orders

_NEW_LOOPS: Final = frozenset(("anyio.run", "asyncio.new_event_loop", "asyncio.run", "trio.run"))

#: What keeps connections or waiters of the loop that it is used in.
_BOUND: Final = frozenset(
    (
        "aiohttp.ClientSession",
        "anthropic.AsyncAnthropic",
        "asyncio.Condition",
        "asyncio.Event",
        "asyncio.Lock",
        "asyncio.Queue",
        "asyncio.Semaphore",
        "asyncpg.connect",
        "asyncpg.create_pool",
        "httpx.AsyncClient",
        "motor.motor_asyncio.AsyncIOMotorClient",
        "openai.AsyncOpenAI",
        "pymongo.AsyncMongoClient",
        "redis.asyncio.Redis",
        "redis.asyncio.Redis.from_url",
        "redis.asyncio.from_url",
        "sqlalchemy.ext.asyncio.create_async_engine",
    )
)


@rule(
    "LS007",
    "loop-bound-client",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        orders("""\
import asyncio

import httpx
import redis.asyncio as redis

client = httpx.AsyncClient()  # finding
cache = None

def handler(event, context):
    return asyncio.run(answer(event))

async def answer(event):
    global cache
    if cache is None:
        cache = redis.from_url("redis://cache")  # finding
    await cache.get(event["key"])
    return (await client.get("https://example.com")).text
"""),
        orders(
            """\
import asyncio

from clients import session

def handler(event, context):
    loop = asyncio.new_event_loop()
    return loop.run_until_complete(answer())

async def answer():
    async with session.get("https://example.com") as response:
        return await response.text()
""",
            clients="import aiohttp\n\nsession = aiohttp.ClientSession()  # finding\n",
        ),
        orders("""\
import asyncio

import httpx

class Api:
    def __init__(self):
        self.client = httpx.AsyncClient()  # finding

    async def orders(self):
        return (await self.client.get("https://example.com")).text

api = Api()

def handler(event, context):
    return asyncio.run(api.orders())
"""),
    ),
    good=(
        orders("""\
import asyncio

import httpx

client = httpx.AsyncClient()
loop = asyncio.new_event_loop()

def handler(event, context):
    return loop.run_until_complete(answer(event))

async def answer(event):
    return (await client.get("https://example.com")).text
"""),
        orders("""\
import asyncio

import aioboto3
import httpx

unused = httpx.AsyncClient()
client = httpx.Client()
session = aioboto3.Session()

def handler(event, context):
    client.get("https://example.com")
    return asyncio.run(answer(event))

async def answer(event):
    async with httpx.AsyncClient() as inner, session.client("s3") as s3:
        await s3.list_buckets()
        return (await inner.get("https://example.com")).text
"""),
        orders("""\
import asyncio

import httpx

client = httpx.AsyncClient()
runner = asyncio.Runner()

def handler(event, context):
    return runner.run(answer(event))

async def answer(event):
    return (await client.get("https://example.com")).text
"""),
        orders("""\
import asyncio

import httpx

class Api:
    def __init__(self):
        self.client = httpx.AsyncClient()

    async def orders(self):
        return (await self.client.get("https://example.com")).text

async def answer():
    return await Api().orders()

def handler(event, context):
    return asyncio.run(answer())
"""),
        orders("""\
import asyncio

import httpx

client = None

def handler(event, context):
    return asyncio.run(answer(event))

async def answer(event):
    global client
    client = httpx.AsyncClient()
    return (await client.get("https://example.com")).text
"""),
    ),
)
def check(function: Function, calls: PathCalls, symbols: PerModule[Symbols]) -> Problems:
    loops = [
        each for each in calls.calls if each.phase == "invoke" and each.name in _NEW_LOOPS and not runs_once(each.call)
    ]
    if not loops:
        return
    made = [each for each in calls.calls if each.name in _BOUND]
    for each in _outliving(made, symbols):
        name = each.name or ""
        anew = any(other.name == name and other.phase == "invoke" and other is not each for other in made)
        used = [use for use in calls.calls if use.phase == "invoke" and (use.name or "").startswith(f"{name}().")]
        if used and not anew:
            yield Problem(
                each.call.span,
                f"{loops[0].name}() makes a new loop per invocation, but {each.call.assigned} belongs to the first one",
                related=(
                    Related(loops[0].call.span, "the loop is made here"),
                    Related(used[0].call.span, f"{each.call.assigned} is used here"),
                ),
                hint="make it inside the coroutine, or keep one asyncio.Runner",
            )


def _outliving(made: list[PathCall], symbols: PerModule[Symbols]) -> Iterator[PathCall]:
    """What is kept in a module variable or an object made at import, at once or when it is first needed."""
    for each in made:
        module, name = symbols.get(each.path), each.call.assigned
        if module is None or name is None or each.call.entered:
            continue
        at_import = each.phase == "init" and (not each.call.scope or each.call.scope.endswith(".__init__"))
        kept = name.startswith("self.") if at_import and each.call.scope else name in module.symbols
        if kept and (at_import or (each.phase == "invoke" and runs_once(each.call))):
            yield each
