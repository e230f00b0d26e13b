"""Lambda unpacks the modes of an archive and runs the code as another user.

A file that only its owner may read, as Python's ``ZipFile.writestr`` and a ``umask`` of 077 make them, fails with
``Permission denied`` or ``No module named``; so does what lies in a folder that others may not enter.  A program that
is started needs its execute bits, which archives made on Windows do not have.

Source: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Final, TypeAlias

from lambdalint.aws.environment import wrapper_name
from lambdalint.facts.calls import Calls
from lambdalint.facts.content import head
from lambdalint.facts.started_programs import TASK_FOLDER, started_programs
from lambdalint.rule import (
    Artifact,
    ArtifactKind,
    Confidence,
    Dialect,
    Function,
    Known,
    Member,
    PerModule,
    Problem,
    Problems,
    Project,
    RecordKind,
    Severity,
    rule,
)
from lambdalint_rules.artifacts.entry_names import and_more, unpacked_name
from lambdalint_rules.artifacts.samples import archive, changed, member, written
from lambdalint_rules.artifacts.users import functions_of

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders.zip
      Handler: {handler}
      Runtime: {runtime}
"""
PYTHON = TEMPLATE.format(handler="app.handler", runtime="python3.13")
CUSTOM = TEMPLATE.format(handler="bootstrap", runtime="provided.al2023")
WRAPPED = f"{PYTHON}      Environment: {{Variables: {{AWS_LAMBDA_EXEC_WRAPPER: /var/task/start}}}}\n"
APP = b"def handler(event, context): ...\n"
STARTING = b"""\
import subprocess

def handler(event, context):
    subprocess.run(["./convert", event["name"]], check=True, timeout=10)
"""
SHELL = b'#!/bin/sh\nexec "$@"\n'

#: What starts a file, in words, and how sure that is.
Started: TypeAlias = tuple[str, Confidence | None]

_READABLE: Final = 0o004
_SEARCHABLE: Final = 0o005
_EXECUTABLE: Final = 0o001
_FILE, _FOLDER = 0o100000, 0o040000
#: Tools that give every file of a folder a mode of their own.
_NORMALISING: Final = (Dialect.SERVERLESS, Dialect.CHALICE, Dialect.ZAPPA)


@rule(
    "LZ004",
    "wrong-entry-mode",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": PYTHON, "orders.zip": lambda: written([(member("app.py", _FILE | 0o600), APP)])},
        {
            "template.yaml": PYTHON,
            "orders.zip": lambda: written(
                [
                    (member("app.py"), APP),
                    (member("lib/", _FOLDER | 0o700), b""),
                    (member("lib/rates.py"), b"EUR = 1\n"),
                ]
            ),
        },
        {"template.yaml": CUSTOM, "orders.zip": partial(archive, {"bootstrap": SHELL})},
        {"template.yaml": PYTHON, "orders.zip": partial(archive, {"app.py": STARTING, "convert": SHELL})},
        {"template.yaml": WRAPPED, "orders.zip": lambda: changed({"app.py": APP, "start": SHELL}, "start", system=0)},
    ),
    good=(
        {"template.yaml": PYTHON, "orders.zip": partial(archive, {"app.py": APP, "start": SHELL})},
        {"template.yaml": PYTHON, "orders.zip": partial(changed, {"app.py": APP}, "app.py", system=0)},
        {"template.yaml": CUSTOM, "orders.zip": partial(archive, {"bootstrap": SHELL}, executable=("bootstrap",))},
        {
            "template.yaml": WRAPPED,
            "orders.zip": partial(archive, {"app.py": APP, "start": SHELL}, executable=("start",)),
        },
    ),
)
def check(artifact: Artifact, project: Project, calls: PerModule[Calls]) -> Problems:
    functions = list(functions_of(artifact, project))
    if artifact.kind is ArtifactKind.FOLDER and any(each.dialect in _NORMALISING for each in functions):
        return
    yield from _unreadable(artifact)
    yield from _unsearchable(artifact)
    started = dict(_by_place(artifact))
    started.update(_wrappers(artifact, functions))
    started.update(_by_code(artifact, functions, calls))
    yield from _not_executable(artifact, started)


def _unreadable(artifact: Artifact) -> Problems:
    shut = [entry for entry in artifact.entries if entry.mode is not None and not entry.mode & _READABLE]
    if len(shut) == len(artifact.entries) and artifact.kind is ArtifactKind.FOLDER:
        return  # the umask of this machine; it is another one, as a rule, that deploys
    if shut:
        yield Problem(
            artifact.member(shut[0]),
            f"{shut[0].path} has mode {shut[0].mode:04o}{and_more(shut)}; "
            "Lambda runs as another user and gets Permission denied",
            hint="chmod -R a+rX before packing, or lambdalint package",
            confidence=Confidence.LOW if artifact.kind is ArtifactKind.FOLDER else None,
        )


def _unsearchable(artifact: Artifact) -> Problems:
    shut = [
        record
        for record in artifact.records
        if record.kind is RecordKind.FOLDER and record.mode is not None and record.mode & _SEARCHABLE != _SEARCHABLE
    ]
    if shut:
        name = unpacked_name(shut[0])
        yield Problem(
            Member(artifact.path, name),
            f"the folder {name or '.'} has mode {(shut[0].mode or 0) & 0o777:04o}{and_more(shut)}; "
            "Lambda runs as another user and finds nothing in it",
            hint="chmod -R a+rX before packing, or lambdalint package",
        )


def _not_executable(artifact: Artifact, started: Mapping[str, Started]) -> Problems:
    for entry in artifact.entries:
        if entry.path not in started or (entry.mode & _EXECUTABLE if entry.mode is not None else entry.executable):
            continue
        what, confidence = started[entry.path]
        if entry.mode is not None:
            state = f"has mode {entry.mode:04o}"
        elif artifact.kind is ArtifactKind.ZIP:
            state = "has no mode, since the archive was made on Windows"
        elif artifact.kind is ArtifactKind.PLAN:
            state = "may not be executed"
        else:
            continue
        yield Problem(
            artifact.member(entry),
            f"{entry.path} {state}; it {what} and needs its execute bits",
            hint="chmod 755, and pack on Linux or macOS; lambdalint package keeps execute bits",
            confidence=confidence or (Confidence.MEDIUM if artifact.kind is ArtifactKind.FOLDER else None),
        )


def _root(artifact: Artifact) -> str:
    """Where it is unpacked."""
    return "/opt/" if artifact.layer else TASK_FOLDER


def _wrappers(artifact: Artifact, functions: Iterable[Function]) -> Iterator[tuple[str, Started]]:
    """What AWS_LAMBDA_EXEC_WRAPPER of a function starts."""
    root = _root(artifact)
    for function in functions:
        match function.env:
            case Known(Mapping() as variables):
                wrapper = variables.get(wrapper_name())
                if isinstance(wrapper, Known) and str(wrapper.value).startswith(root):
                    yield str(wrapper.value).removeprefix(root), (f"starts {function.name}", None)


def _by_code(
    artifact: Artifact, functions: Iterable[Function], calls: PerModule[Calls]
) -> Iterator[tuple[str, Started]]:
    root = _root(artifact)
    for function in functions:
        for program, path in started_programs(function, calls):
            if program.startswith(root):
                yield program.removeprefix(root), (f"is started by {path.rpartition('/')[2]}", None)


def _by_place(artifact: Artifact) -> Iterator[tuple[str, Started]]:
    """What Lambda starts because of where it lies, and programs where one looks for programs."""
    for entry in artifact.entries:
        folder, _, name = entry.path.rpartition("/")
        if not artifact.layer and entry.path == "bootstrap" and (artifact.runtime or "").startswith("provided"):
            yield entry.path, ("is the runtime", None)
        elif artifact.layer and folder == "extensions" and name:
            yield entry.path, ("is an extension, which Lambda starts", None)
        elif folder == "bin" and not entry.suffix and head(entry, 4) == b"\x7fELF":
            yield entry.path, ("is a program", Confidence.MEDIUM)
