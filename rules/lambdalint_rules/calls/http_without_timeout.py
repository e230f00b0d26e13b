"""An HTTP call without a timeout waits for a silent server as long as the function runs.

requests, urllib and urllib3 wait forever by default; so do connections of http.client and socket.  The function is then
stopped from outside, in the middle of whatever it does, and billed for all the time; a caller sees no error but a time
out.  httpx (5 s) and aiohttp (300 s) have defaults, and wait forever only when told so.

Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
"""

from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.clients import library_default_s
from lambdalint.facts.expressions import Env, Expression, Joined, Literal, Name, qualified_name, text_prefix
from lambdalint.facts.http_calls import HttpCall, http_call
from lambdalint.facts.socket_defaults import SocketDefaults
from lambdalint.rule import (
    Applicability,
    Fix,
    Module,
    PerModule,
    Problem,
    Problems,
    Project,
    SetArgument,
    Severity,
    rule,
)
from lambdalint_rules.calls.timeouts import shortest_timeout_s, timeout_argument

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src/, Handler: app.handler, Runtime: python3.13}
"""
BAD = """\
import requests
import httpx
import urllib3
from urllib.request import urlopen

http = urllib3.PoolManager()

def handler(event, context):
    requests.post("https://api.stripe.com/v1/charges", json=event)  # finding
    with requests.Session() as session:
        session.get(event["url"], timeout=None)  # finding
    http.request("GET", "https://example.com")  # finding
    httpx.get("https://example.com", timeout=None)  # finding
    return urlopen("https://example.com").read()  # finding

def unused():
    requests.get("https://example.com")
"""
GOOD = """\
import os
import aiohttp
import httpx
import requests
import urllib3
from urllib.request import urlopen

http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=1.0, read=2.0))

def handler(event, context):
    requests.post("https://api.stripe.com/v1/charges", json=event, timeout=(3.05, 10))
    requests.get("https://example.com", **event["options"])
    requests.get("http://localhost:2773/systemsmanager/parameters/get?name=orders")
    requests.get(f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/next")
    http.request("GET", "https://example.com")
    httpx.get("https://example.com")
    return urlopen("https://example.com", None, 5).read()
"""
ADAPTER = """\
import requests
from requests.adapters import HTTPAdapter

class Impatient(HTTPAdapter):
    def send(self, request, **kwargs):
        kwargs["timeout"] = kwargs.get("timeout") or 5
        return super().send(request, **kwargs)

session = requests.Session()
session.mount("https://", Impatient())

def handler(event, context):
    return session.get("https://example.com").json()
"""
DEFAULT = """\
import socket
from clients import fetch

socket.setdefaulttimeout(5)

def handler(event, context):
    return fetch()
"""
CLIENTS = """\
from urllib.request import urlopen

def fetch():
    return urlopen("https://example.com").read()
"""


@rule(
    "LT001",
    "http-without-timeout",
    severity=Severity.WARNING,
    since="0.1.0",
    fix="unsafe",
    covers=(
        "sonar:S7618",
        "ruff:S113",
        "bandit:B113",
        "pylint:W3101",
        "flake8-timeout:TIM100",
        "semgrep:use-timeout",
    ),
    bad={"template.yaml": TEMPLATE, "src/app.py": BAD},
    good=(
        {"template.yaml": TEMPLATE, "src/app.py": GOOD},
        {"template.yaml": TEMPLATE, "src/app.py": ADAPTER},
        {"template.yaml": TEMPLATE, "src/app.py": DEFAULT, "src/clients.py": CLIENTS},
    ),
)
def check(module: Module, project: Project, modules: PerModule[Calls], defaults: SocketDefaults) -> Problems:
    calls = modules.get(module.path)
    if calls is None or module.path in defaults.paths:
        return
    patient = None
    for call in calls.calls:
        known = http_call(call.name) if call.name else None
        if known is None or call.name is None:
            continue
        stated = call.argument(known.timeout, "timeout")
        finite = library_default_s(known.library) is not None or call.name == "urllib.request.urlretrieve"
        if stated != Literal(None) and (stated is not None or finite or call.may_have_more):
            continue
        if stated is None:
            patient = _patient_openers(calls) if patient is None else patient
            if (known.opener and known.opener not in patient) or _is_local(call, known):
                continue
        how = "has no timeout" if stated is None else "is told to wait forever"
        yield Problem(
            call.span,
            f"{call.name}() {how}; a silent server holds the function until its own timeout",
            hint="pass a timeout in seconds, well below the function's own",
            fix=_bounding(call, known, shortest_timeout_s(module, project)),
        )


def _bounding(call: Call, known: HttpCall, budget_s: int | None) -> Fix | None:
    """The fix that passes a timeout; a bare socket has its own method for that."""
    value = None if known.opener == "socket.socket" else timeout_argument(known.library, budget_s)
    if value is None:
        return None
    change = SetArgument(call.span, "timeout", value, known.timeout)
    return Fix(f"pass timeout={value}", Applicability.UNSAFE, changes=(change,))


def _patient_openers(calls: Calls) -> frozenset[str]:
    """The classes of the libraries whose instances in this module wait forever, as far as can be seen."""
    openers = {known.opener for call in calls.calls if call.name and (known := http_call(call.name)) and known.opener}
    for call in calls.calls:
        owner, _, method = (call.name or "").rpartition(".")
        if call.name in openers and ("timeout" in call.keywords or call.may_have_more or _sends_at_once(call)):
            openers.discard(call.name)
        elif method == "settimeout" or (method == "mount" and _adapter(call) != "requests.adapters.HTTPAdapter()"):
            openers.discard(owner.removesuffix("()"))
        elif call.name == "functools.partial" and "timeout" in call.keywords and call.args:
            openers.discard((qualified_name(call.args[0]) or "").rpartition(".")[0].removesuffix("()"))
    return frozenset(opener for opener in openers if opener)


def _sends_at_once(call: Call) -> bool:
    """Whether a socket has nobody to wait for: it is one of datagrams, or of the own machine."""
    return any(
        each in (Name("socket.SOCK_DGRAM"), Name("socket.AF_UNIX")) for each in (*call.args, *call.keywords.values())
    )


def _adapter(call: Call) -> str | None:
    adapter = call.argument(1, "adapter")
    return None if adapter is None else qualified_name(adapter)


def _is_local(call: Call, known: HttpCall) -> bool:
    """Whether the call goes to an extension, or to Lambda's own API, which makes callers wait on purpose."""
    address = call.argument(known.position, known.keyword)
    if address is None:
        return False
    start = text_prefix(address).removeprefix("http://")
    return start.startswith(("localhost", "127.0.0.1", "sandbox.localdomain")) or _reads_runtime_api(address)


def _reads_runtime_api(address: Expression) -> bool:
    parts = address.parts if isinstance(address, Joined) else (address,)
    return any(isinstance(part, Env) and part.name == "AWS_LAMBDA_RUNTIME_API" for part in parts)
