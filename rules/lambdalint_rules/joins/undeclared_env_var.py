"""``os.environ["NAME"]`` raises a ``KeyError`` unless the function declares the variable.

At module level that ends every cold start; in the handler it fails the invocations that get there.  Often the name was
changed on one side only, or a function shares its code with others that do set the variable.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lambdalint.aws.environment import names_set, wrapper_name
from lambdalint.facts.env_reads import Absence, EnvRead, EnvReads
from lambdalint.facts.expressions import NONE, Env
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.reach import Reach
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    Known,
    Problem,
    Problems,
    Related,
    RenameKey,
    Severity,
    Span,
    rule,
)

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Environment: {{Variables: {{{variables}}}}}
"""
ORDERS = TEMPLATE.format(variables="TABLE_NAME: orders")
ABSENT = TEMPLATE.partition("      Environment")[0]

AT_IMPORT = """\
import os

TABLE = os.environ["TABLENAME"]  # finding

def handler(event, context):
    return TABLE
"""
CALLED = """\
from store import load

def handler(event, context):
    return load(event["id"])
"""
STORE = """\
from os import environ

def load(number):
    return environ["BUCKET"], number  # finding

def other_function():
    return environ["QUEUE"]
"""
USED_AS_TEXT = """\
import os
import boto3

table = boto3.resource("dynamodb").Table(os.environ.get("ORDERS_TABLE"))  # finding

def handler(event, context):
    return int(os.getenv("LIMIT"))  # finding
"""
GUARDED = """\
import os
from contextlib import suppress

TABLE = os.environ["TABLE_NAME"]
REGION = os.environ["AWS_REGION"]
ZONE = os.environ["TZ"]
STAGE = os.environ.get("STAGE", "dev")
DEBUG = os.getenv("DEBUG")
BUCKET = os.environ["BUCKET"] if "BUCKET" in os.environ else None
LIMIT = int(os.environ.get("LIMIT") or 10)
if os.environ.get("RUNS_LOCALLY"):
    ENDPOINT = os.environ["ENDPOINT"]
IS_LOCAL = bool(os.environ.get("IS_LOCAL"))
if IS_LOCAL:
    PORT = os.environ["PORT"]
try:
    QUEUE = os.environ["QUEUE"]
except KeyError:
    QUEUE = None
with suppress(KeyError):
    TENANT = os.environ["TENANT"]
os.environ["MPLCONFIGDIR"] = "/tmp"

def handler(event, context):
    settings = {name: value for name, value in os.environ.items() if name.startswith("APP_")}
    if not os.environ.get("TOPIC"):
        return settings
    return os.environ["TOPIC"], os.environ["MPLCONFIGDIR"]

def other_handler(event, context):
    return os.environ["OTHER_TABLE"]

if __name__ == "__main__":
    print(os.environ["HOME_FOLDER"])
"""
LOADED = """\
import os
from dotenv import load_dotenv

load_dotenv()
TABLE = os.environ["TABLE"]

def handler(event, context):
    return TABLE
"""
UNMARKED = AT_IMPORT.replace("  # finding", "")

#: Calls after which any variable may be set.
_SETTERS: Final = (
    "dotenv.load_dotenv",
    "dotenv.main.load_dotenv",
    "environ.Env.read_env",
    "environs.Env().read_env",
    "os.environ.update",
    "os.putenv",
)

#: Calls that fail when their first argument is ``None``.
_REFUSING: Final = frozenset(
    (
        "boto3.resource(dynamodb).Table",
        "boto3.resource(s3).Bucket",
        "boto3.resource(sns).Topic",
        "boto3.resource(sqs).Queue",
        "float",
        "int",
        "json.loads",
        "os.path.join",
    )
)

_MAX_EDITS: Final = 2


@dataclass(frozen=True, slots=True)
class _Need:
    """A place that fails without the variable *name*; *conditional* says that it may not be come by."""

    name: str
    text: str
    path: str
    scope: str
    span: Span
    conditional: bool
    at_import: bool


@rule(
    "LX001",
    "undeclared-env-var",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        {"template.yaml": ORDERS, "src/app.py": AT_IMPORT},
        {"template.yaml": ABSENT, "src/app.py": AT_IMPORT},
        {"template.yaml": ORDERS, "src/app.py": CALLED, "src/store.py": STORE},
        {"template.yaml": ORDERS, "src/app.py": USED_AS_TEXT},
    ),
    good=(
        {"template.yaml": TEMPLATE.format(variables="TABLENAME: orders"), "src/app.py": UNMARKED},
        {"template.yaml": ORDERS, "src/app.py": GUARDED},
        {"template.yaml": ORDERS, "src/app.py": LOADED},
        {"template.yaml": ABSENT + "      Environment: !Ref Environment\n", "src/app.py": UNMARKED},
        {
            "template.yaml": ABSENT + "      Environment: {Variables: {Fn::Transform: {Name: AWS::Include}}}\n",
            "src/app.py": UNMARKED,
        },
        {
            "template.yaml": TEMPLATE.format(variables="AWS_LAMBDA_EXEC_WRAPPER: /opt/inject-secrets"),
            "src/app.py": UNMARKED,
        },
    ),
)
def check(function: Function, calls: PathCalls, reads: PerModule[EnvReads]) -> Problems:
    declared = _declared(function)
    if declared is None or wrapper_name() in declared:
        return
    if any(call.name in _SETTERS for call in calls.calls):
        return
    reached = list(_reached(calls.reach, reads))
    written = {read.name for _, read in reached if read.absence is Absence.WRITTEN}
    if None in written:
        return
    present = names_set() | declared | written
    unread = declared - {read.name for _, read in reached}
    said: set[str] = set()
    needs = sorted((*_required(calls.reach, reached), *_used_as_text(calls)), key=lambda each: not each.at_import)
    for need in needs:
        if need.name in present or need.name in said:
            continue
        said.add(need.name)
        near = sorted(name for name in unread if _is_near(name, need.name))
        sets = f"{function.name} sets {near[0]}" if near else f"{function.name} does not set it"
        env = function.env.span if function.env else function.span
        yield Problem(
            need.span,
            f"{need.text} is read {_when(need)}; {sets}",
            related=(
                *calls.reach.way(need.path, need.scope, "init" if need.at_import else "invoke"),
                Related(env, f"the variables of {function.name}"),
            ),
            confidence=_confidence(need, bool(near)),
            fix=_renaming(function, near[0], need.name) if len(near) == 1 else None,
        )


def _renaming(function: Function, old: str, new: str) -> Fix | None:
    """The fix that gives a variable the name that is read, where only this function has it."""
    variables = function.env.value if isinstance(function.env, Known) else {}
    value = variables.get(old)
    if value is None or not function.resource.extent.holds(value.span):
        return None
    return Fix(f"call it {new}", Applicability.UNSAFE, changes=(RenameKey(value.span, old, new),))


def _declared(function: Function) -> frozenset[str] | None:
    """The names of the function's variables; ``None`` when they cannot be known."""
    container = function.container
    if container is not None and container.variables is None:
        return None
    of_image = frozenset(container.variables or ()) if container is not None else frozenset()
    match function.env:
        case None:
            return of_image
        case Known(Mapping() as variables) if not any("::" in name for name in variables):
            return of_image | frozenset(variables)
        case _:
            return None


def _reached(reach: Reach, reads: PerModule[EnvReads]) -> Iterator[tuple[str, EnvRead]]:
    at = reach.init | reach.invoke
    for path in sorted({path for path, _ in at}):
        found = reads.get(path)
        for read in found.reads if found is not None else ():
            if not read.skipped and (path, read.scope) in at:
                yield path, read


def _required(reach: Reach, reached: list[tuple[str, EnvRead]]) -> Iterator[_Need]:
    for path, read in reached:
        kinds = {guard.kind for guard in read.guards}
        if read.name is not None and read.required and GuardKind.ENV not in kinds:
            text = f'os.environ["{read.name}"]'
            at_import = (path, read.scope) in reach.init
            conditional = bool(kinds - {GuardKind.TRY})
            yield _Need(read.name, text, path, read.scope, read.span, conditional, at_import)


def _used_as_text(calls: PathCalls) -> Iterator[_Need]:
    """``os.environ.get("NAME")`` without a default where nothing but text will do."""
    for found in calls.calls:
        call = found.call
        first = call.args[0] if call.args else None
        if found.name in _REFUSING and isinstance(first, Env) and first.default == NONE and not call.guards:
            text = f'os.environ.get("{first.name}")'
            yield _Need(first.name, text, found.path, call.scope, call.span, True, found.phase == "init")


def _when(need: _Need) -> str:
    if need.at_import:
        return "at import"
    name = need.scope.rpartition(".")[2]
    return "on the handler path" if name.startswith("<") else f"in {name}()"


def _confidence(need: _Need, near: bool) -> Confidence | None:
    if near or (need.at_import and not need.conditional):
        return None
    return Confidence.MEDIUM if need.at_import or not need.conditional else Confidence.LOW


def _is_near(first: str, second: str) -> bool:
    """Whether one of two names may be the other misspelt: in case, in ``_``, or in one or two letters."""
    first, second = (name.replace("_", "").lower() for name in (first, second))
    if first == second:
        return True
    if min(len(first), len(second)) < 5 or abs(len(first) - len(second)) > _MAX_EDITS:
        return False
    row = list(range(len(second) + 1))
    for number, letter in enumerate(first, 1):
        above, row = row, [number]
        for place, other in enumerate(second, 1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (letter != other)))
    return row[-1] <= _MAX_EDITS
