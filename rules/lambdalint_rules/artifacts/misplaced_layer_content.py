"""A layer is unpacked into /opt, and Python looks for modules only in ``/opt/python`` and its versioned folder.

What lies at the layer's root, or in a folder ``site-packages`` of its own, is there and is not found.

Source: https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
"""

import re
from collections.abc import Iterator
from typing import Final

from lambdalint.aws.limits import layer_folders
from lambdalint.aws.runtimes import is_python
from lambdalint.facts.installed import Installed
from lambdalint.facts.surrounding import Surroundings, python_of
from lambdalint.rule import (
    Artifact,
    ArtifactKind,
    Entry,
    Function,
    Known,
    LambdalintError,
    Layer,
    Problem,
    Problems,
    Project,
    Severity,
    rule,
)
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
    Type: AWS::Serverless::LayerVersion{build}
    Properties:
      ContentUri: deps/
"""
HANDLER = "import requests\n\ndef handler(event, context):\n    return requests.answer\n"
APPENDED = f"import sys\nsys.path.append('/opt')\n{HANDLER}"
BUILT = "\n    Metadata: {BuildMethod: python3.13}"

#: Folders that look like the right one.
_ALMOST: Final = re.compile(
    r"(?P<folder>(?:.*/)?site-packages|python/(?:lib64/)?python\d\.\d+|python3(?:\.\d+)?)/[^/]+(?:\.dist-info/|\.py$|/__init__\.py$)"
)
_RIGHT: Final = re.compile(r"python/lib/python\d\.\d+/site-packages/")
_OF_TOOLS: Final = frozenset(("setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py"))
_MAX_SOURCE_BYTES: Final = 1024 * 1024


@rule(
    "LY002",
    "misplaced-layer-content",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE.format(build=""),
            "src/app.py": HANDLER,
            **distribution("requests", "2.32.5", root="deps/"),
        },
        {
            "template.yaml": TEMPLATE.format(build=""),
            "src/app.py": HANDLER,
            **distribution("requests", "2.32.5", root="deps/python/site-packages/"),
        },
        {
            "template.yaml": TEMPLATE.format(build=""),
            "src/app.py": HANDLER,
            **distribution("requests", "2.31.0", root="deps/python/"),
            **distribution("requests", "2.32.5", root="deps/python/lib/python3.13/site-packages/"),
        },
    ),
    good=(
        {
            "template.yaml": TEMPLATE.format(build=""),
            "src/app.py": HANDLER,
            **distribution("requests", "2.32.5", root="deps/python/"),
        },
        {
            "template.yaml": TEMPLATE.format(build=""),
            "src/app.py": APPENDED,
            **distribution("requests", "2.32.5", root="deps/"),
        },
        {
            "template.yaml": TEMPLATE.format(build=BUILT),
            "src/app.py": HANDLER,
            "deps/requests/__init__.py": "answer = 42\n",
        },
    ),
)
def check(layer: Layer, project: Project, surroundings: Surroundings) -> Problems:
    artifact = layer.artifact
    users = surroundings.users(layer)
    if artifact is None or not _is_for_python(layer, users) or _is_built(layer, artifact, project):
        return
    yield from _twice(artifact, surroundings.installed(artifact), users)
    misplaced = next(_misplaced(artifact), None)
    if misplaced is None or any(map(_looks_elsewhere, users)):
        return
    entry, where = misplaced
    yield Problem(
        artifact.member(entry),
        f"{where} of the layer {layer.name}; Python looks in python/ (unpacked to /opt/python)",
        hint="put the modules below python/, as lambdalint package does",
    )


def _misplaced(artifact: Artifact) -> Iterator[tuple[Entry, str]]:
    """Modules that are not found, and where they lie."""
    for entry in artifact.entries:
        match = _ALMOST.match(entry.path)
        if match and not _RIGHT.match(entry.path) and entry.path.partition("/")[0] not in ("nodejs", "ruby", "java"):
            inside = match["folder"]
            if not _is_below_a_package(inside, artifact):
                name = entry.path[len(inside) + 1 :].partition("/")[0]
                yield entry, f"{name} lies in {inside}/"
                return
    has_modules = any(
        entry.path.startswith("python/") and entry.path.endswith((".py", ".pyc", ".so")) for entry in artifact.entries
    )
    for entry in artifact.entries:
        top, _, inside = entry.path.partition("/")
        if top in layer_folders() or top in _OF_TOOLS or top.startswith("."):
            continue
        if top.endswith(".dist-info") or (
            not has_modules and (inside == "__init__.py" or (not inside and top.endswith(".py")))
        ):
            yield entry, f"{top.rpartition('/')[2]}{'/' if inside else ''} lies at the root"
            return


def _is_below_a_package(folder: str, artifact: Artifact) -> bool:
    """Whether a distribution carries the folder inside itself."""
    inits = {entry.path for entry in artifact.entries if entry.path.endswith("/__init__.py")}
    parts = folder.split("/")
    return any(f"{'/'.join(parts[:count])}/__init__.py" in inits for count in range(1, len(parts) + 1))


def _twice(artifact: Artifact, installed: Installed, users: tuple[Function, ...]) -> Problems:
    for python in dict.fromkeys(each for user in users if (each := python_of(user))):
        versioned = f"python/lib/python{python[0]}.{python[1]}/site-packages/"
        for same in installed.by_key.values():
            first = next((each for each in same if each.root == versioned), None)
            other = next((each for each in same if each.root == "python/"), None)
            if first and other and first.version != other.version:
                yield Problem(
                    artifact.member(other.entry),
                    f"{other.title} lies in python/, and {first.title} in {versioned}, which Python looks into first",
                    hint="keep one of the two",
                )


def _is_for_python(layer: Layer, users: tuple[Function, ...]) -> bool:
    if users:
        return any(python_of(user) for user in users)
    return any(map(is_python, layer.compatible_runtimes))


def _is_built(layer: Layer, artifact: Artifact, project: Project) -> bool:
    """Whether a build puts what is in the folder where it belongs."""
    if artifact.kind is not ArtifactKind.FOLDER:
        return False
    template = next((each for each in project.templates if each.path == layer.span.path), None)
    resource = template.resources.get(layer.name) if template else None
    return resource is not None and "BuildMethod" in resource.metadata


def _looks_elsewhere(function: Function) -> bool:
    """Whether the function may look into other folders of /opt."""
    match function.env:
        case None:
            pass
        case Known(env) if "PYTHONPATH" not in env:
            pass
        case _:
            return True
    if function.artifact is None:
        return True
    return any(
        entry.path.endswith(".py") and entry.size <= _MAX_SOURCE_BYTES and b"/opt" in _content(entry)
        for entry in function.artifact.entries
    )


def _content(entry: Entry) -> bytes:
    try:
        return entry.read()
    except LambdalintError:
        return b""
