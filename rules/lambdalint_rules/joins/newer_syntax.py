"""A module whose syntax is newer than the runtime's Python does not parse there.

The import fails with ``Runtime.UserCodeSyntaxError`` on every cold start, whether or not the handler ever gets to the
line.  Tests on a newer Python do not notice.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

from collections.abc import Iterator, Mapping

from lambdalint.aws.runtimes import runtime
from lambdalint.facts.grammar import Grammar, Version
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.imports import Import, Imports
from lambdalint.facts.project_names import ProjectNames
from lambdalint.facts.symbols import Symbols
from lambdalint.rule import Function, Known, Module, PerModule, Problem, Problems, Project, Related, Severity, rule

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: {runtime}
"""
ON_3_9 = TEMPLATE.format(runtime="python3.9")

MATCH = """\
def handler(event, context):
    return event

def never_called(command):
    match command:  # finding
        case "go":
            return 1
"""
UNMARKED = MATCH.replace("  # finding", "")
LOADED = "from commands import never_called\n\ndef handler(event, context):\n    return event\n"
BY_VERSION = """\
import sys

if sys.version_info >= (3, 10):
    from commands import never_called

def handler(event, context):
    return event
"""
CAUGHT = """\
try:
    from commands import never_called
except SyntaxError:
    never_called = None

def handler(event, context):
    return event
"""
TWO = f"""\
{ON_3_9}\
  Newer:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: src/, Handler: app.handler, Runtime: python3.13}}
"""
NAMES_ONLY = """\
import re

def handler(event, context):
    match = re.match("a", event["name"])
    type = event["type"]
    return match, type, f"match={match!r}"
"""

_CAUGHT = frozenset(("SyntaxError", "Exception", "BaseException"))


@rule(
    "LR001",
    "newer-syntax",
    severity=Severity.ERROR,
    since="0.1.0",
    covers=("vermin:language",),
    bad=(
        {"template.yaml": ON_3_9, "src/app.py": MATCH},
        {"template.yaml": ON_3_9, "src/app.py": LOADED, "src/commands.py": MATCH},
        {"template.yaml": TWO, "src/app.py": MATCH},
    ),
    good=(
        {"template.yaml": TEMPLATE.format(runtime="python3.10"), "src/app.py": UNMARKED},
        {"template.yaml": TEMPLATE.format(runtime="!Ref Runtime"), "src/app.py": UNMARKED},
        {"template.yaml": ON_3_9, "src/app.py": NAMES_ONLY, "src/commands.py": UNMARKED},
        {"template.yaml": ON_3_9, "src/app.py": BY_VERSION, "src/commands.py": UNMARKED},
        {"template.yaml": ON_3_9, "src/app.py": CAUGHT, "src/commands.py": UNMARKED},
    ),
)
def check(
    module: Module,
    project: Project,
    grammars: PerModule[Grammar],
    imports: PerModule[Imports],
    symbols: PerModule[Symbols],
) -> Problems:
    grammar = grammars.get(module.path)
    if grammar is None or not grammar.constructs:
        return
    running = sorted(
        (
            (version, function.name, function)
            for function, version in _loading(module.path, project)
            if not _loads_carefully(function, module.path, imports, symbols)
        ),
        key=lambda each: each[:2],
    )
    for version, name, function in running[:1]:
        said = set()
        for construct in grammar.constructs:
            if construct.version > version and construct.what not in said:
                said.add(construct.what)
                needed = ".".join(map(str, construct.version))
                yield Problem(
                    construct.span,
                    f"{construct.what} needs Python {needed}; {name} runs python{'.'.join(map(str, version))}",
                    related=_runtime_of(function),
                    function=function,
                )


def _loading(path: str, project: Project) -> Iterator[tuple[Function, Version]]:
    for function in project.functions:
        match function.runtime:
            case Known(str(name)) if path in function.modules.values():
                known = runtime(name)
                if known is not None and known.version is not None:
                    yield function, known.version


def _loads_carefully(function: Function, path: str, imports: PerModule[Imports], symbols: PerModule[Symbols]) -> bool:
    """Whether every import of the module asks for the version before, or lives without it."""
    names = ProjectNames(function.modules, symbols)
    importing = [
        each
        for importer in dict.fromkeys(function.modules.values())
        if (found := imports.get(importer)) is not None
        for each in found.imports
        if _loads(each, importer, path, names, function.modules)
    ]
    return bool(importing) and all(_is_careful(each) for each in importing)


def _loads(each: Import, importer: str, path: str, names: ProjectNames, modules: Mapping[str, str]) -> bool:
    base = names.absolute(importer, "." * each.level + each.module)
    return base is not None and path in (modules.get(base), modules.get(f"{base}.{each.name}"))


def _is_careful(each: Import) -> bool:
    return any(
        guard.kind is GuardKind.VERSION or (guard.kind is GuardKind.TRY and not _CAUGHT.isdisjoint(guard.names))
        for guard in each.guards
    )


def _runtime_of(function: Function) -> tuple[Related, ...]:
    return (Related(function.runtime.span, "the runtime is stated here"),) if function.runtime else ()
