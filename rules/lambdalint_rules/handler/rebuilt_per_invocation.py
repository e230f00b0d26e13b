"""What is the same for every event is made once: module-level objects live as long as the environment.

Reading a file of the package, compiling a schema or loading a model inside the handler is done anew for every event,
and billed for every event.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

from collections.abc import Iterator
from typing import Final

from lambdalint.facts.arguments import Arguments
from lambdalint.facts.calls import Call
from lambdalint.facts.expressions import CallOf, Expression, Joined, Literal, Name, text, walk
from lambdalint.facts.file_calls import Doing
from lambdalint.facts.files import Files
from lambdalint.facts.kept import Kept
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    LoadOnce,
    MoveToModule,
    PerModule,
    Problem,
    Problems,
    Severity,
    Span,
    rule,
)
from lambdalint_rules.handler.certain import certain_calls, entries, is_constant, is_scheduled, is_unconditional
from lambdalint_rules.handler.samples import orders

BAD = """\
import json
import os
from pathlib import Path
import jsonschema
import pandas as pd
import yaml
from pydantic import TypeAdapter

SCHEMA = {"type": "object"}

def handler(event, context):
    with open("map.json") as file:
        routes = json.load(file)  # finding
    limits = yaml.safe_load(Path("config/limits.yaml").read_text())  # finding
    rates = pd.read_csv("rates.csv")  # finding
    jsonschema.Draft202012Validator(SCHEMA).validate(event)  # finding
    return routes, limits, rates, words(), order(event)

def words():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "data", "words.json"), encoding="utf-8") as file:
        return json.load(file)  # finding

def order(event):
    return TypeAdapter(list[int]).validate_python(event["numbers"])  # finding
"""
KEPT = """\
import functools
import json
import re
import jsonschema
from concurrent.futures import ThreadPoolExecutor

with open("map.json") as file:
    ROUTES = json.load(file)
VALIDATOR = jsonschema.Draft202012Validator({"type": "object"})
_limits = None

@functools.cache
def rates():
    with open("rates.json") as file:
        return json.load(file)

def limits():
    global _limits
    if _limits is None:
        with open("limits.json") as file:
            _limits = json.load(file)
    return _limits

def handler(event, context):
    VALIDATOR.validate(event)
    with open("/tmp/last.json") as file:
        last = json.load(file)
    with open(event["name"]) as file:
        own = json.load(file)
    if event.get("help"):
        with open("help.json") as file:
            return json.load(file)
    with open("out.json", "w") as file:
        json.dump(own, file)
    with ThreadPoolExecutor(4) as pool:
        pool.map(print, own)
    jsonschema.Draft202012Validator(event["schema"]).validate(own)
    return re.compile("[a-z]+").match(str(last)), rates(), limits(), json.loads(event["body"])
"""

LOOKED_UP = """\
import json

# Where orders go.
def handler(event, context):
    with open("routes.json") as file:
        routes = json.load(file)  # finding
    return routes[event["country"]]
"""

_PARSERS: Final = frozenset(
    (
        "csv.DictReader",
        "csv.reader",
        "json.load",
        "json.loads",
        "orjson.loads",
        "pickle.load",
        "pickle.loads",
        "tomli.load",
        "tomllib.load",
        "ujson.load",
        "yaml.full_load",
        "yaml.load",
        "yaml.safe_load",
    )
)
_LOADERS: Final = frozenset(
    (
        "fasttext.load_model",
        "joblib.load",
        "keras.models.load_model",
        "lightgbm.Booster",
        "numpy.load",
        "onnxruntime.InferenceSession",
        "pandas.read_csv",
        "pandas.read_excel",
        "pandas.read_json",
        "pandas.read_parquet",
        "tensorflow.keras.models.load_model",
        "torch.jit.load",
        "torch.load",
    )
)
#: What is costly to make, and what it may be called; ``None`` for what code changes or ends once it has it.
_COSTLY: Final = {
    "concurrent.futures.ThreadPoolExecutor": None,
    "fastjsonschema.compile": "validate",
    "jinja2.Environment": None,
    "jsonschema.Draft201909Validator": "validator",
    "jsonschema.Draft202012Validator": "validator",
    "jsonschema.Draft4Validator": "validator",
    "jsonschema.Draft6Validator": "validator",
    "jsonschema.Draft7Validator": "validator",
    "jsonschema.validators.Draft202012Validator": "validator",
    "jsonschema.validators.Draft7Validator": "validator",
    "pydantic.TypeAdapter": "adapter",
    "pydantic.create_model": "model",
    "sentence_transformers.SentenceTransformer": "transformer",
    "spacy.load": "nlp",
    "transformers.AutoModel.from_pretrained": "model",
    "transformers.AutoTokenizer.from_pretrained": "tokenizer",
    "transformers.pipeline": "pipeline",
}
_ONCE: Final = "do it once, at module level"

#: Where files change, or another system keeps them.
_ELSEWHERE: Final = ("/dev/", "/etc/", "/mnt/", "/proc/", "/sys/", "/tmp", "/var/run", "http:", "https:", "s3:")  # noqa: S108
_READING: Final = ("r", "rb", "rt")


@rule(
    "LI007",
    "rebuilt-per-invocation",
    severity=Severity.INFO,
    confidence=Confidence.MEDIUM,
    fix="unsafe",
    since="0.1.0",
    bad=(orders(BAD), orders(LOOKED_UP)),
    good=(
        orders(KEPT),
        orders(
            BAD.replace("  # finding", ""),
            "      Events: {Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}}\n",
        ),
    ),
)
def check(
    function: Function,
    calls: PathCalls,
    kept: Kept,
    files: Files,
    arguments: PerModule[Arguments],
    symbols: PerModule[Symbols],
) -> Problems:
    if is_scheduled(function):
        return
    for each in certain_calls(calls, "invoke", entries(function, calls, symbols), is_unconditional):
        if (each.path, each.call.scope) in kept.scopes:
            continue
        name = each.name or ""
        fix: Fix | None
        if name in _PARSERS or name in _LOADERS:
            read = set(_paths(each, files))
            path = read.pop() if len(read) == 1 else None
            what = f"{path} is read and parsed on every invocation; it never changes" if path else None
            fix = Fix(_ONCE, Applicability.UNSAFE, changes=(LoadOnce(each.call.span),))
        elif name in _COSTLY and not each.call.entered and _has_arguments(each.call) and is_constant(each, arguments):
            what = f"{name}(…) is built on every invocation, and is always the same"
            named = _COSTLY[name]
            change = MoveToModule(each.call.span, named)
            fix = Fix(_ONCE, Applicability.UNSAFE, changes=(change,)) if named else None
        else:
            continue
        if what is not None:
            yield Problem(each.call.span, what, related=calls.way(each), hint=_ONCE, fix=fix)


def _paths(each: PathCall, files: Files) -> Iterator[str | None]:
    """The files that a call may parse; ``None`` for what is not a packaged file of a constant name."""
    argument = each.call.argument(0)
    if each.name in _LOADERS:
        yield _packaged(argument)
        return
    for part in walk(argument) if argument is not None else ():
        if isinstance(part, CallOf) and part.name in ("open", "io.open") and part.args:
            mode = part.args[1] if len(part.args) > 1 else part.keywords.get("mode")
            reads = mode is None or (isinstance(mode, Literal) and mode.value in _READING)
            yield _packaged(part.args[0]) if reads else None
    for use in files.uses:
        if use.path == each.path and use.doing is Doing.READ and _is_inside(use.call.span, each.call.span):
            yield from map(_packaged, use.paths)


def _packaged(path: Expression | None) -> str | None:
    if path is None:
        return None
    known = text(path) or _beside_the_code(path)
    return known if known and not known.startswith(_ELSEWHERE) else None


def _beside_the_code(path: Expression) -> str | None:
    """The constant part of a path that is put together from ``__file__``."""
    inside = [each for each in walk(path) if not isinstance(each, CallOf | Joined)]
    if Name("__file__") not in inside or any(each != Name("__file__") and not _is_text(each) for each in inside):
        return None
    return "/".join(each.value for each in inside if isinstance(each, Literal) and isinstance(each.value, str))


def _is_text(each: Expression) -> bool:
    return isinstance(each, Literal) and isinstance(each.value, str)


def _is_inside(inner: Span, outer: Span) -> bool:
    starts = (outer.line, outer.column) <= (inner.line, inner.column)
    return starts and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)


def _has_arguments(call: Call) -> bool:
    return bool(call.args or call.keywords)
