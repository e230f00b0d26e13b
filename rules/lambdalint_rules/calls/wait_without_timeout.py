"""A driver that waits for a connection without a limit hangs when nobody answers.

A closed security group drops packets and says nothing, so the function hangs until it is stopped, and the log says
nothing about why.  The same goes for a command that never ends.

Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-networking.html
"""

from collections.abc import Mapping
from typing import Final

from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.clients import Client, client
from lambdalint.facts.expressions import Expression, Joined, Literal
from lambdalint.facts.socket_defaults import SocketDefaults
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Known,
    Module,
    Problem,
    Problems,
    Project,
    SetArgument,
    Severity,
    rule,
)
from lambdalint_rules.calls.timeouts import shortest_timeout_s, waiting_time

TEMPLATE: Final = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.handler, Runtime: python3.13}
"""
VARIABLE: Final = TEMPLATE.replace("3.13}", '3.13, Environment: {Variables: {PGCONNECT_TIMEOUT: "3"}}}')
BAD: Final = """\
import ftplib
import os
import smtplib
import subprocess
import paramiko
import pg8000.native
import poplib
import psycopg
import psycopg2
import valkey
from psycopg2.pool import SimpleConnectionPool

cache = valkey.Valkey("cache")  # finding

def handler(event, context):
    SimpleConnectionPool(1, 2, host="db")  # finding
    poplib.POP3_SSL("mail.example.com")  # finding
    psycopg2.connect(host=os.environ["HOST"], dbname="orders")  # finding
    psycopg2.connect(f"host={event['host']} dbname=orders")  # finding
    psycopg.connect("postgresql://db/orders")  # finding
    pg8000.native.Connection("orders", host="db")  # finding
    smtplib.SMTP("mail.example.com", 587)  # finding
    ftplib.FTP("ftp.example.com", "me", event["password"])  # finding
    paramiko.SSHClient().connect("host", username="me")  # finding
    subprocess.run(["./convert", event["name"]], check=True)  # finding
    subprocess.Popen(["./convert"]).communicate()  # finding
"""
GOOD: Final = """\
import os
import smtplib
import subprocess
import paramiko
import psycopg2
import pymysql
import redis
import valkey

cache = valkey.Valkey("cache", socket_connect_timeout=2)
other = redis.Redis("cache")
SETTINGS = {"connect_timeout": 3}

def handler(event, context):
    psycopg2.connect(host=os.environ["HOST"], connect_timeout=3)
    psycopg2.connect("host=db connect_timeout=3")
    psycopg2.connect(os.environ["DSN"])
    psycopg2.connect(host="db", **SETTINGS)
    psycopg2.connect(service="orders")
    pymysql.connect(host="db")
    smtplib.SMTP("mail.example.com", 587, timeout=5)
    smtplib.SMTP("mail.example.com", 587, None, 5)
    paramiko.SSHClient().connect("host", username="me", timeout=event["timeout"])
    subprocess.run(["./convert"], timeout=10)
    process = subprocess.Popen(["./convert"])
    process.wait(10)
"""
DEFAULT: Final = """\
import smtplib
import socket

socket.setdefaulttimeout(5)

def handler(event, context):
    smtplib.SMTP("mail.example.com", 587)
"""

#: Where what waits for a command takes the timeout, for keyword only nowhere.
_COMMANDS: Final[Mapping[str, int | None]] = {
    "subprocess.run": None,
    "subprocess.call": None,
    "subprocess.check_call": None,
    "subprocess.check_output": None,
    "subprocess.Popen().communicate": 1,
    "subprocess.Popen().wait": 0,
}
#: A driver whose own limit is longer than this has none for a function.
_LONG_S: Final = 100
#: A connection comes about within this time or, mostly, never.
_CONNECTING_S: Final = 3.0
_LIBPQ_VARIABLES: Final = frozenset(("PGCONNECT_TIMEOUT", "PGSERVICE", "PGSERVICEFILE"))


@rule(
    "LT007",
    "wait-without-timeout",
    severity=Severity.WARNING,
    since="0.1.0",
    fix="unsafe",
    covers=("codeguru:leaky-subprocess-timeout", "codeguru:socket-connection-timeout"),
    bad={"template.yaml": TEMPLATE, "src/app.py": BAD},
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE, "src/app.py": DEFAULT},
        {
            "template.yaml": VARIABLE,
            "src/app.py": "import psycopg2\n\ndef handler(event, context):\n    psycopg2.connect(host='db')\n",
        },
    ),
)
def check(module: Module, project: Project, calls: Calls, defaults: SocketDefaults) -> Problems:
    for call in calls.calls:
        name = call.name or ""
        if name in _COMMANDS:
            if _states(call, _COMMANDS[name], "timeout"):
                continue
            yield Problem(
                call.span,
                f"{name}() has no timeout; a command that hangs holds the function until its own timeout",
                hint="pass a timeout in seconds, well below the function's own",
                confidence=Confidence.MEDIUM,
                fix=_bounding_command(call, _COMMANDS[name], shortest_timeout_s(module, project)),
            )
            continue
        made = client(name)
        if made is None or made.keyword is None or not _is_endless(made) or _states(call, made.position, made.keyword):
            continue
        if not (_is_told_elsewhere(call, made) or (made.socket_default and module.path in defaults.paths)):
            if made.text and _has_variable(project, module):
                continue
            long = f"waits {made.default_s:g} s" if made.default_s else "hangs"
            yield Problem(
                call.span,
                f"{name}() has no {made.keyword}; it {long} where a security group drops what is sent",
                hint=f"pass {made.keyword} in seconds, well below the function's own timeout",
                fix=_bounding_client(call, made, shortest_timeout_s(module, project)),
            )


def _is_endless(made: Client) -> bool:
    """Whether a driver waits for ever, or so long that it makes no difference; HTTP has a rule of its own."""
    endless = made.default_s is None or (made.connects and made.default_s >= _LONG_S)
    return endless and made.library is None and not made.varies


def _states(call: Call, position: int | None, keyword: str) -> bool:
    """Whether a call says, or may say, how long it waits."""
    return call.may_have_more or call.argument(position, keyword) not in (None, Literal(None))


def _bounding_command(call: Call, position: int | None, budget_s: int | None) -> Fix | None:
    """The fix that gives a command the time that the function has; it may need it."""
    seconds = None if budget_s is None else waiting_time(budget_s, most_s=budget_s)
    return _bounding(call, "timeout", position, seconds)


def _bounding_client(call: Call, made: Client, budget_s: int | None) -> Fix | None:
    """The fix that passes a timeout: a connection comes about soon or never."""
    seconds = waiting_time(budget_s, most_s=_CONNECTING_S)
    if made.keyword is None or made.per_second != 1:
        return None
    return _bounding(call, made.keyword, made.position, seconds)


def _bounding(call: Call, keyword: str, position: int | None, seconds: float | None) -> Fix | None:
    if seconds is None or seconds < 1:
        return None
    change = SetArgument(call.span, keyword, f"{seconds:g}", position)
    return Fix(f"pass {keyword}={seconds:g}", Applicability.UNSAFE, changes=(change,))


def _is_told_elsewhere(call: Call, made: Client) -> bool:
    """Whether the timeout may stand in a connection string, or there is nobody to wait for yet."""
    if made.address is None or made.keyword is None:
        return False
    stated = call.argument(*made.address)
    if not made.text:
        return stated is None
    return "service" in call.keywords or (stated is not None and not _lacks(stated, made.keyword))


def _lacks(text: Expression, setting: str) -> bool:
    """Whether a connection string says other things than *setting*; ``False`` also where that is unknown."""
    parts = text.parts if isinstance(text, Joined) else (text,)
    known = [part.value for part in parts if isinstance(part, Literal) and isinstance(part.value, str)]
    if not known or parts[0] != Literal(known[0]) or not ("=" in known[0] or "://" in known[0]):
        return False
    return not any(setting in each or "service" in each for each in known)


def _has_variable(project: Project, module: Module) -> bool:
    """Whether a function that loads the module has, or may have, settings of libpq in its environment."""
    return any(
        not isinstance(function.env, Known) or not _LIBPQ_VARIABLES.isdisjoint(function.env.value)
        for function in project.loaders().get(module.path, ())
    )
