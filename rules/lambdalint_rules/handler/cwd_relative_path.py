"""Lambda starts functions in ``/var/task``, the root of the package; a bare file name is looked for there.

A file that lies beside its module in a folder of the package is not found, though tests that run in that folder find
it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""

from collections.abc import Iterator
from itertools import chain
from posixpath import dirname, join, normpath

from lambdalint.facts.calls import Calls
from lambdalint.facts.expressions import Expression, text
from lambdalint.facts.file_calls import Doing
from lambdalint.facts.files import FileCall, FileCalls, touched
from lambdalint.facts.package_paths import expects_absence
from lambdalint.rule import (
    Applicability,
    Confidence,
    Fix,
    Function,
    Module,
    Problem,
    Problems,
    Project,
    Severity,
    Wrap,
    rule,
)
from lambdalint_rules.handler.samples import orders
from lambdalint_rules.handler.temporary import is_checked

TEMPLATE = orders("")["template.yaml"].replace("app.handler", "shop.app.handler")
CODE = """\
import json
import os

def handler(event, context):
    with open("schema.json") as file:{mark}
        schema = json.load(file)
    with open("rates.json") as rates, open(os.path.join(os.path.dirname(__file__), "schema.json")) as file:
        return schema, json.load(rates), json.load(file)
"""


@rule(
    "LF006",
    "cwd-relative-path",
    severity=Severity.WARNING,
    confidence=Confidence.LOW,
    since="0.1.0",
    fix="unsafe",
    bad={
        "template.yaml": TEMPLATE,
        "src/rates.json": "{}",
        "src/shop/__init__.py": "",
        "src/shop/app.py": CODE.format(mark="  # finding"),
        "src/shop/schema.json": "{}",
    },
    good=(
        {
            "template.yaml": TEMPLATE,
            "src/rates.json": "{}",
            "src/schema.json": "{}",
            "src/shop/__init__.py": "",
            "src/shop/app.py": CODE.format(mark=""),
            "src/shop/schema.json": "{}",
        },
        {
            "template.yaml": TEMPLATE,
            "src/rates.json": "{}",
            "src/shop/__init__.py": "",
            "src/shop/app.py": "import os\n\nos.chdir(os.path.dirname(__file__))\n" + CODE.format(mark=""),
            "src/shop/schema.json": "{}",
        },
    ),
)
def check(module: Module, project: Project, files: FileCalls, calls: Calls) -> Problems:
    opened = [(each, known) for each in files.calls if (known := _bare(each)) is not None]
    if not opened or any(call.name in ("os.chdir", "contextlib.chdir") for call in calls.calls):
        return
    packages = [
        found for each in project.loaders().get(module.path, ()) if (found := _packaged(each, module)) is not None
    ]
    for call, known in opened:
        if packages and all(
            path not in packaged and join(folder, path) in packaged
            for folder, packaged in packages
            for path in [normpath(known)]
        ):
            yield Problem(
                call.span,
                f"{known} lies beside {module.path}, but is looked for in the working directory, which is /var/task",
                hint="use Path(__file__).parent",
                fix=_beside(call, known),
            )


def _beside(call: FileCall, known: str) -> Fix | None:
    """The fix that looks for the file beside the module, where the call names it itself."""
    given: Iterator[tuple[int | str, Expression]] = chain(enumerate(call.args), call.keywords.items())
    step = next((step for step, argument in given if text(argument) == known), None)
    if step is None or call.method == "Path":
        return None
    change = Wrap(call.span, "Path(__file__).parent / {}", (step,), ("pathlib.Path",))
    return Fix("look beside the module", Applicability.UNSAFE, changes=(change,))


def _bare(call: FileCall) -> str | None:
    """The relative path that a call reads, if the code does not expect it to be missing."""
    if is_checked(call.guards) or any(map(expects_absence, call.guards)):
        return None
    read = [text(path) for doing, path in touched(call, call.name) if doing is Doing.READ]
    known = read[0] if len(read) == 1 else None
    return None if known is None or known.startswith(("/", "..")) or "://" in known else known


def _packaged(function: Function, module: Module) -> tuple[str, frozenset[str]] | None:
    """The module's folder in the package and the package's files; ``None`` where these are not known."""
    code, artifact = function.code, function.artifact
    if code is None or artifact is None or code.root is None or code.root != code.path or code.picked:
        return None
    relative = module.path.removeprefix(f"{code.root}/") if code.root not in ("", ".") else module.path
    packaged = frozenset(entry.path for entry in artifact.entries)
    return (dirname(relative), packaged) if relative in packaged and "/" in relative else None
