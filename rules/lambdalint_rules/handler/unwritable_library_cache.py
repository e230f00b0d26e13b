"""Only ``/tmp`` is writable in Lambda, and some libraries keep what they fetch or compile in the home directory.

On a developer's machine nobody notices.  In Lambda the import or the first call fails with ``Read-only file system`` or
``cannot cache function``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from collections.abc import Iterator
from typing import Final

from lambdalint.aws.environment import wrapper_name
from lambdalint.facts.env_reads import Absence, EnvReads
from lambdalint.facts.expressions import Literal
from lambdalint.facts.guards import Guard, GuardKind
from lambdalint.facts.imports import Imports
from lambdalint.facts.library_caches import (
    LibraryCache,
    cache_of_call,
    cache_of_decorator,
    caches_of_imports,
)
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.rule import (
    Applicability,
    Confidence,
    Dialect,
    Fix,
    Function,
    Known,
    Problem,
    Problems,
    Related,
    SetProperty,
    Severity,
    Span,
    rule,
)
from lambdalint_rules.handler.samples import orders

_CAUGHT: Final = frozenset(("BaseException", "Exception", "IOError", "OSError", "PermissionError", "RuntimeError"))


@rule(
    "LF004",
    "unwritable-library-cache",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    fix="unsafe",
    bad=(
        orders("""\
import datasets
import kaggle  # finding
import nltk
import librosa  # finding
from numba import njit
from sklearn.datasets import fetch_openml
from transformers import AutoTokenizer, pipeline

nltk.download("punkt")  # finding
digits = fetch_openml("mnist_784")  # finding
lines = datasets.load_dataset("json", data_files="lines.json")  # finding
tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")  # finding

@njit(cache=True)  # finding
def total(orders): ...

def handler(event, context):
    classify = pipeline("sentiment-analysis")  # finding
    return classify(librosa.load(event["text"])), tokenizer
"""),
    ),
    good=(
        orders(
            """\
import librosa
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")

def handler(event, context):
    return tokenizer(librosa.load(event["text"]))
""",
            settings="      Environment: {Variables: {HF_HOME: /tmp/hf, NUMBA_CACHE_DIR: !Ref Folder}}\n",
        ),
        orders("""\
import os

os.environ["HOME"] = "/tmp"
import librosa
import nltk

nltk.download("punkt")

def handler(event, context):
    return librosa.load(event["text"])
"""),
        orders("""\
import matplotlib.pyplot
import nltk
import sklearn.datasets
from numba import njit
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer

nltk.download("punkt", download_dir="/tmp/nltk_data")
nltk.download("stopwords", "/tmp/nltk_data")
digits = sklearn.datasets.fetch_openml("mnist_784", data_home="/tmp")
iris = sklearn.datasets.load_iris()
tokenizer = AutoTokenizer.from_pretrained("/opt/model")
model = AutoModel.from_pretrained("distilbert-base-uncased", cache_dir="/tmp")
local = SentenceTransformer("./model")
packed = SentenceTransformer("model")

@njit
def total(orders): ...

def handler(event, context):
    try:
        nltk.download("wordnet")
    except OSError:
        pass
    return AutoModel.from_pretrained(event["model"]), model, tokenizer, local, packed, matplotlib

if __name__ == "__main__":
    nltk.download("punkt")
"""),
        orders("""\
import nltk

nltk.data.path.append("/tmp")
nltk.download("punkt")

def handler(event, context): ...
"""),
        orders(
            "import nltk\n\nnltk.download('punkt')\n\ndef handler(event, context): ...\n",
            settings="      Environment: {Variables: !Ref Variables}\n",
        ),
    ),
)
def check(function: Function, calls: PathCalls, imports: PerModule[Imports], reads: PerModule[EnvReads]) -> Problems:
    declared = _declared(function)
    found = list(_uses(function, calls, imports)) if declared is not None else []
    if declared is None or not found:
        return
    names = {each.name for each in calls.calls}
    if "os.environ.update" in names:
        return
    paths = {path for path, _ in calls.reach.init | calls.reach.invoke}
    known = declared | {
        read.name
        for path in paths
        if (module := reads.get(path)) is not None
        for read in module.reads
        if read.absence is Absence.WRITTEN and not read.skipped
    }
    told = set()
    for cache, span, way in found:
        if known.isdisjoint(cache.variables) and names.isdisjoint(cache.moved_by) and span not in told:
            told.add(span)
            variable = cache.variables[0]
            yield Problem(
                span,
                f"{cache.library} writes to {cache.place}, which cannot be written; nothing sets {variable}",
                related=way,
                hint=f"set {variable} to a folder in /tmp",
                fix=_declaring(function, variable),
            )


def _declaring(function: Function, variable: str) -> Fix | None:
    """The fix that sets the variable in the template; Terraform's block for them may be there already or not."""
    if function.dialect is Dialect.SERVERLESS:
        keys: tuple[str, ...] = ("environment", variable)
    elif function.dialect in (Dialect.SAM, Dialect.CLOUDFORMATION):
        keys = ("Properties", "Environment", "Variables", variable)
    else:
        return None
    folder = f"/tmp/{variable.partition('_')[0].lower()}"  # noqa: S108
    change = SetProperty(function.span, keys, folder)
    return Fix(f"set {variable} to {folder}", Applicability.UNSAFE, changes=(change,))


def _declared(function: Function) -> frozenset[str | None] | None:
    """The variables that the function has; ``None`` where others may be set that cannot be seen."""
    match function.env:
        case _ if function.image:
            return None
        case None:
            return frozenset()
        case Known(variables) if wrapper_name() not in variables:
            return frozenset(variables)
        case _:
            return None


def _uses(
    function: Function, calls: PathCalls, imports: PerModule[Imports]
) -> Iterator[tuple[LibraryCache, Span, tuple[Related, ...]]]:
    for each in calls.calls:
        cache = _cache(each)
        if cache is not None and not any(map(_deals_with, each.call.guards)):
            yield cache, each.call.span, calls.way(each)
    packages = {name: cache for name, cache in caches_of_imports().items() if name not in function.modules}
    for path, scope in sorted(calls.reach.init | calls.reach.invoke):
        module = imports.get(path)
        for found in module.imports if module is not None else ():
            if found.scope == scope and found.top_level in packages and not found.skipped and not found.optional:
                yield packages[found.top_level], found.span, calls.reach.way(path, scope)


def _cache(each: PathCall) -> LibraryCache | None:
    """The cache that a call writes to, if it does."""
    call, name = each.call, each.name or ""
    if (compiled := cache_of_decorator(name)) is not None:
        return compiled if call.keywords.get("cache") == Literal(True) else None
    cache = cache_of_call(name)
    if cache is None or call.may_have_more or not call.keywords.keys().isdisjoint(cache.arguments):
        return None
    if cache.position is not None and cache.position < len(call.args):
        return None
    if not cache.names or _takes_default(each):
        return cache
    given = next((call.keywords[key] for key in cache.names if key in call.keywords), call.argument(0))
    if not isinstance(given, Literal) or not isinstance(given.value, str) or not _is_remote(given.value):
        return None
    return cache


def _takes_default(each: PathCall) -> bool:
    """Whether a model is fetched that the code does not name."""
    return each.name == "transformers.pipeline" and len(each.call.args) == 1 and "model" not in each.call.keywords


def _is_remote(name: str) -> bool:
    """Whether it names a model somewhere else, and no folder of the package."""
    return not name.startswith(("/", ".", "~")) and any(mark in name for mark in "/-")


def _deals_with(guard: Guard) -> bool:
    """Whether the code expects the failure, or may be for another machine."""
    return guard.kind in (GuardKind.ENV, GuardKind.VERSION) or (
        guard.kind is GuardKind.TRY and not _CAUGHT.isdisjoint(guard.names)
    )
