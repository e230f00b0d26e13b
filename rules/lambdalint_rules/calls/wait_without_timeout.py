"""A driver that waits for a connection without a limit hangs when nobody answers.

A closed security group drops packets and says nothing, so the function hangs until it is stopped, and the log says
nothing about why.  The same goes for a command that never ends.

Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-networking.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lambdalint.facts.calls import Call, Calls
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
import psycopg
import psycopg2

def handler(event, context):
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


@dataclass(frozen=True, slots=True)
class Wait:
    """A call that waits for somebody: its *keyword* for the timeout, and where that stands without the keyword.

    *address* is where it is told whom to ask, without which it asks nobody yet; *text* is true where that may hold all
    settings.  *seconds* is what it waits by default, without end where there is none.  *socket*: it heeds the default
    timeout of sockets.
    """

    keyword: str
    position: int | None = None
    address: tuple[int, str] | None = None
    text: bool = False
    seconds: int | None = None
    socket: bool = False


#: Drivers by the constructors of their connections.  Those with a default of some seconds are not among them.
#:
#: Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-CONNECT-TIMEOUT
#: Source: https://docs.python.org/3/library/smtplib.html
_LIBPQ: Final = Wait("connect_timeout", address=(0, "dsn"), text=True)
_CONNECTS: Final[Mapping[str, Wait]] = {
    "psycopg2.connect": _LIBPQ,
    "psycopg.connect": Wait("connect_timeout", address=(0, "conninfo"), text=True, seconds=130),
    "psycopg.Connection.connect": Wait("connect_timeout", address=(0, "conninfo"), text=True, seconds=130),
    "pg8000.connect": Wait("timeout", socket=True),
    "pg8000.dbapi.connect": Wait("timeout", socket=True),
    "pg8000.native.Connection": Wait("timeout", socket=True),
    "aiomysql.connect": Wait("connect_timeout"),
    "ldap3.Server": Wait("connect_timeout", 7),
    "paramiko.SSHClient().connect": Wait("timeout", 6, socket=True),
    "paramiko.client.SSHClient().connect": Wait("timeout", 6, socket=True),
    "smtplib.SMTP": Wait("timeout", 3, address=(0, "host"), socket=True),
    "smtplib.SMTP_SSL": Wait("timeout", address=(0, "host"), socket=True),
    "ftplib.FTP": Wait("timeout", 4, address=(0, "host"), socket=True),
    "ftplib.FTP_TLS": Wait("timeout", address=(0, "host"), socket=True),
    "imaplib.IMAP4": Wait("timeout", 2, address=(0, "host"), socket=True),
    "imaplib.IMAP4_SSL": Wait("timeout", address=(0, "host"), socket=True),
}
_COMMANDS: Final[Mapping[str, Wait]] = {
    "subprocess.run": Wait("timeout"),
    "subprocess.call": Wait("timeout"),
    "subprocess.check_call": Wait("timeout"),
    "subprocess.check_output": Wait("timeout"),
    "subprocess.Popen().communicate": Wait("timeout", 1),
    "subprocess.Popen().wait": Wait("timeout", 0),
}
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
        command = _COMMANDS.get(name)
        wait = command or _CONNECTS.get(name)
        if (
            wait is None
            or call.may_have_more
            or call.argument(wait.position, wait.keyword) not in (None, Literal(None))
        ):
            continue
        if command is not None:
            yield Problem(
                call.span,
                f"{name}() has no timeout; a command that hangs holds the function until its own timeout",
                hint="pass a timeout in seconds, well below the function's own",
                confidence=Confidence.MEDIUM,
                fix=_bounding(call, wait, shortest_timeout_s(module, project)),
            )
        elif not (_is_told_elsewhere(call, wait) or (wait.socket and module.path in defaults.paths)):
            if wait.text and _has_variable(project, module):
                continue
            long = f"waits {wait.seconds} s" if wait.seconds else "hangs"
            yield Problem(
                call.span,
                f"{name}() has no {wait.keyword}; it {long} where a security group drops what is sent",
                hint=f"pass {wait.keyword} in seconds, well below the function's own timeout",
                fix=_bounding(call, wait, shortest_timeout_s(module, project)),
            )


def _bounding(call: Call, wait: Wait, budget_s: int | None) -> Fix | None:
    """The fix that passes a timeout; a connection comes about soon or never, a command may need its time."""
    if wait in _COMMANDS.values():
        seconds = None if budget_s is None else waiting_time(budget_s, most_s=budget_s)
    else:
        seconds = waiting_time(budget_s, most_s=_CONNECTING_S)
    if seconds is None or seconds < 1:
        return None
    change = SetArgument(call.span, wait.keyword, f"{seconds:g}", wait.position)
    return Fix(f"pass {wait.keyword}={seconds:g}", Applicability.UNSAFE, changes=(change,))


def _is_told_elsewhere(call: Call, wait: Wait) -> bool:
    """Whether the timeout may stand in a connection string, or there is nobody to wait for yet."""
    if wait.address is None:
        return False
    stated = call.argument(*wait.address)
    if not wait.text:
        return stated is None
    return "service" in call.keywords or (stated is not None and not _lacks(stated, wait.keyword))


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
