"""A list or dict of a module lives as long as the environment, and with it all that was ever added to it.

Environments serve thousands of invocations: what only grows is sent, stored or searched again by each later one, and
in the end the memory is full.  A default like ``seen=[]`` is made once as well.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.calls import Calls
from lambdalint.facts.expressions import carries_event
from lambdalint.facts.growing import Growing, Growth
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.imports import Imports
from lambdalint.facts.kept import Kept
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.reach import Reach
from lambdalint.rule import Function, Problem, Problems, Related, Severity, rule
from lambdalint_rules.handler.few_values import has_few_values
from lambdalint_rules.handler.samples import orders


@rule(
    "LS002",
    "growing-global",
    severity=Severity.WARNING,
    since="0.1.0",
    covers=("ruff:B006",),
    bad=(
        orders(
            """\
from collections import deque

import store

results = []
by_user = {}
users = set()
recent = deque()
log: list[str] = []

def handler(event, context, orders=[]):
    global log
    for record in event["Records"]:
        results.append(record["body"])  # finding
        orders.append(record["id"])
        results.append(record["id"])
        keep(record)
        keep_newest(record)
    log += ["done"]
    remember(event["user"])
    store.note(event["user"])
    return {"count": len(results), "orders": collect(event)}

def keep(record):
    by_user[record["user"]] = record  # finding

def keep_newest(record):
    recent.append(record)  # finding

def remember(user):
    if user not in users:
        users.add(user)  # finding

def collect(event, found=[]):
    found.append(event["order"])  # finding
    return found
""",
            store="""\
notes = []

def note(user):
    notes.append(user)  # finding
""",
        ),
    ),
    good=(
        orders(
            """\
from collections import deque

import registry

results = []
cache = {}
flags = {}
recent = deque(maxlen=100)
last = []
pending = []
kept = []
counts = {}
fixed = []
loaded = []

def handler(event, context, orders=None):
    global last
    results.clear()
    last = []
    orders = orders or []
    for record in event["Records"]:
        results.append(record["body"])
        last.append(record)
        recent.append(record)
        orders.append(record["id"])
        pending.append(record)
        kept.append(record)
    flags["seen"] = event["user"]
    counts[event["httpMethod"]] = 1
    if event["id"] not in cache:
        cache[event["id"]] = event
    if not loaded:
        loaded.append("rules")
    if len(fixed) < 10:
        fixed.append(event)
    while pending:
        print(pending.pop())
    send(kept)
    registry.names.clear()
    return registry.add(event["name"])

def send(records):
    records.clear()
""",
            registry="names = []\n\ndef add(name):\n    names.append(name)\n",
        ),
        orders("""\
rules = []

def rule(function):
    rules.append(function)
    return function

@rule
def small(event): ...

def handler(event, context):
    results = []
    results.append(event)
    return [each(event) for each in rules]
"""),
    ),
)
def check(
    function: Function,
    reach: Reach,
    kept: Kept,
    growing: PerModule[Growing],
    arguments: PerModule[Arguments],
    imports: PerModule[Imports],
    calls: PerModule[Calls],
) -> Problems:
    paths = sorted({path for path, _ in reach.init | reach.invoke})
    for path in sorted({path for path, _ in reach.invoke}):
        module, passed = growing.get(path), arguments.get(path)
        if module is None or passed is None:
            continue
        grown: dict[str, dict[str, Growth]] = {}
        for growth in module.growths:
            at = (path, growth.scope)
            if at not in reach.invoke or at in kept.scopes or not _grows(growth, passed, at in reach.init):
                continue
            if growth.default:
                calling = passed.passed.get(growth.scope, ())
                entry = at == (function.target.scope_path, function.target.scope)
                if not entry and all(growth.name in each.values for each in calling):
                    continue
            elif any(_may_clear(growth.name, imports.get(other), calls.get(other)) for other in paths if other != path):
                continue
            grown.setdefault(growth.scope, {}).setdefault(growth.name, growth)
        for scope, growths in grown.items():
            yield _problem(list(growths.values()), reach.way(path, scope, "invoke"))


def _problem(growths: list[Growth], way: tuple[Related, ...]) -> Problem:
    """One for all that grows in the same function: they were made, and are mended, together."""
    first, *others = growths
    what = f"the default of {first.name}" if first.default else first.name
    more = f" and {len(others)} {'other' if len(others) == 1 else 'others'}" if others else ""
    return Problem(
        first.span,
        f"{what}{more} {'grow' if more else 'grows'} with every invocation and {'are' if more else 'is'} never cleared",
        related=(*way, *(Related(each.span, f"so does {each.name}") for each in others)),
        hint=f"make {'each' if more else 'it'} a local variable, or limit its length",
    )


def _grows(growth: Growth, passed: Arguments, at_import: bool) -> bool:
    """Whether one invocation after the other adds something new."""
    if any(
        guard.kind is GuardKind.UNSET and not guard.negated and growth.name not in guard.names
        for guard in growth.guards
    ):
        return False
    new = any(
        carries_event(value) and not has_few_values(value) for value in passed.alternatives(growth.added, growth.scope)
    )
    match growth.kind:
        case "list":
            return (new and growth.sought) or (not growth.tested and (new or not at_import))
        case "set":
            return new and (growth.sought or not growth.tested)
        case _:
            return new and not growth.tested


def _may_clear(name: str, imports: Imports | None, calls: Calls | None) -> bool:
    """Whether another module takes hold of the variable."""
    return (imports is not None and any(each.name == name for each in imports.imports)) or (
        calls is not None and any(f".{name}." in (call.name or "") for call in calls.calls)
    )
