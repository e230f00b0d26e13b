"""A function sees the files of its package, not those of the project: one that is not packaged is not there.

A file beside the code's folder, one that a pattern excludes, and one whose name differs in case open well on a
developer's machine, and in Lambda raise ``FileNotFoundError``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""

from posixpath import dirname, join

from lambdalint.facts.expressions import text
from lambdalint.facts.file_calls import Doing
from lambdalint.facts.files import Files, FileUse
from lambdalint.facts.package_paths import expects_absence, package_path
from lambdalint.facts.path_calls import PathCalls
from lambdalint.rule import Confidence, Function, Problem, Problems, Severity, rule
from lambdalint_rules.handler.samples import orders
from lambdalint_rules.handler.temporary import is_checked


@rule(
    "LF005",
    "unpackaged-data-file",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        {
            **orders("""\
import json
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCHEMA = json.loads((HERE.parent / "schema.json").read_text())  # finding

def handler(event, context):
    with open(os.path.join(os.path.dirname(__file__), "prices.csv")) as prices:  # finding
        rates = prices.read()
    with open("/var/task/Orders.json") as orders:  # finding
        return orders.read(), rates, (HERE / "data" / "taxes.csv").read_text()  # finding
"""),
            "schema.json": "{}",
            "src/orders.json": "{}",
        },
    ),
    good=(
        {
            **orders(
                """\
import os
from pathlib import Path

from helpers import load

HERE = Path(__file__).parent
SCHEMA = (HERE / "schema.json").read_text()
FOLDER = os.path.abspath(os.path.dirname(__file__))

def handler(event, context):
    if os.path.exists("local.json"):
        return open("local.json").read()
    try:
        return open("override.json").read()
    except FileNotFoundError:
        pass
    with open(f"{FOLDER}/data/taxes.csv") as taxes, open(os.path.join(FOLDER, event["name"])) as named:
        taxes.read(), named.read()
    open("/var/lang/bin/python"), open("/var/orders.csv")
    return load(), open("/tmp/orders.csv").read(), open("/opt/rates.csv").read(), open("data/taxes.csv").read()

if __name__ == "__main__":
    print(open("event.json").read())
""",
                helpers="def load():\n    return open('schema.json').read()\n",
            ),
            "src/schema.json": "{}",
            "src/data/taxes.csv": "",
        },
        {
            "template.yaml": orders("")["template.yaml"].replace("app.handler", "shop.app.handler"),
            "src/shop/__init__.py": "",
            "src/shop/app.py": "def handler(event, context):\n    return open('schema.json').read()\n",
            "src/shop/schema.json": "{}",
        },
    ),
)
def check(function: Function, files: Files, calls: PathCalls) -> Problems:
    code, artifact = function.code, function.artifact
    if code is None or artifact is None or code.root is None or code.root != code.path or code.picked:
        return
    packaged = {entry.path for entry in artifact.entries}
    moved = any(call.name in ("os.chdir", "contextlib.chdir") for call in calls.calls)
    written = {use.text for use in files.uses if use.doing is not Doing.READ}
    seen = set()
    for use in files.uses:
        module = use.path.removeprefix(f"{code.root}/") if code.root not in ("", ".") else use.path
        if use.doing is not Doing.READ or use.call.span in seen or module not in packaged or not packaged:
            continue
        wanted = _wanted(use, module)
        if wanted is None or wanted in packaged or use.text in written or _is_dealt_with(use, moved):
            continue
        beside = join(dirname(module), wanted)
        if text(use.paths[0]) is not None and beside in packaged:
            continue  # it is packaged, but looked for in the wrong folder: another rule
        if any(path.startswith(f"{wanted}/") for path in packaged):
            continue
        seen.add(use.call.span)
        alike = next((path for path in sorted(packaged) if path.lower() == wanted.lower()), None)
        but = f"the package has {alike}" if alike is not None else f"it is not in the package of {function.name}"
        yield Problem(
            use.call.span,
            f"{wanted} is opened, but {but}",
            related=files.way(use),
        )


def _wanted(use: FileUse, module: str) -> str | None:
    """The one path in the package, or just out of it, that is opened."""
    found = {package_path(path, module) for path in use.paths}
    return found.pop() if len(found) == 1 else None


def _is_dealt_with(use: FileUse, moved: bool) -> bool:
    known = text(use.paths[0])
    relative = known is not None and not known.startswith("/")
    return (relative and moved) or is_checked(use.call.guards) or any(map(expects_absence, use.call.guards))
