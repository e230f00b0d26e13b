"""A client made inside the handler is made anew for every event.

Lambda keeps the process for the next events, and module-level objects with it.  A client of boto3 costs processor
time, which the function has in proportion to its memory, and every new client or session opens its connections anew,
TLS handshake included.  The times are measured, on one vCPU, for a client like one that was made before.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

import re
from collections.abc import Iterator
from keyword import iskeyword
from typing import Final

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.calls import Call
from lambdalint.facts.constructors import CONSTRUCTORS, Kind, canonical
from lambdalint.facts.event_reads import EventReads
from lambdalint.facts.expressions import (
    CallOf,
    Collection,
    Either,
    Env,
    Expression,
    Joined,
    Literal,
    Name,
    depends_on_event,
)
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.import_costs import constructing_ms, scaled_ms
from lambdalint.facts.kept import Kept, runs_once
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.rule import (
    Applicability,
    Fix,
    Function,
    Known,
    MoveToModule,
    Problem,
    Problems,
    Resource,
    Severity,
    Trigger,
    TriggerKind,
    rule,
)
from lambdalint_rules.handler.certain import certain_calls, is_unconditional
from lambdalint_rules.handler.orders import ORDERS

PLAIN = """\
import os
import boto3
import pymysql
import requests
from botocore.config import Config

def handler(event, context):
    table = boto3.resource("dynamodb", region_name=os.environ["AWS_REGION"]).Table("orders")  # finding
    table.put_item(Item=event)
    with requests.Session() as session:  # finding
        session.get("https://example.com", timeout=3)
    return load()

def load():
    connection = pymysql.connect(host=os.environ["HOST"], user="orders")  # finding
    client = client_for("s3")
    return client.list_buckets(), connection

def client_for(service):
    return boto3.client(service, config=Config(read_timeout=5))  # finding
"""
SESSION = """\
from boto3 import Session

def handler(event, context):
    session = Session()
    return session.client("sqs").list_queues()  # finding
"""
KEPT = """\
import functools
import os
import boto3
import pymysql

s3 = boto3.client("s3")
_table = None
_connection = None
_clients = {}
_queue = None

class Store:
    def __init__(self):
        self._client = None

    @property
    def client(self):
        if self._client is None:
            self._client = boto3.client("dynamodb")
        return self._client

store = Store()

@functools.lru_cache(maxsize=None)
def events():
    return made("events")

def made(service):
    return boto3.client(service)

def table():
    global _table
    if not _table:
        _table = boto3.resource("dynamodb").Table("orders")
    return _table

def client(service):
    if service not in _clients:
        _clients[service] = boto3.client(service)
    return _clients[service]

def connection():
    global _connection
    if _connection is None or not _connection.open:
        _connection = pymysql.connect(host=os.environ["HOST"])
    return _connection

def in_region(region):
    found = _clients.get(region)
    if found:
        return found
    _clients[region] = boto3.client("ec2", region_name=region)
    return _clients.get("iam") or _clients.setdefault("iam", boto3.client("iam"))

class Single(type):
    _made = {}

    def __call__(cls):
        if cls not in cls._made:
            cls._made[cls] = super().__call__()
        return cls._made[cls]

class Database(metaclass=Single):
    def __init__(self):
        self.client = boto3.client("rds-data")

def handler(event, context):
    global _queue
    _queue = _queue or boto3.client("sqs")
    from helpers import sns
    connection().ping()
    in_region("eu-west-1").describe_regions()
    return s3, table(), client("sqs"), events(), store.client.scan(), sns, Database()
"""
BY_EVENT = """\
from contextlib import closing
import boto3
import psycopg2

def handler(event, context):
    credentials = boto3_credentials(event)
    remote = boto3.client("s3", aws_access_key_id=credentials["AccessKeyId"])
    for record in event["Records"]:
        boto3.client("s3", region_name=record["awsRegion"]).head_bucket(Bucket="b")
    session = boto3.Session(aws_session_token=credentials["SessionToken"])
    with psycopg2.connect("dbname=orders") as connection, closing(psycopg2.connect("dbname=jobs")):
        return remote, session.client("sts"), connection

def boto3_credentials(event):
    import sts
    return sts.assume_role(event["role"])["Credentials"]
"""
LOCAL = """\
import os
import boto3

queue = boto3.client("sqs")

def handler(event, context):
    if os.environ.get("LOCAL") == "true":
        local = boto3.client("sqs", endpoint_url="http://localstack:4566")
        return local.list_queues()
    return queue.list_queues()
"""
PROVIDING = """\
import boto3

def handler(event, context):
    if event["RequestType"] == "Create":
        boto3.client("events").put_events(Entries=[event["ResourceProperties"]])
    return {"PhysicalResourceId": "notification"}
"""
ROTATING = """\
import boto3

def handler(event, context):
    secrets = boto3.client("secretsmanager")
    finish(secrets, event["SecretId"], event["ClientRequestToken"])

def finish(secrets, secret, token):
    cache = boto3.client("elasticache")
    cache.modify_user(UserId="orders", Passwords=[secrets.get_secret_value(SecretId=secret)["SecretString"]])
"""
UNMARKED = PLAIN.replace("  # finding", "")

#: What only wraps other arguments.
_WRAPPERS: Final = frozenset(("botocore.client.Config", "botocore.config.Config", "bool", "float", "int", "str"))

_SOMETIMES: Final = "anew each time the handler gets here"

#: What only the events of custom resources, and of secrets that are rotated, have.
_OF_RARE: Final = (("RequestType",), ("ResourceProperties",), ("ClientRequestToken",))

_LOCAL: Final = re.compile(r"https?://(?:localhost|localstack|127\.0\.0\.1|host\.docker\.internal)\b")
_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\((?P<minute>\S+) (?P<hour>\S+) .*\)")


@rule(
    "LI001",
    "client-per-invocation",
    severity=Severity.WARNING,
    since="0.1.0",
    fix="unsafe",
    covers=(
        "sonar:S6243",
        "codeguru:lambda-client-reuse",
        *(f"pythaw:PW00{number}" for number in range(1, 10)),
    ),
    bad=(
        {"template.yaml": ORDERS, "src/app.py": PLAIN},
        {"template.yaml": ORDERS, "src/app.py": SESSION},
    ),
    good=(
        {"template.yaml": ORDERS, "src/app.py": KEPT, "src/helpers.py": "import boto3\nsns = boto3.client('sns')\n"},
        {"template.yaml": ORDERS, "src/app.py": BY_EVENT},
        {
            "template.yaml": ORDERS
            + "      Events: {Nightly: {Type: Schedule, Properties: {Schedule: cron(0 3 * * ? *)}}}\n",
            "src/app.py": UNMARKED,
        },
        {
            "template.yaml": ORDERS
            + "  Setup: {Type: Custom::Setup, Properties: {ServiceToken: !GetAtt Orders.Arn}}\n",
            "src/app.py": UNMARKED,
        },
        {"template.yaml": ORDERS, "src/app.py": LOCAL},
        {"template.yaml": ORDERS, "src/app.py": PROVIDING},
        {"template.yaml": ORDERS, "src/app.py": ROTATING},
    ),
)
def check(
    function: Function,
    calls: PathCalls,
    kept: Kept,
    arguments: PerModule[Arguments],
    reads: PerModule[EventReads],
) -> Problems:
    if _runs_rarely(function, calls, reads):
        return
    made = list(_made(calls, kept))
    with_own_sessions = {
        (each.path, each.call.scope) for each, name, _ in made if name in ("boto3.Session", "botocore.session.Session")
    }
    sessions_are_plain = all(
        _is_constant(each, arguments) for each in calls.calls if canonical(each.name or "") == "boto3.Session"
    )
    through_session = {(each.path, each.call.scope) for each, name, _ in made if name.startswith("boto3.Session().")}
    target = (function.target.scope_path or "", function.target.scope or "")
    always = set(certain_calls(calls, "invoke", {target}, is_unconditional)) if made else set()
    for each, name, kind in made:
        at = (each.path, each.call.scope)
        if name == "boto3.Session" and at in through_session:
            continue
        if name.startswith("boto3.Session()."):
            if not sessions_are_plain:
                continue
            if at not in with_own_sessions:
                name = name.replace("Session().", "")
        if not _is_constant(each, arguments) or (kind is Kind.DATABASE and each.call.entered):
            continue
        yield Problem(
            each.call.span,
            f"{_shown(each)} is made {'on every invocation' if each in always else _SOMETIMES}{_cost(name, function)}",
            related=calls.way(each),
            hint="make it at module level, or keep it there once it is made",
            fix=None if each.call.entered else _moving(each.call),
        )


def _moving(call: Call) -> Fix:
    """The fix that makes it at module level, under the name that it has or that of the service."""
    service = call.args[0] if call.args else None
    name = service.value if isinstance(service, Literal) and isinstance(service.value, str) else ""
    name = name.replace("-", "_")
    change = MoveToModule(call.span, name if name.isidentifier() and not iskeyword(name) else None)
    return Fix("make it at module level", Applicability.UNSAFE, changes=(change,))


def _made(calls: PathCalls, kept: Kept) -> Iterator[tuple[PathCall, str, Kind]]:
    """What the handler's path makes anew, and by which constructor."""
    for each in calls.calls:
        name = canonical(each.name or "")
        kind = CONSTRUCTORS.get(each.name or "") or CONSTRUCTORS.get(name)
        if (
            kind is None
            or _is_local(each.call)
            or each.phase != "invoke"
            or (each.path, each.call.scope) in kept.scopes
        ):
            continue
        if not runs_once(each.call) and all(guard.kind is not GuardKind.EXCEPT for guard in each.call.guards):
            yield each, name, kind


def _is_local(call: Call) -> bool:
    """Whether it talks to what stands in for AWS on a developer's machine."""
    match call.keywords.get("endpoint_url"):
        case Literal(str(address)):
            return _LOCAL.match(address) is not None
        case _:
            return False


def _is_constant(each: PathCall, arguments: PerModule[Arguments]) -> bool:
    """Whether nothing about the call can differ from one event to the next."""
    call, known = each.call, arguments.get(each.path)
    if call.may_have_more or known is None:
        return False
    of_aws = CONSTRUCTORS.get(canonical(each.name or "")) is Kind.AWS
    return all(
        _is_plain(found) if of_aws else depends_on_event(found) is False
        for argument in (*call.args, *call.keywords.values())
        for found in known.alternatives(argument, call.scope)
    )


def _is_plain(value: Expression) -> bool:
    """Whether it is put together from constants and variables: credentials of another role are not."""
    match value:
        case Literal():
            return True
        case Env(default=default):
            return default is None or _is_plain(default)
        case Name(name):
            return "(" not in name
        case Joined(parts) | Either(parts) | Collection(items=parts):
            return all(map(_is_plain, parts))
        case CallOf(str(name), args, keywords) if name in _WRAPPERS:
            return all(map(_is_plain, (*args, *keywords.values())))
        case _:
            return False


def _shown(each: PathCall) -> str:
    of_aws = CONSTRUCTORS.get(canonical(each.name or "")) is Kind.AWS
    match each.call.args:
        case (Literal(str(first)), *_) if of_aws:
            return f'{each.name}("{first}")'
        case ():
            return f"{each.name}({'…' if each.call.keywords else ''})"
        case _:
            return f"{each.name}(…)"


def _cost(constructor: str, function: Function) -> str:
    ms = constructing_ms(constructor)
    if ms is None or ms < 1:
        return " and connects anew"
    match function.memory_mb:
        case Known(int(memory)) if memory > 0:
            return f", about {scaled_ms(ms, memory):.0f} ms at {memory} MB"
        case _:
            return f", about {ms:.0f} ms on one vCPU"


def _runs_rarely(function: Function, calls: PathCalls, reads: PerModule[EventReads]) -> bool:
    """Whether no environment lives to see a second event: a custom resource, a rotation, a schedule of over an hour."""
    if any((call.name or "").startswith(("cfnresponse.", "crhelper.")) for call in calls.calls):
        return True
    asked = reads.get(function.target.scope_path) if function.target.scope_path is not None else None
    if asked is not None and any(each.keys in _OF_RARE for each in asked.reads):
        return True
    triggers = function.triggers if function.triggers_complete else ()
    return bool(triggers) and all(
        each.kind is TriggerKind.CUSTOM_RESOURCE or (each.kind is TriggerKind.SCHEDULE and _is_rare(each))
        for each in triggers
    )


def _is_rare(trigger: Trigger) -> bool:
    """Whether a schedule leaves more than an hour between two events; one that is not known is taken to."""
    schedule = trigger.settings.get("Schedule") or trigger.settings.get("ScheduleExpression")
    if schedule is None and isinstance(trigger.source, Resource):
        schedule = trigger.source.get("ScheduleExpression")
    if not isinstance(schedule, Known):
        return True
    expression = str(schedule.value)
    if rate := _RATE.fullmatch(expression):
        count, unit = int(rate[1]), rate[2]
        return unit == "day" or count > (60 if unit == "minute" else 1)
    if cron := _CRON.fullmatch(expression):
        step = cron["hour"].rpartition("/")[2]
        return cron["minute"].isdecimal() and step.isdecimal() and (step == cron["hour"] or int(step) > 1)
    return True
