"""A layer is unpacked into /opt, and Python looks for modules only in ``/opt/python`` and its versioned folder.

What lies at the layer's root, or in a folder ``site-packages`` of its own, is there and is not found.  The loader looks
for shared libraries in ``/opt/lib``, ``PATH`` leads to ``/opt/bin``, and extensions are started from
``/opt/extensions``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from lambdalint.aws.environment import path_variable
from lambdalint.aws.limits import layer_folders, registration_path
from lambdalint.aws.runtimes import is_python
from lambdalint.facts.calls import Calls
from lambdalint.facts.installed import Installed
from lambdalint.facts.native import NativeFiles
from lambdalint.facts.started_programs import looked_up_programs
from lambdalint.facts.surrounding import Surroundings, company_of, python_of
from lambdalint.rule import (
    Artifact,
    ArtifactKind,
    Confidence,
    Entry,
    Function,
    Known,
    LambdalintError,
    Layer,
    PerModule,
    Problem,
    Problems,
    Project,
    Severity,
    rule,
)
from lambdalint_rules.artifacts.library_search import Libraries, loads_by_hand, own_folders, sets_library_path
from lambdalint_rules.artifacts.metadata_samples import distribution
from lambdalint_rules.artifacts.samples import archive, linux_library

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

ZIPPED = TEMPLATE.format(build="").replace("deps/", "deps.zip")
STARTING = """\
import subprocess

def handler(event, context):
    subprocess.run(["ffmpeg", "-version"], check=True)
"""
EXTENSION = b"#!/bin/sh\ncurl -X POST http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension/register\n"

#: Folders that look like the right one.
_ALMOST: Final = re.compile(
    r"(?P<folder>(?:.*/)?site-packages|python/(?:lib64/)?python\d\.\d+|python3(?:\.\d+)?)/[^/]+(?:\.dist-info/|\.py$|/__init__\.py$)"
)
_RIGHT: Final = re.compile(r"python/lib/python\d\.\d+/site-packages/")
_OF_TOOLS: Final = frozenset(("setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py"))
_OF_LANGUAGES: Final = frozenset(("python", "nodejs", "ruby", "java", "lib"))
_MAX_SOURCE_BYTES: Final = 1024 * 1024
_MAX_PROGRAM_BYTES: Final = 64 * 1024 * 1024


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
        {
            "template.yaml": ZIPPED,
            "src/app.py": STARTING,
            "src/fast.abi3.so": partial(linux_library, needed=("librates.so.1",)),
            "deps.zip": lambda: archive({"lib64/librates.so.1": linux_library()}),
        },
        {
            "template.yaml": ZIPPED,
            "src/app.py": STARTING,
            "deps.zip": lambda: archive({"ffmpeg/ffmpeg": b"\x7fELF"}, executable=("ffmpeg/ffmpeg",)),
        },
        {
            "template.yaml": ZIPPED,
            "src/app.py": STARTING,
            "deps.zip": lambda: archive({"tracing": EXTENSION}, executable=("tracing",)),
        },
    ),
    good=(
        {
            "template.yaml": TEMPLATE.format(build=""),
            "src/app.py": HANDLER,
            **distribution("requests", "2.32.5", root="deps/python/"),
        },
        {
            "template.yaml": ZIPPED,
            "src/app.py": STARTING,
            "src/fast.abi3.so": partial(linux_library, needed=("librates.so.1",)),
            "deps.zip": lambda: archive(
                {"lib/librates.so.1": linux_library(), "bin/ffmpeg": b"\x7fELF", "extensions/tracing": EXTENSION},
                executable=("bin/ffmpeg", "extensions/tracing"),
            ),
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
def check(layer: Layer, project: Project, surroundings: Surroundings, calls: PerModule[Calls]) -> Problems:
    artifact = layer.artifact
    users = surroundings.users(layer)
    if artifact is None or not _is_for_python(layer, users) or _is_built(layer, artifact, project):
        return
    for entry, what, folder in (
        *_libraries(artifact, users),
        *_programs(artifact, users, calls),
        *_extensions(artifact, users),
    ):
        yield Problem(
            artifact.member(entry),
            f"{what}, and lies {_place(entry)} of the layer {layer.name}; it is looked for in {folder}/ (unpacked to "
            f"/opt/{folder})",
            hint=f"put it into {folder}/ of the layer",
            confidence=None if folder == "lib" else Confidence.MEDIUM,
        )
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


def _place(entry: Entry) -> str:
    folder = entry.path.rpartition("/")[0]
    return f"in {folder}/" if folder else "at the root"


def _libraries(artifact: Artifact, users: tuple[Function, ...]) -> Iterator[tuple[Entry, str, str]]:
    """Shared libraries that native files of the layer, or of its functions, ask for and do not find."""
    by_name = {
        entry.path.rpartition("/")[2]: entry
        for entry in artifact.entries
        if ".so" in entry.path and entry.path.partition("/")[0] not in _OF_LANGUAGES
    }
    said: set[str] = set()
    for user in users:
        company = company_of(user)
        if not company.complete or sets_library_path(user) or not by_name or _looks_elsewhere(user):
            continue
        libraries = Libraries.of(company.artifacts)
        asking = [(file, part) for part in company.artifacts for file in NativeFiles.of(part).files]
        own = {folder for file, part in asking for folder in own_folders(file, part)}
        for file, part in asking:
            for name in file.needed:
                if name not in by_name or name in said or libraries.finds(name, own) or loads_by_hand(file, part):
                    continue
                said.add(name)
                yield by_name[name], f"{name} is what {file.path} needs", "lib"


def _programs(
    artifact: Artifact, users: tuple[Function, ...], calls: PerModule[Calls]
) -> Iterator[tuple[Entry, str, str]]:
    """Programs that code starts by their bare names."""
    by_name = {entry.path.rpartition("/")[2]: entry for entry in artifact.entries if _is_program(entry)}
    said: set[str] = set()
    for user in users if by_name else ():
        if _sets(user, path_variable()) or _looks_elsewhere(user):
            continue
        parts = company_of(user).artifacts
        found = {entry.path.removeprefix("bin/") for part in parts if part.layer for entry in part.entries}
        for name, module in looked_up_programs(user, calls):
            if name in by_name and name not in found and name not in said:
                said.add(name)
                yield by_name[name], f"{name} is started by {module}", "bin"


def _extensions(artifact: Artifact, users: tuple[Function, ...]) -> Iterator[tuple[Entry, str, str]]:
    """Programs that register as extensions, in layers that have none where they are looked for."""
    parts = (artifact, *(part for user in users for part in company_of(user).artifacts))
    if any(entry.path.startswith("extensions/") for part in parts if part.layer for entry in part.entries):
        return
    for entry in artifact.entries:
        top = entry.path.partition("/")[0]
        if top in _OF_LANGUAGES or not _is_program(entry) or entry.size > _MAX_PROGRAM_BYTES:
            continue
        if registration_path().encode() in _content(entry):
            yield entry, f"{entry.path.rpartition('/')[2]} registers as an extension", "extensions"
            return


def _is_program(entry: Entry) -> bool:
    return entry.executable and not entry.path.endswith((".py", ".pyc")) and ".so" not in entry.path


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
    if _sets(function, "PYTHONPATH") or function.artifact is None:
        return True
    return any(
        entry.path.endswith(".py") and entry.size <= _MAX_SOURCE_BYTES and b"/opt" in _content(entry)
        for entry in function.artifact.entries
    )


def _sets(function: Function, variable: str) -> bool:
    """Whether the function sets the variable, or may do so."""
    match function.env:
        case None:
            return False
        case Known(env):
            return variable in env
        case _:
            return True


def _content(entry: Entry) -> bytes:
    try:
        return entry.read()
    except LambdalintError:
        return b""
