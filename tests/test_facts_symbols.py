import pytest

from lambdalint.facts.expressions import CallOf, Collection, Literal
from lambdalint.facts.imports import Imports
from lambdalint.facts.returns import Returns
from lambdalint.facts.symbols import SymbolKind, Symbols
from tests.code_facts import fact

POWERTOOLS = """
import functools
from aws_lambda_powertools import Logger, Tracer, Metrics
from aws_lambda_powertools.utilities.data_classes import event_source, SQSEvent
logger = Logger()
tracer = Tracer()
"""


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("def f(event, context): ...", True),
        ("def f(event): ...", False),
        ("def f(*args): ...", True),
        ("def f(event, context, more): ...", False),
        ("def f(event, context, more=1): ...", True),
        ("def f(event, context, *, more): ...", False),
        ("def f(event, context, *, more=1): ...", True),
        ("def f(*, event, context): ...", False),
        ("def f(event, context=None, /): ...", True),
        ("f = lambda event: 1", False),
        ("f = lambda event, context: 1", True),
        ("def main(event): ...\nf = main", False),
        ("import functools\ndef main(a, event, context): ...\nf = functools.partial(main, 1)", True),
        ("import functools\ndef main(event, context): ...\nf = functools.partial(main, 1)", False),
        ("class F:\n  def __call__(self, event, context): ...\nf = F()", True),
        ("class F:\n  def __call__(self, event): ...\nf = F()", False),
        ("class B:\n  def __call__(self, event): ...\nclass F(B): ...\nf = F()", False),
        ("class f:\n  def __init__(self, event, context): ...", True),
        ("class f:\n  def __init__(self): ...", False),
        ("class f: ...", False),
        ("class F:\n  def run(self, event, context): ...\nf = F().run", True),
        ("class F:\n  @staticmethod\n  def run(event, context): ...\nf = F.run", True),
        ("def wrap(g): ...\n@wrap\ndef f(event): ...", None),
        ("f = Mangum(app)", None),
        ("from x import f", None),
        ("if a:\n  def f(event): ...\nelse:\n  def f(event, context): ...", None),
        (POWERTOOLS + "@logger.inject_lambda_context\ndef f(event): ...", False),
        (
            POWERTOOLS
            + "@logger.inject_lambda_context(log_event=True)\n@tracer.capture_lambda_handler\ndef f(a, b): ...",
            True,
        ),
        (POWERTOOLS + "@event_source(data_class=SQSEvent)\ndef f(event, context): ...", True),
    ],
)
def test_it_is_known_what_a_name_can_be_called_with(source: str, answer: bool | None) -> None:
    assert fact(Symbols, source).takes("f", 2) is answer


def test_every_branch_binds_at_the_top_level() -> None:
    source = """
        try:
            from fast import run
        except ImportError:
            def run(event, context): ...
        if run:
            handler = run
        else:
            class handler: ...
        LIMIT = 3
        made = Mangum(app)
        short = lambda: 1
    """
    symbols = fact(Symbols, source).symbols
    kinds = {name: [each.kind for each in found] for name, found in symbols.items()}
    assert {name: set(found) for name, found in kinds.items()} == {
        "run": {SymbolKind.IMPORT, SymbolKind.DEF},
        "handler": {SymbolKind.CLASS, SymbolKind.ALIAS},
        "LIMIT": {SymbolKind.CONSTANT},
        "made": {SymbolKind.CALL},
        "short": {SymbolKind.LAMBDA},
    }


def test_stars_getattr_and_all_are_told() -> None:
    symbols = fact(Symbols, "from .a import *\nfrom b import *\n__all__ = ['x']\ndef __getattr__(name): ...")
    assert symbols.stars == (".a.", "b.")
    assert symbols.has_getattr
    assert symbols.exported == frozenset({"x"})


def test_coroutines_and_generators_are_deferred() -> None:
    source = """
        async def a(): ...
        def b(): yield 1
        def c():
            def inner(): yield 1
            return [x for x in inner()]
        def d(): return (yield)
    """
    found = fact(Symbols, source).definitions
    assert {name: each.is_deferred for name, each in found.items()} == {
        "a": True,
        "b": True,
        "c": False,
        "c.inner": True,
        "d": True,
    }


def test_imports_know_their_guards_and_uses() -> None:
    source = """
        from __future__ import annotations
        import os, pandas as pd
        from typing import TYPE_CHECKING
        from .models import Order
        if TYPE_CHECKING:
            import mypy_boto3_s3 as s3
        try:
            import orjson
        except ImportError:
            orjson = None
        def handler(event: Order, context):
            import numpy.linalg
            return numpy.linalg.norm(os.sep)
        if __name__ == "__main__":
            import pdb
        __import__("plugins")
        import importlib
        extra = importlib.import_module(".extra")
    """
    imports = fact(Imports, source)
    found = {(each.module, each.name): each for each in imports.imports}
    assert found["pandas", None].bound == "pd"
    assert found["models", "Order"].level == 1
    assert found["mypy_boto3_s3", None].skipped
    assert found["orjson", None].optional
    assert found["numpy.linalg", None].scope == "handler"
    assert found["numpy.linalg", None].bound == "numpy"
    assert found["pdb", None].skipped
    assert found["plugins", None].dynamic
    assert (found["extra", None].level, found["extra", None].bound) == (1, "extra")
    assert imports.used["handler"] == {"numpy", "os"}
    assert imports.uses("os")
    assert not imports.uses("pd")
    assert "Order" in imports.annotating


def test_returns_are_told_with_what_is_added_to_them() -> None:
    source = """
        import datetime, json
        def handler(event, context):
            answer = {"statusCode": 200}
            answer["headers"] = {"x": 1}
            if event:
                return {"at": datetime.datetime.now()}
            return answer
        short = lambda: 3
    """
    returns = fact(Returns, source)
    first, second = returns.get("handler")
    assert first.value == Collection("dict", (CallOf("datetime.datetime.now"),), (Literal("at"),))
    assert isinstance(second.value, Collection)
    assert second.value.get("statusCode") == Literal(200)
    assert second.value.get("headers") is not None
    assert returns.get(next(name for name in returns.returns if "lambda" in name))[0].value == Literal(3)


@pytest.mark.parametrize(
    ("body", "falls"),
    [
        ("return 1", False),
        ("raise E", False),
        ("pass", True),
        ("if a: return 1", True),
        ("if a:\n    return 1\n  else:\n    raise E", False),
        ("while True:\n    x()", False),
        ("while True:\n    break", True),
        ("while True:\n    for x in y:\n      break", False),
        ("try:\n    return 1\n  except E:\n    print()", True),
        ("try:\n    return 1\n  except E:\n    raise", False),
        ("with a:\n    return 1", False),
        ("for x in y: return 1", True),
        ("match a:\n    case 1: return 1\n    case _: return 2", False),
        ("match a:\n    case 1: return 1", True),
    ],
)
def test_it_is_known_whether_the_end_can_be_reached(body: str, falls: bool) -> None:
    assert ("f" in fact(Returns, f"def f():\n  {body}").falls_off) is falls
