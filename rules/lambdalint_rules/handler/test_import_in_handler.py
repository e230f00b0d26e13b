"""Tools of tests and debuggers have no place in what a handler loads.

They cost time at every cold start and size in every package, and they change what runs: ``moto`` answers in the place
of AWS, ``freezegun`` stops the clock, ``pdb`` waits for somebody at a terminal until the function's time is over.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

import re
from typing import Final

from lambdalint.facts.calls import Calls
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.imports import Import, Imports
from lambdalint.rule import Module, PerModule, Problem, Problems, Project, Severity, rule
from lambdalint_rules.handler.samples import orders

BAD = """\
import json
import pytest  # finding
from dotenv import load_dotenv  # finding
from unittest import mock  # finding
from unittest.mock import MagicMock  # finding
from helpers import total

load_dotenv()

def handler(event, context):
    import pdb
    pdb.set_trace()  # finding
    return json.dumps(total(event))
"""
HELPERS = """\
import moto.core  # finding
from hypothesis import strategies  # finding

def total(event): ...
"""
GUARDED = """\
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

try:
    from dotenv import load_dotenv
except ImportError:
    load_dotenv = None

if os.environ.get("DEBUG"):
    import debugpy
    debugpy.listen(5678)

if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
    from dotenv import dotenv_values

def handler(event, context): ...

def test_handler():
    import pytest
    with pytest.raises(ValueError):
        handler({}, None)

if __name__ == "__main__":
    from unittest import mock
    import pdb
    pdb.set_trace()
"""
RUNNING = """\
import pytest
import orders_test

def handler(event, context):
    return {"orders": orders_test.test_total(), "all": int(pytest.main(["/var/task"]))}
"""
TESTS = "import pytest\nfrom app import handler\n\ndef test_handler():\n    assert handler({}, None) is None\n"

_PACKAGES: Final = frozenset(
    ("coverage", "debugpy", "dotenv", "freezegun", "hypothesis", "ipdb", "moto", "pytest", "pytest_mock")
)
_RUNS_TESTS: Final = re.compile(r"pytest\.main|.+\.test_\w+")
_BREAKING: Final = frozenset(("breakpoint", "ipdb.set_trace", "pdb.set_trace"))


@rule(
    "LI008",
    "test-import-in-handler",
    severity=Severity.WARNING,
    since="0.1.0",
    covers=("deptry:DEP004",),
    bad=orders(BAD, helpers=HELPERS),
    good=(
        orders(GUARDED),
        orders("def handler(event, context): ...\n", test_app=TESTS),
        orders(RUNNING, orders_test="def test_total(): ...\n"),
        orders("from dotenv import settings\n\ndef handler(event, context): ...\n", dotenv="settings = {}\n"),
    ),
)
def check(module: Module, project: Project, imports: PerModule[Imports], calls: PerModule[Calls]) -> Problems:
    found, called = imports.get(module.path), calls.get(module.path)
    if called is not None and any(_RUNS_TESTS.fullmatch(call.name or "") and not call.skipped for call in called.calls):
        return  # running tests is what it is for
    for each in found.imports if found is not None else ():
        tool = _tool(each)
        if tool is None or each.scope or each.skipped or each.optional or _is_asked_for(each.guards):
            continue
        if any(each.top_level in function.modules for function in project.loaders().get(module.path, ())):
            continue  # it is the project's own
        yield Problem(each.span, f"{tool} is imported by code that the handler loads")
    for call in called.calls if called is not None else ():
        if call.name in _BREAKING and not call.skipped and not _is_asked_for(call.guards):
            yield Problem(call.span, f"{call.name}() waits for somebody at a terminal until the function times out")


def _tool(each: Import) -> str | None:
    if each.module == "unittest.mock" or (each.module, each.name) == ("unittest", "mock"):
        return "unittest.mock"
    return each.top_level if each.top_level in _PACKAGES else None


def _is_asked_for(guards: tuple[Guard, ...]) -> bool:
    """Whether it depends on an environment variable, or on a package that may be missing."""
    return any(guard.kind in (GuardKind.ENV, GuardKind.EXCEPT, GuardKind.CONDITION) for guard in guards)
