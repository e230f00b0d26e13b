"""Bytecode that Python does not take is only weight.

Ordinary ``.pyc`` files carry the time of their source.  Installing or packing gives the source another one, and Python
ignores them, as it does those of another version and those that lie where it does not look.

Source: https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation
"""

from typing import Final

from lambdalint.facts.bytecode import BytecodeFiles, CompiledFile
from lambdalint.facts.distributions import Distributions
from lambdalint.rule import Artifact, ArtifactKind, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.entry_names import and_more
from lambdalint_rules.artifacts.native_groups import python_version
from lambdalint_rules.artifacts.samples import archive, bytecode

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
APP = b"def handler(event, context): ...\n"
CACHED = "__pycache__/app.cpython-313.pyc"

_TEST_FOLDERS: Final = frozenset(("test", "tests"))
_OF_TESTS: Final = "is bytecode of tests"
#: What little there is of tests in most distributions is not worth a word.
_WORTH_BYTES: Final = 64 * 1024


@rule(
    "LZ024",
    "useless-bytecode",
    severity=Severity.WARNING,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": APP, CACHED: bytecode((3, 13), time=1_700_000_000)}),
        },
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": APP, "__pycache__/app.cpython-311.pyc": bytecode((3, 11), APP)}),
        },
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": APP, "app.pyc": bytecode((3, 13), APP)}),
        },
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive(
                {
                    "app.py": APP,
                    "rates/__init__.py": b"",
                    "rates/tests/test_eur.py": b"",
                    "rates/tests/__pycache__/test_eur.cpython-313.pyc": bytecode((3, 13), b"") + bytes(_WORTH_BYTES),
                }
            ),
        },
    ),
    good=(
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": APP, CACHED: bytecode((3, 13), APP)}),
        },
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": APP, CACHED: bytecode((3, 13), APP, checked=True)}),
        },
    ),
)
def check(artifact: Artifact, files: BytecodeFiles, distributions: Distributions) -> Problems:
    python = python_version(artifact)
    if python is None or not files.files or artifact.kind is ArtifactKind.FOLDER:
        return
    groups: dict[str, list[CompiledFile]] = {}
    for file in files.files:
        if why := _use(file, files, python, distributions):
            groups.setdefault(why, []).append(file)
    for why, group in groups.items():
        if why == _OF_TESTS and sum(file.entry.size for file in group) < _WORTH_BYTES:
            continue
        size = sum(file.entry.size for file in group) / (1024 * 1024)
        weight = f", {size:.1f} MB" if size >= 1 else ""
        yield Problem(
            artifact.member(group[0].entry),
            f"{group[0].entry.path} {why.format(runtime=artifact.runtime)}{and_more(group)}{weight}",
            hint="leave bytecode out, or compile with python -m compileall --invalidation-mode unchecked-hash and the "
            "Python of the runtime when all files are in place, as lambdalint package does",
        )


def _use(file: CompiledFile, files: BytecodeFiles, python: tuple[int, int], brought_by: Distributions) -> str | None:
    """Why *file* is of no use; ``None`` where it is, or may be."""
    if not file.cached:
        if file.source is not None:
            return "lies beside its source, and Python takes the source"
        own = brought_by.of_entry(file.entry) is None and brought_by.by_path
        return "has no source beside it, so tracebacks show no lines" if own and file.python == python else None
    if file.source is None:
        return "has no source, without which Python does not look into __pycache__"
    if file.python != python:
        made_for = ".".join(map(str, file.python)) if file.python else "of another version"
        return f"is bytecode of Python {made_for}, which {{runtime}} ignores"
    if files.keeps_time(file) is False:
        return "carries a time or size that its source does not have, so that Python ignores it"
    if _TEST_FOLDERS & set(file.entry.path.split("/")):
        return _OF_TESTS
    return None
