"""What waits while the handler is imported makes the first caller wait, and may be done twice.

Importing the handler may take ten seconds.  When they are over, Lambda starts the import anew inside the first
invocation, whose timeout then has to suffice for both.  Fetching configuration there is good practice, with a timeout
far below that.  Calls that could be told a timeout and are not are reported by ``http-without-timeout`` and
``wait-without-timeout``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.facts.calls import Call, Calls
from lambdalint.facts.client_timeouts import stated_wait, waited_s
from lambdalint.facts.clients import client
from lambdalint.facts.expressions import Expression, text_prefix
from lambdalint.facts.http_calls import http_call
from lambdalint.rule import Confidence, Known, Module, PerModule, Problem, Problems, Project, Severity, rule
from lambdalint_rules.handler.certain import certain_at_import
from lambdalint_rules.handler.samples import orders

BAD = """\
import os
import subprocess
import httpx
import pymysql
import requests

DATABASE = pymysql.connect(host="db", connect_timeout=20)  # finding
RATES = requests.get("https://api.example.com/rates", timeout=20).json()  # finding
subprocess.run(["aws", "s3", "sync", "s3://models", "/tmp/models"], check=True, timeout=60)  # finding
os.system("tar xf /opt/models.tar -C /tmp")  # finding

def flags():
    try:
        return httpx.get("https://flags.example.com", timeout=15).json()  # finding
    except httpx.HTTPError:
        return {}

FLAGS = flags()

def handler(event, context):
    return RATES, FLAGS
"""
GOOD = """\
import os
import shutil
import subprocess
import boto3
import pymongo
import pymysql
import requests

DATABASE = pymysql.connect(host="db", connect_timeout=2)
MONGO = pymongo.MongoClient(serverSelectionTimeoutMS=20000)
RATES = requests.get("https://api.example.com/rates", timeout=2).json()
HOST = boto3.client("ssm").get_parameter(Name="/orders/host")
VERSION = subprocess.check_output(["ffmpeg", "-version"], timeout=2)
os.system("cp /var/task/ffmpeg /tmp/ffmpeg")
if os.environ.get("LOCAL"):
    subprocess.run(["docker", "compose", "up"])

def convert(path):
    subprocess.run(["ffmpeg", "-i", path])
    return requests.get("https://api.example.com/rates", timeout=20)

def handler(event, context):
    return convert(event["path"])

if __name__ == "__main__":
    subprocess.run(["pytest"])
"""
SHORTER = "import requests\n\nRATES = requests.get('https://x.com', timeout=20)\n\ndef handler(event, context): ...\n"

#: Programs that take no time to speak of.
_QUICK: Final = frozenset(
    ("cat", "chmod", "chown", "cp", "echo", "env", "ln", "ls", "mkdir", "mv", "rm", "uname", "which")
)
_RUNNING: Final = frozenset(
    (
        "subprocess.Popen().communicate",
        "subprocess.Popen().wait",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "subprocess.run",
    )
)
_ENDLESS: Final = frozenset(("os.popen", "os.system", "subprocess.getoutput", "subprocess.getstatusoutput"))


@rule(
    "LI004",
    "blocking-call-at-import",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=orders(BAD, "      Timeout: 30\n"),
    good=(
        orders(GOOD),
        # timeout-over-function says that the function would not outlive this call.
        orders(SHORTER, "      Timeout: 15\n"),
    ),
)
def check(module: Module, project: Project, modules: PerModule[Calls]) -> Problems:
    calls = modules.get(module.path)
    for call in certain_at_import(calls) if calls is not None else ():
        how = _how_long(call, module, project)
        if how is not None:
            yield Problem(
                call.span,
                f"{call.name}() runs at import {how}; init may take {limit('init', 'max_s')} s, "
                "then starts over inside the first invocation",
                hint="give it a timeout of few seconds, or do it when it is first needed",
            )


def _how_long(call: Call, module: Module, project: Project) -> str | None:
    name = call.name or ""
    made = client(name)
    if http_call(name) is not None or (made is not None and made.connects):
        wait = stated_wait(call, name)
        if wait is None or wait.total_s < limit("init", "max_s") or _outlasts_all(wait.total_s, module, project):
            return None
        return f"and waits up to {wait}"
    if name in _ENDLESS:
        program = _program(call.argument(0))
        return None if not program or program in _QUICK else f"for as long as {program} takes"
    seconds = waited_s(call.keywords.get("timeout")) if name in _RUNNING else None
    return None if seconds is None or seconds < limit("init", "max_s") else f"and waits up to {seconds:g} s"


def _program(command: Expression | None) -> str:
    words = text_prefix(command).split() if command is not None else []
    return words[0].rpartition("/")[2] if words else ""


def _outlasts_all(seconds: float, module: Module, project: Project) -> bool:
    """Whether every function that loads the module is stopped before, which another rule reports."""
    timeouts = [each.timeout_s for each in project.loaders().get(module.path, ())]
    return bool(timeouts) and all(isinstance(each, Known) and each.value <= seconds for each in timeouts)
