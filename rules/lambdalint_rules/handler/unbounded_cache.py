"""A cache without a bound keeps one entry for every value that the events of an environment ever brought.

Environments live for hours and serve thousands of invocations.  On a method the cache also keeps every object that the
method was called on.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

from collections.abc import Iterator
from typing import Final

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.calls import Calls
from lambdalint.facts.expressions import NONE, Parameter, carries_event
from lambdalint.facts.growing import Growing
from lambdalint.facts.kept import runs_once
from lambdalint.facts.symbols import Definition, Symbols
from lambdalint.rule import Applicability, BoundCache, Confidence, Fix, Module, Problem, Problems, Severity, rule
from lambdalint_rules.handler.few_values import has_few_values
from lambdalint_rules.handler.samples import orders

_UNBOUNDED: Final = "functools.cache"
_BY_SIZE: Final = "functools.lru_cache"
#: What ``functools.lru_cache`` keeps where nothing else is said.
_SIZE: Final = 128


@rule(
    "LS004",
    "unbounded-cache",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    fix="unsafe",
    since="0.1.0",
    covers=("ruff:B019",),
    bad=(
        orders("""\
from functools import cache, lru_cache

found = {}

@cache
def customer(customer_id, region):  # finding
    return load(customer_id)

@lru_cache(maxsize=None)
def order(order_id):  # finding
    return load(order_id)

class Orders:
    @cache
    def total(self, currency):  # finding
        return currency

def handler(event, context):
    user = event["user"]
    if user not in found:
        found[user] = load(user)  # finding
    return customer(event["customer"], "eu"), order(event["order"]), found[user], Orders().total("EUR")

def load(key): ...
"""),
    ),
    good=(
        orders("""\
from functools import cache, cached_property, lru_cache

found = {}
kinds = {}

@cache
def settings(name): ...

@lru_cache
def customer(customer_id): ...

@lru_cache(maxsize=1000)
def order(order_id): ...

@cache
def method(name): ...

class Orders:
    @cache
    def total(self, currency): ...

    @cached_property
    def rate(self): ...

    @staticmethod
    @cache
    def known(name): ...

store = Orders()

def handler(event, context):
    user = event["user"]
    if user not in found:
        if len(found) > 100:
            found.clear()
        found[user] = event
    if event["httpMethod"] not in kinds:
        kinds[event["httpMethod"]] = 1
    settings("orders"), method(event["httpMethod"]), store.total("EUR"), Orders.known("x")
    return customer(event["customer"]), order(event["order"])
"""),
    ),
)
def check(module: Module, symbols: Symbols, calls: Calls, arguments: Arguments, growing: Growing) -> Problems:
    for definition in _cached(symbols, calls):
        name = definition.scope.rpartition(".")[2]
        if definition.is_method and not {"staticmethod", "classmethod"} & set(definition.decorators):
            owner = definition.scope.rpartition(".")[0]
            if any(call.name == f":{owner}" and call.scope and not runs_once(call) for call in calls.calls):
                yield Problem(
                    definition.span,
                    f"the cache of {name} keeps every {owner} ever made in this environment",
                    hint="cache a function outside of the class",
                )
            continue
        for parameter in definition.parameters:
            values = list(arguments.alternatives(Parameter(parameter), definition.scope))
            if any(carries_event(value) and not has_few_values(value) for value in values):
                yield Problem(
                    definition.span,
                    f"the cache of {name} keeps every {parameter} ever seen by this environment",
                    hint="give it a maxsize by functools.lru_cache",
                    fix=Fix(
                        f"keep {_SIZE} results", Applicability.UNSAFE, changes=(BoundCache(definition.span, _SIZE),)
                    ),
                )
                break
    for growth in growing.growths:
        if growth.kind == "dict" and growth.sought and not growth.default:
            keys = arguments.alternatives(growth.added, growth.scope)
            if any(carries_event(key) and not has_few_values(key) for key in keys):
                yield Problem(
                    growth.span,
                    f"{growth.name} keeps every key ever seen by this environment",
                    hint="limit its length, or use functools.lru_cache",
                )


def _cached(symbols: Symbols, calls: Calls) -> Iterator[Definition]:
    """The functions whose results are kept without a bound."""
    endless = [
        call.span.line
        for call in calls.calls
        if call.decorator and call.name == _BY_SIZE and call.argument(0, "maxsize") == NONE
    ]
    for definition in sorted(symbols.definitions.values(), key=lambda each: each.span):
        if _UNBOUNDED in definition.decorators:
            yield definition
        elif _BY_SIZE in definition.decorators:
            above = [line for line in endless if line < definition.span.line]
            others = [
                each.span.line
                for each in symbols.definitions.values()
                if above and above[-1] < each.span.line < definition.span.line
            ]
            if above and not others:
                yield definition
