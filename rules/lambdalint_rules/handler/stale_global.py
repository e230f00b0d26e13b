"""A connection made at import waits frozen between invocations, for minutes or hours, and servers close idle ones.

The handler that uses it again without a ping fails with ``server has gone away`` or ``connection already closed``, and
keeps failing as long as the environment lives.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

from typing import Final

from lambdalint.facts.expressions import Env, Literal, walk
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import Confidence, Function, Problem, Problems, Related, Severity, rule
from lambdalint_rules.handler.samples import orders

_CONNECTIONS: Final = frozenset(
    (
        "MySQLdb.connect",
        "cx_Oracle.connect",
        "mysql.connector.connect",
        "oracledb.connect",
        "pg8000.connect",
        "pika.BlockingConnection",
        "psycopg.connect",
        "psycopg2.connect",
        "pymssql.connect",
        "pymysql.connect",
        "pymysql.connections.Connection",
        "pyodbc.connect",
        "snowflake.connector.connect",
    )
)
_ENGINES: Final = frozenset(("sqlalchemy.create_engine", "sqlalchemy.engine.create_engine"))
#: What keeps an engine from handing out a connection that waited for long.
_FRESH_POOL: Final = frozenset(("pool_pre_ping", "pool_recycle", "poolclass", "creator"))
#: By what a handler finds out, or connects anew.
_CHECKS: Final = frozenset(("is_connected", "is_open", "ping", "reconnect", "check_connection", "is_usable"))
_ERRORS: Final = ("OperationalError", "InterfaceError", "ConnectionClosed", "AMQPConnectionError", "AMQPError")


@rule(
    "LS011",
    "stale-global",
    severity=Severity.INFO,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        orders("""\
import os

import psycopg2
import pymysql
from sqlalchemy import create_engine

connection = pymysql.connect(host=os.environ["HOST"])  # finding
engine = create_engine(os.environ["URL"])  # finding

def handler(event, context):
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    with engine.connect() as other:
        return other
"""),
    ),
    good=(
        orders("""\
import os

import pymysql
import psycopg2
from sqlalchemy import create_engine

connection = pymysql.connect(host=os.environ["HOST"])
behind_proxy = psycopg2.connect(host=os.environ["PROXY_ENDPOINT"])
unused = psycopg2.connect(host=os.environ["HOST"])
engine = create_engine(os.environ["URL"], pool_pre_ping=True)
memory = create_engine("sqlite:///tmp/orders.db")

def handler(event, context):
    connection.ping(reconnect=True)
    with connection.cursor() as cursor, behind_proxy.cursor() as other:
        other.execute("select 1")
        cursor.execute("select 1")
    with engine.connect(), memory.connect() as other:
        return other
"""),
        orders("""\
import os

import psycopg2

def connect():
    return psycopg2.connect(host=os.environ["HOST"])

connection = connect()

def handler(event, context):
    global connection
    if connection.closed:
        connection = connect()
    return connection.cursor()
"""),
        orders("""\
import os

import psycopg2

connection = psycopg2.connect(host=os.environ["HOST"])

def handler(event, context):
    try:
        return connection.cursor()
    except psycopg2.OperationalError:
        raise SystemExit(1)
"""),
    ),
)
def check(function: Function, calls: PathCalls, symbols: PerModule[Symbols]) -> Problems:
    made = [each for each in calls.calls if each.name in _CONNECTIONS or each.name in _ENGINES]
    if not made or any(_looks(each) for each in calls.calls):
        return
    for each in made:
        module, name = symbols.get(each.path), each.call.assigned
        if each.phase != "init" or each.call.scope or module is None or name is None or _is_fresh(each):
            continue
        if len(module.symbols.get(name, ())) != 1:
            continue
        anew = any(other.name == each.name and other.phase == "invoke" for other in made)
        used = [use for use in calls.calls if use.phase == "invoke" and (use.name or "").startswith(f"{each.name}().")]
        if used and not anew and not any(_expects_failure(use) for use in used):
            yield Problem(
                each.call.span,
                f"{name} is made at import and used with no ping or reconnect; it may have been idle for hours",
                related=(Related(used[0].call.span, f"{name} is used here"),),
                hint="set pool_pre_ping"
                if each.name in _ENGINES
                else "ping it before use, or connect anew when it fails",
            )


def _looks(each: PathCall) -> bool:
    """Whether an invocation asks if a connection is alive."""
    return each.phase == "invoke" and (each.name or "").rpartition(".")[2] in _CHECKS


def _is_fresh(each: PathCall) -> bool:
    """Whether something else sees to it: the pool, a proxy; or nothing can go away, as with a file."""
    call = each.call
    if call.may_have_more or not call.keywords.keys().isdisjoint(_FRESH_POOL):
        return True
    inside = [part for value in (*call.args, *call.keywords.values()) for part in walk(value)]
    return any(
        (isinstance(part, Env) and "PROXY" in part.name.upper())
        or (isinstance(part, Literal) and isinstance(part.value, str) and part.value.startswith("sqlite:"))
        for part in inside
    )


def _expects_failure(use: PathCall) -> bool:
    return any(
        guard.kind is GuardKind.TRY and any(name.endswith(_ERRORS) for name in guard.names) for guard in use.call.guards
    )
