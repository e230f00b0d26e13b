"""A handler string names a module and something in it that can be called.

Lambda splits it at the last dot, imports the module from the root of the code and gets the name.  When either is not
there in exactly that spelling, every invocation fails with ``Runtime.ImportModuleError`` or
``Runtime.HandlerNotFound``, and the deployment says nothing about it.  Inline code is the module ``index``; where a
handler says otherwise, a placeholder is likely to wait for code that somebody uploads, so that is only a warning.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from lambdalint.aws.decorators import original_handler_variable
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.symbols import Symbols
from lambdalint.facts.wrapping import packed_twice, wrapping_folder
from lambdalint.rule import (
    Applicability,
    CodeKind,
    Confidence,
    Fix,
    Function,
    Handler,
    Handling,
    Known,
    Problem,
    Problems,
    Related,
    Rewrite,
    Severity,
    Span,
    rule,
)
from lambdalint_rules.artifacts.samples import archive
from lambdalint_rules.handler.orders import HANDLER, ORDERS

INLINE = """\
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Role: arn:aws:iam::111122223333:role/orders
      Runtime: python3.13
      Handler: {handler}
      Code:
        ZipFile: |
          def handler(event, context):
              return "ok"
"""
WRAPPED = HANDLER.format(handler="{handler}") + "      Environment: {{Variables: {{{variables}}}}}\n"
DATADOG = "datadog_lambda.handler.handler"

LAMBDA_HANDLER = "def lambda_handler(event, context):\n    return 'ok'\n"
BRANCHES = """\
try:
    from fast import handler
except ImportError:
    def handler(event, context):
        return "ok"
"""

_SHOWN: Final = 3
#: How like a name has to be to the one that was meant: somewhat if it can be a handler, much if it cannot as it is.
_ALIKE: Final = 0.5
_MISSPELT: Final = 0.75


@rule(
    "LH001",
    "missing-handler",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        {"template.yaml": HANDLER.format(handler="app.main  # finding"), "src/app.py": LAMBDA_HANDLER},
        {"template.yaml": HANDLER.format(handler="App.lambda_handler  # finding"), "src/app.py": LAMBDA_HANDLER},
        {"template.yaml": HANDLER.format(handler="src/app.lambda_handler  # finding"), "src/app.py": LAMBDA_HANDLER},
        {"template.yaml": HANDLER.format(handler="app.handler  # finding"), "src/app.py": "handler = 'app.main'\n"},
        {"template.yaml": HANDLER.format(handler="handler  # finding"), "src/handler.py": LAMBDA_HANDLER},
        {"template.yaml": INLINE.format(handler="app.handler  # finding")},
        {
            "template.yaml": WRAPPED.format(handler=f"{DATADOG}  # finding", variables="DD_ENV: prod"),
            "src/app.py": LAMBDA_HANDLER,
        },
    ),
    good=(
        {"template.yaml": HANDLER.format(handler="app.lambda_handler"), "src/app.py": LAMBDA_HANDLER},
        {"template.yaml": HANDLER.format(handler="api/app.lambda_handler"), "src/api/app.py": LAMBDA_HANDLER},
        {"template.yaml": INLINE.format(handler="index.handler")},
        {"template.yaml": ORDERS, "src/app.py": BRANCHES},
        {"template.yaml": ORDERS, "src/app.py": "from framework import *\n"},
        {"template.yaml": ORDERS, "src/app.py": "def __getattr__(name):\n    return print\n"},
        {"template.yaml": HANDLER.format(handler="wsgi_handler.handler"), "src/api.py": "app = object()\n"},
        {"template.yaml": HANDLER.format(handler="run.sh"), "src/run.sh": "exec uvicorn app:app\n"},
        {"template.yaml": HANDLER.format(handler="!Ref Handler"), "src/app.py": LAMBDA_HANDLER},
        {
            "template.yaml": HANDLER.format(handler="orders.app.lambda_handler")
            + "    Metadata: {BuildMethod: makefile}\n",
            "src/Makefile": "build-Orders:\n\tcp -r . $(ARTIFACTS_DIR)/orders\n",
            "src/app.py": LAMBDA_HANDLER,
        },
        {"template.yaml": HANDLER.format(handler="app.main").replace("src/", "s3://bucket/key")},
        {
            "template.yaml": HANDLER.format(handler="app.lambda_handler").replace("src/", "orders.zip"),
            "orders.zip": lambda: archive({"orders/app.py": LAMBDA_HANDLER.encode()}),  # wrapped-in-folder says it
        },
        {
            "template.yaml": HANDLER.format(handler="monitor.handler")
            + "      Layers: [arn:aws:lambda:eu-1:1:layer:m:1]\n",
            "src/app.py": LAMBDA_HANDLER,
        },
        {
            "template.yaml": WRAPPED.format(handler=DATADOG, variables="DD_LAMBDA_HANDLER: app.lambda_handler"),
            "src/app.py": LAMBDA_HANDLER,
        },
    ),
)
def check(function: Function, symbols: PerModule[Symbols]) -> Problems:
    match function.handler:
        case Known(str() as stated, span, parameter=parameter) if not _is_rearranged(function):
            handler = _called(stated, function)
            what = _what_is_so(handler, function.target, function)
            if what is not None:
                path = function.target.path
                meant = None if parameter or handler != stated else _meant(handler, function, symbols)
                placeholder = _is_inline(function) and function.target.state is Handling.NO_MODULE and "." in handler
                yield Problem(
                    span,
                    what,
                    related=(Related(Span.whole(path), "this is the module that the handler names"),) if path else (),
                    confidence=Confidence.MEDIUM if parameter or placeholder else None,
                    severity=Severity.WARNING if placeholder else None,
                    fix=None if placeholder or meant is None else _naming(span, handler, meant),
                )


def _naming(at: Span, handler: str, meant: str) -> Fix:
    return Fix(f"name {meant}", Applicability.UNSAFE, changes=(Rewrite(at, handler, meant),))


def _meant(handler: str, function: Function, symbols: PerModule[Symbols]) -> str | None:
    """What the handler string was to be: the one callable of the module that fits, or the one of nearly that name."""
    module, _, symbol = handler.rpartition(".")
    path = function.target.path
    if function.target.state is Handling.NO_MODULE and module and function.code is not None:
        root = f"{function.code.root}/" if function.code.root else ""
        wanted = module.replace("/", ".").lower()
        entries = function.artifact.entries if function.artifact else ()
        names = [entry.path.removesuffix(".py") for entry in entries if entry.path.endswith(".py")]
        spelt = {name: name.replace("/", ".").lower() for name in names}
        near = [
            name
            for name, as_module in spelt.items()
            if wanted in (as_module, f"{root.replace('/', '.').lower()}{as_module}")
        ]
        if len(near) != 1:
            return None
        module, path = near[0].replace("/", "."), f"{root}{near[0]}.py"
    found = symbols.get(path) if path else None
    if found is None:
        return None
    callables = {
        name: taken.takes(2)
        for name, (first, *_) in sorted(found.symbols.items())
        if not name.startswith("_") and (taken := found.signature(first.value)) is not None
    }
    if symbol in callables:
        return f"{module}.{symbol}"
    fitting = [name for name, takes_two in callables.items() if takes_two]
    near = (
        get_close_matches(symbol, fitting, n=1, cutoff=_ALIKE)
        or get_close_matches(symbol, callables, n=1, cutoff=_MISSPELT)
        or (fitting if len(fitting) == 1 else [])
    )
    return f"{module}.{near[0]}" if near else None


def _is_rearranged(function: Function) -> bool:
    """Whether the build is the project's own, and may put files elsewhere: a Makefile."""
    method = function.resource.metadata.get("BuildMethod")
    return method is not None and not (isinstance(method, Known) and str(method.value).startswith("python"))


def _called(stated: str, function: Function) -> str:
    """The handler that is called in the end, behind a wrapper that is known."""
    variable = original_handler_variable(stated)
    match function.env:
        case Known(Mapping() as variables) if variable is not None:
            real = variables.get(variable)
            return str(real.value) if isinstance(real, Known) else stated
        case _:
            return stated


def _what_is_so(handler: str, target: Handler, function: Function) -> str | None:
    match target:
        case Handler(Handling.NO_MODULE) if "." not in handler:
            return f"handler {handler} names no module: it takes MODULE.FUNCTION"
        case Handler(Handling.NO_MODULE) if _is_wrapped(handler.rpartition(".")[0], function):
            return None  # wrapped-in-folder says it
        case Handler(Handling.NO_MODULE):
            module = handler.rpartition(".")[0].replace("/", ".")
            if _is_inline(function):
                return (
                    f"handler {handler} names the module {module}; inline code is the module index, so every "
                    "invocation fails until other code is uploaded"
                )
            return f"handler {handler} names the module {module}, which is not in {_root(function)}"
        case Handler(Handling.NO_SYMBOL, path=None, symbol=variable):
            return f"handler {handler} calls the handler that {variable} names, which is not set"
        case Handler(Handling.NO_SYMBOL, path=str(path), symbol=str(symbol), names=names):
            return f"handler {handler} is not in {path}, which defines {_listed(symbol, names)}"
        case Handler(Handling.NOT_CALLABLE, path=path):
            return f"handler {handler} cannot be called: {path} binds the name to something else than a function"
        case _:
            return None


def _is_wrapped(module: str, function: Function) -> bool:
    """Whether the package has the module, one level too deep."""
    own = function.artifact
    if own is None:
        return False
    return packed_twice(own) is not None or wrapping_folder(own, module.replace(".", "/")) is not None


def _is_inline(function: Function) -> bool:
    return function.code is not None and function.code.kind is CodeKind.INLINE


def _root(function: Function) -> str:
    root = function.code.root if function.code else None
    return root or "the project's root"


def _listed(symbol: str, names: tuple[str, ...]) -> str:
    """Some of *names*, the one most like *symbol* first."""
    if not names:
        return "no function"
    near = get_close_matches(symbol, names, n=1, cutoff=_ALIKE)
    shown = list(dict.fromkeys((*near, *names)))[:_SHOWN]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join((*([", ".join(shown[:-1])] if shown[:-1] else []), shown[-1]))
