"""Bytecode that Python takes without a look at the source runs whatever the source says.

Files of PEP 552 with the *unchecked* flag are meant for packages that never change.  One that was compiled before the
last edit ships the code of yesterday.  A ``.pyc`` that stands for its source altogether is refused by every other
version of Python: ``bad magic number``.

Source: https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation
"""

from lambdalint.facts.bytecode import BytecodeFiles, Check, CompiledFile
from lambdalint.facts.package_imports import PackageImports
from lambdalint.rule import Artifact, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.entry_names import and_more
from lambdalint_rules.artifacts.native_groups import python_version
from lambdalint_rules.artifacts.reached import confidence
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
APP = b"import rates\n\ndef handler(event, context): ...\n"
OLD = b"EUR = 1\n"
NEW = b"EUR = 2\n"
CACHED = "__pycache__/rates.cpython-313.pyc"


@rule(
    "LZ025",
    "stale-bytecode",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": APP, "rates.py": NEW, CACHED: bytecode((3, 13), OLD)}),
        },
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": APP, "rates.pyc": bytecode((3, 11), OLD)}),
        },
    ),
    good=(
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": APP, "rates.py": NEW, CACHED: bytecode((3, 13), NEW)}),
        },
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive(
                {"app.py": APP, "rates.py": NEW, CACHED: bytecode((3, 13), OLD, checked=True)}
            ),
        },
        {
            "template.yaml": TEMPLATE,
            "orders.zip": lambda: archive({"app.py": APP, "rates.pyc": bytecode((3, 13), OLD)}),
        },
    ),
)
def check(artifact: Artifact, files: BytecodeFiles, imports: PackageImports) -> Problems:
    python = python_version(artifact)
    stale: list[CompiledFile] = []
    refused: list[CompiledFile] = []
    for file in files.files:
        if file.cached and file.check is Check.NONE and python in (file.python, None) and file.is_of_source() is False:
            stale.append(file)
        elif not file.cached and file.source is None and python and file.python and file.python != python:
            refused.append(file)
    if stale:
        path = stale[0].entry.path
        source = stale[0].source.path if stale[0].source else ""
        yield Problem(
            artifact.member(stale[0].entry),
            f"{path} is unchecked and was compiled from another {source}{and_more(stale)}: the old code runs",
            hint="compile after the last edit, or leave bytecode out; lambdalint package compiles what it packs",
            confidence=confidence(imports, artifact, (file.entry for file in stale)),
        )
    if refused:
        made_for = ".".join(map(str, refused[0].python or ()))
        yield Problem(
            artifact.member(refused[0].entry),
            f"{refused[0].entry.path} is bytecode of Python {made_for} without its source{and_more(refused)}; "
            f"{artifact.runtime} refuses it: bad magic number",
            hint=f"ship the source, or compile it with the Python of {artifact.runtime}",
            confidence=confidence(imports, artifact, (file.entry for file in refused)),
        )
