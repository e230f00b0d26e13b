"""What a function does not run makes every deployment slower, and tells whoever gets hold of it more.

Histories of Git, folders of tools, states of Terraform and packages for testing come along when a project's folder is
packed as it is.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from lambdalint.aws.stray import stray_names
from lambdalint.facts.distributions import Distributions
from lambdalint.facts.installed import comparable
from lambdalint.facts.package_imports import PackageImports
from lambdalint.facts.requirements import Requirements
from lambdalint.rule import Artifact, ArtifactKind, Entry, Problem, Problems, Severity, rule
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
RATES = {
    "rates/__init__.py": b"",
    "rates/tests/__init__.py": b"",
    "rates-1.0.dist-info/METADATA": b"Name: rates\nVersion: 1.0\n",
    "rates-1.0.dist-info/RECORD": b"rates/__init__.py,,\nrates/tests/__init__.py,,\nrates-1.0.dist-info/METADATA,,\n",
}
PYTEST = {
    "pytest/__init__.py": b"",
    "pytest-9.0.dist-info/METADATA": b"Name: pytest\nVersion: 9.0\n",
    "pytest-9.0.dist-info/RECORD": b"pytest/__init__.py,,\npytest-9.0.dist-info/METADATA,,\n",
}
NEEDS_PYTEST = {**RATES, "rates-1.0.dist-info/METADATA": b"Name: rates\nVersion: 1.0\nRequires-Dist: pytest\n"}

_NAMED: Final = 5
_TESTS: Final = ("tests", "test")


@rule(
    "LZ013",
    "stray-files",
    severity=Severity.WARNING,
    since="0.1.0",
    bad=(
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, ".git/HEAD": b"ref: x\n", **RATES})},
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, "tests/test_app.py": b"", **RATES})},
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, **RATES, **PYTEST})},
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, "a.tfstate": b"{}", **RATES})},
    ),
    good=(
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, **RATES})},
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": b"import tests.samples\n", "tests/samples.py": b""}),
        },
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": b"import pytest\n" + APP, **RATES, **PYTEST}),
        },
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, **NEEDS_PYTEST, **PYTEST})},
    ),
)
def check(
    artifact: Artifact, distributions: Distributions, requirements: Requirements, imports: PackageImports
) -> Problems:
    if artifact.kind is ArtifactKind.FOLDER and artifact.function and not requirements.metadata:
        return
    groups: dict[str, list[Entry]] = {}
    for entry in artifact.entries:
        if name := _tools(entry, distributions):
            groups.setdefault(name, []).append(entry)
    for name, entries in (*_tests(artifact, distributions), *_development(artifact, distributions, requirements)):
        if all(imports.unreached(artifact, entry) or not entry.path.endswith(".py") for entry in entries):
            groups.setdefault(name, []).extend(entries)
    if not groups:
        return
    largest = sorted(groups, key=lambda name: -sum(entry.size for entry in groups[name]))
    more = f" and {len(largest) - _NAMED} more" if len(largest) > _NAMED else ""
    size = sum(entry.size for entries in groups.values() for entry in entries)
    yield Problem(
        artifact.member(groups[largest[0]][0]),
        f"{', '.join(largest[:_NAMED])}{more} ship{'s' if len(largest) == 1 else ''} with "
        f"{artifact.function or artifact.path}: {_size(size)} that no invocation uses",
        hint="pack only what runs: a folder of its own for the code, runtime requirements apart from the others",
    )


def _tools(entry: Entry, brought_by: Distributions) -> str | None:
    """The folder or file of a tool that *entry* belongs to."""
    *folders, name = entry.path.split("/")
    for folder in folders:
        if folder in stray_names("folders"):
            return f"{folder}/"
    if brought_by.of_entry(entry) is not None:
        return None
    patterns = stray_names("files") if folders else stray_names("files") | stray_names("root_files")
    return name if any(fnmatchcase(name, pattern) for pattern in patterns) else None


def _tests(artifact: Artifact, brought_by: Distributions) -> Iterator[tuple[str, list[Entry]]]:
    """The project's own tests at the root."""
    for folder in _TESTS:
        own = [
            entry
            for entry in artifact.entries
            if entry.path.startswith(f"{folder}/") and brought_by.of_entry(entry) is None
        ]
        if any(entry.path.endswith(".py") for entry in own):
            yield f"{folder}/", own


def _development(
    artifact: Artifact, brought_by: Distributions, requirements: Requirements
) -> Iterator[tuple[str, list[Entry]]]:
    """Distributions for development that no other one requires."""
    tools = stray_names("development") & requirements.metadata.keys()
    if not tools:
        return
    required = {
        each for name, needed in requirements.required_by.items() if name not in tools for each in needed & tools
    }
    files: dict[str, list[Entry]] = {}
    for entry in artifact.entries:
        name = comparable((brought_by.of_entry(entry) or "").partition(" ")[0])
        if name in tools - required:
            files.setdefault(name, []).append(entry)
    yield from files.items()


def _size(size: int) -> str:
    return f"{size / (1024 * 1024):,.1f} MB" if size >= 100_000 else f"{size:,} bytes"
