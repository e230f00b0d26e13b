"""The context that Lambda passes has a dozen attributes; reading any other is an ``AttributeError``.

Their names differ from those of other languages' contexts, and stand-ins in tests have whatever a test needs.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from lambdalint.aws.context import context_members
from lambdalint.facts.arguments import Arguments
from lambdalint.facts.context_reads import ContextRead, ContextReads
from lambdalint.facts.expressions import EventPath, Parameter
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import (
    Applicability,
    Fix,
    Module,
    PerModule,
    Problem,
    Problems,
    Project,
    Rewrite,
    Severity,
    rule,
)
from lambdalint_rules.handler.samples import orders

BAD = """\
import json
from aws_lambda_powertools import Logger

logger = Logger()

@logger.inject_lambda_context
def handler(event, context):
    print(context.request_id)  # finding
    if context.getRemainingTimeInMillis() < 1000:  # finding
        return None
    return settle(event, context)

def settle(order, run):
    return json.dumps({
        "id": run.aws_request_id,
        "name": run["function_name"],  # finding
        "version": run.get("function_version"),  # finding
    })
"""
OTHER_NAME = "def handler(order, _):\n    return _.function_arn  # finding\n"
GOOD = """\
import logging

def handler(event, context):
    context.started = 1
    logging.info("%s %s", context.aws_request_id, context.log_stream_name)
    logging.info("%s", context.client_context.custom.get("user"))
    if hasattr(context, "trace_id"):
        logging.info(context.trace_id)
    try:
        logging.info(context.span_id)
    except AttributeError:
        pass
    context.log(f"{context.get_remaining_time_in_millis()} {context.started}")
    return getattr(context, "xray_id", None), context._epoch_deadline_time_in_ms, render({}, context)

def render(template, context):
    context = {"template": template}
    return context["template"]

class View:
    def show(self, request, context):
        return context["user"], context.user
"""
DECORATED = """\
from framework import with_database

@with_database
def handler(event, context):
    return context.database
"""
SET_ELSEWHERE = """\
from helpers import begin

def handler(event, context):
    begin(context)
    return context.started
"""
HELPERS = "def begin(context):\n    context.started = 1\n"
FAKE = """\
def handler(event, context):
    return work(event)

def work(event, context=None):
    if isinstance(context, dict):
        return context["user"]
    return context.user if context else None
"""

#: What a name that another language or an older page uses is called here.
_CALLED: Final = {
    "awsrequestid": "aws_request_id",
    "function_arn": "invoked_function_arn",
    "invocation_id": "aws_request_id",
    "memory_limit": "memory_limit_in_mb",
    "memory_size": "memory_limit_in_mb",
    "request_id": "aws_request_id",
    "version": "function_version",
}


@rule(
    "LH009",
    "unknown-context-attribute",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(orders(BAD), orders(OTHER_NAME)),
    good=(orders(GOOD), orders(DECORATED), orders(SET_ELSEWHERE, helpers=HELPERS), orders(FAKE)),
)
def check(
    module: Module,
    project: Project,
    reads: PerModule[ContextReads],
    arguments: PerModule[Arguments],
    symbols: PerModule[Symbols],
) -> Problems:
    found, passed, known = reads.get(module.path), arguments.get(module.path), symbols.get(module.path)
    if found is None or passed is None or known is None or not any(map(_is_unknown, found.reads)):
        return
    functions = project.loaders().get(module.path, ())
    entries = {each.target.scope or "" for each in functions if each.target.scope_path == module.path}
    holding = _holding(entries, passed, known)
    if not holding:
        return
    beside = (reads.get(path) for each in functions for path in dict.fromkeys(each.modules.values()))
    stored = {name for other in beside if other is not None for name in other.stored}
    for each in found.reads:
        if not _is_unknown(each) or (each.owner, each.parameter) not in holding or each.attribute in stored:
            continue
        if not any(map(_asks, each.guards)):
            yield Problem(each.span, _what_is_so(each), fix=_renaming(each))


def _is_unknown(read: ContextRead) -> bool:
    if read.attribute is None:
        return True
    members = context_members()
    known = read.attribute in members or f"{read.attribute}()" in members
    return not known and not read.attribute.startswith("_")


def _holding(entries: set[str], arguments: Arguments, symbols: Symbols) -> set[tuple[str, str]]:
    """The parameters that get the context: the handlers' second, and those that it is passed on to."""
    found = set(_second_parameters(entries, symbols))
    while True:
        more = {
            (scope, parameter)
            for scope, calls in arguments.passed.items()
            for call in calls
            for parameter, value in call.values.items()
            if (isinstance(value, Parameter) and (call.scope, value.name) in found)
            or (value == EventPath(context=True) and any(owner == call.scope for owner, _ in found))
        }
        if more <= found:
            return found
        found |= more


def _second_parameters(entries: set[str], symbols: Symbols) -> Iterator[tuple[str, str]]:
    for scope in entries:
        definition = symbols.definitions.get(scope)
        if definition is None or not definition.keeps_signature:
            continue
        parameters = definition.parameters
        if definition.is_method and "staticmethod" not in definition.decorators:
            parameters = parameters[1:]
        if len(parameters) > 1:
            yield scope, parameters[1]


def _asks(guard: Guard) -> bool:
    """Whether the code asks first what the context is, or lives with its not having the attribute."""
    if guard.kind is GuardKind.CONDITION:
        return not {"getattr", "hasattr", "isinstance", "type", "dir"}.isdisjoint(guard.names)
    return guard.kind is GuardKind.TRY and not {
        "AttributeError",
        "TypeError",
        "Exception",
        "BaseException",
    }.isdisjoint(guard.names)


def _what_is_so(read: ContextRead) -> str:
    if read.attribute is None:
        return "the context cannot be indexed; it has attributes"
    meant = _meant(read.attribute)
    return f"the context has no {read.attribute}" + (f"; it is called {meant}" if meant else "")


def _meant(attribute: str) -> str | None:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", attribute).lower()
    names = {each.removesuffix("()"): each for each in context_members()}
    near = [_CALLED[plain]] if plain in _CALLED else get_close_matches(plain, names, n=1, cutoff=0.7)
    return names[near[0]] if near else None


def _renaming(read: ContextRead) -> Fix | None:
    """The fix that reads the member of nearly that name; a method instead of an attribute is nothing to rename."""
    meant = _meant(read.attribute) if read.attribute else None
    if meant is None or meant.endswith("()"):
        return None
    change = Rewrite(read.span, f"{read.parameter}.{read.attribute}", f"{read.parameter}.{meant}")
    return Fix(f"read {meant}", Applicability.UNSAFE, changes=(change,))
