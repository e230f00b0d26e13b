"""``python/lib/pythonX.Y/site-packages`` of a layer is on the path of Python X.Y and of no other.

After a change of the runtime the layer is still unpacked, and nothing in that folder is found.

Source: https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
"""

import re
from collections.abc import Iterator
from typing import Final

from lambdalint.aws.runtimes import is_python, runtime
from lambdalint.facts.surrounding import Surroundings, python_of
from lambdalint.rule import Entry, Function, Layer, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.metadata_samples import distribution

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
      Layers: [!Ref Deps]
  Deps:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: deps/
"""
HANDLER = "import requests\n\ndef handler(event, context):\n    return requests.answer\n"
OLD = distribution("requests", "2.31.0", root="deps/python/lib/python3.9/site-packages/")

_VERSIONED: Final = re.compile(r"(?P<folder>python/lib/python(?P<major>\d)\.(?P<minor>\d+)/site-packages)/.")


@rule(
    "LY003",
    "other-python-layer",
    severity=Severity.ERROR,
    since="0.1.0",
    bad={"template.yaml": TEMPLATE, "src/app.py": HANDLER, **OLD},
    good=(
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            **OLD,
            **distribution("requests", "2.32.5", root="deps/python/lib/python3.13/site-packages/"),
        },
        {"template.yaml": TEMPLATE, "src/app.py": HANDLER, **distribution("requests", "2.32.5", root="deps/python/")},
    ),
)
def check(layer: Layer, surroundings: Surroundings) -> Problems:
    if layer.artifact is None:
        return
    folders: dict[tuple[int, int], tuple[str, Entry]] = {}
    for entry in layer.artifact.entries:
        if match := _VERSIONED.match(entry.path):
            folders.setdefault((int(match["major"]), int(match["minor"])), (match["folder"], entry))
    wanted = tuple(_pythons(layer, surroundings.users(layer)))
    if not folders or not wanted or any(python in folders or python is None for python in wanted):
        return
    folder, entry = next(iter(folders.values()))
    names = " and ".join(dict.fromkeys(f"python{python[0]}.{python[1]}" for python in wanted if python))
    yield Problem(
        layer.artifact.member(entry),
        f"{folder} is not on the path of {names}",
        hint="install for the Python that the function runs on, into python/",
    )


def _pythons(layer: Layer, users: tuple[Function, ...]) -> Iterator[tuple[int, int] | None]:
    """The Pythons that are to find what is in the layer; ``None`` for one that nobody knows."""
    if users:
        yield from (python_of(user) for user in users)
        return
    for name in layer.compatible_runtimes:
        known = runtime(name) if is_python(name) else None
        if known is not None:
            yield known.version
