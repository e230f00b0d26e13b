"""Python reads ``.pth`` files in its own folders only, and ``/var/task`` and ``/opt/python`` are none of them.

What is installed in editable mode is a ``.pth`` file that points into the folder of a developer: packed, it brings
nothing.  In ``lib/pythonX.Y/site-packages`` of a layer such files are read.

Source: https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
"""

import re
from typing import Final

from lambdalint.facts.content import head
from lambdalint.facts.package_imports import PackageImports
from lambdalint.rule import Artifact, Entry, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.samples import archive

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders.zip
      Handler: app.handler
      Runtime: python3.13
"""
APP = b"import rates\n\ndef handler(event, context): ...\n"
EDITABLE = b"/home/ann/rates/src\n"

_SITE: Final = re.compile(r"python/lib/python3\.\d+/site-packages/[^/]+")
_LINKS: Final = (".pth", ".egg-link")
_MAX_BYTES: Final = 65_536


@rule(
    "LZ012",
    "unprocessed-pth",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, "__editable__.rates.pth": EDITABLE})},
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, "rates.egg-link": EDITABLE})},
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": APP, "vendored.pth": b"vendored\n", "vendored/rates.py": b""}),
        },
    ),
    good=(
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, "notes.pth": b"# nothing\n"})},
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": APP, "rates.py": b"", "old.pth": b"old\n", "old/rates.py": b""}),
        },
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive(
                {"app.py": APP, "rates.py": b"", "distutils-precedence.pth": b"import os; os.environ.get('X')\n"}
            ),
        },
    ),
)
def check(artifact: Artifact, imports: PackageImports) -> Problems:
    where = "/opt/python" if artifact.layer else "/var/task"
    for entry in artifact.entries:
        if not entry.path.endswith(_LINKS) or (artifact.layer and _SITE.fullmatch(entry.path)):
            continue
        if entry.path.count("/") != (1 if artifact.layer else 0):
            continue
        if what := _lost(artifact, entry, imports):
            yield Problem(
                artifact.member(entry),
                f"{entry.path} {what}; Lambda reads no {entry.suffix} in {where}",
                hint="install the distribution itself instead of a link to it, as lambdalint package does",
            )


def _lost(artifact: Artifact, entry: Entry, imports: PackageImports) -> str | None:
    """What does not come about since nobody reads *entry*."""
    for line in _lines(entry):
        if line.startswith(("import ", "import\t")):
            if "__editable__" in line or "_editable_impl" in line:
                return "finds an editable distribution where it was developed"
        elif line.startswith("/") or re.match(r"[A-Za-z]:[\\/]", line):
            if not line.startswith(("/var/task", "/opt/")):
                return f"points to {line} on the machine that built it"
        elif name := _needed_below(artifact, entry, line, imports):
            return f"adds the folder {line} to the path, where {name} is imported from"
    return None


def _needed_below(artifact: Artifact, entry: Entry, folder: str, imports: PackageImports) -> str | None:
    """A module that is imported, is nowhere on the path, and is in *folder*."""
    around = entry.path.rpartition("/")[0]
    root = f"{around}/{folder}/".removeprefix("/").replace("//", "/").replace("/./", "/")
    tops = {
        each.path[len(root) :].partition("/")[0].partition(".")[0]
        for each in artifact.entries
        if each.path.startswith(root)
    }
    for closure in imports.of_artifact(artifact):
        found = next((name for name in closure.closure.missing if name.partition(".")[0] in tops), None)
        if found:
            return found
    return None


def _lines(entry: Entry) -> list[str]:
    lines = head(entry, _MAX_BYTES).decode(errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
