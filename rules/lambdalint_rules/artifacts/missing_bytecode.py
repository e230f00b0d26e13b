"""Without bytecode every cold start compiles what the handler imports, and can keep none of it.

``/var/task`` and ``/opt`` cannot be written to.  AWS advises against ``__pycache__``, because ordinary bytecode is
stale once it is packed; files that go by a hash of the source, or by nothing, are not.

Source: https://docs.python.org/3/library/py_compile.html#py_compile.PycInvalidationMode
"""

from collections.abc import Mapping
from typing import Final

from lambdalint.aws.bytecode import compiling_ms
from lambdalint.facts.bytecode import BytecodeFiles
from lambdalint.facts.import_costs import scaled_ms
from lambdalint.facts.package_imports import ImportClosure, PackageImports
from lambdalint.rule import (
    Artifact,
    ArtifactKind,
    Confidence,
    Known,
    Problem,
    Problems,
    Profile,
    Project,
    Severity,
    rule,
)
from lambdalint_rules.artifacts.native_groups import python_version
from lambdalint_rules.artifacts.samples import archive, bytecode
from lambdalint_rules.handler.prepared import is_prepared

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders.zip
      Handler: app.handler
      Runtime: python3.13
      MemorySize: {memory}
"""
APP = b"import tables\n\ndef handler(event, context): ...\n"
TABLES = b"x = 1\n" * 100_000

#: Less than this at a cold start is not worth a word.
_WORTH_MS: Final = 300


def _files(**more: bytes) -> Mapping[str, bytes]:
    return {"app.py": APP, "tables.py": TABLES, **more}


@rule(
    "LZ026",
    "missing-bytecode",
    severity=Severity.INFO,
    confidence=Confidence.MEDIUM,
    profile=Profile.STRICT,
    since="0.1.0",
    bad={"template.yaml": TEMPLATE.format(memory=128), "orders.zip": lambda: archive(_files())},
    good=(
        {"template.yaml": TEMPLATE.format(memory=1769), "orders.zip": lambda: archive(_files())},
        {
            "template.yaml": TEMPLATE.format(memory=128),
            "orders.zip": lambda: archive(
                {**_files(), "__pycache__/tables.cpython-313.pyc": bytecode((3, 13), TABLES)}
            ),
        },
        {
            "template.yaml": TEMPLATE.format(memory=128) + "      SnapStart: {ApplyOn: PublishedVersions}\n",
            "orders.zip": lambda: archive(_files()),
        },
    ),
)
def check(artifact: Artifact, project: Project, files: BytecodeFiles, imports: PackageImports) -> Problems:
    python = python_version(artifact)
    if python is None or artifact.kind is ArtifactKind.FOLDER or artifact.layer:
        return
    compiled = {file.source.path for file in files.usable(python) if file.source}
    for closure in imports.of_artifact(artifact):
        function = closure.function
        memory = function.memory_mb
        if not isinstance(memory, Known) or is_prepared(function, project):
            continue
        modules = _compiled_at_start(closure, artifact, compiled)
        ms = scaled_ms(compiling_ms(sum(modules.values())), int(memory.value))
        if ms >= _WORTH_MS:
            yield Problem(
                artifact.member(artifact.entries[0]),
                f"{function.name} compiles {len(modules):,} modules at every cold start, about {_seconds(ms)} with "
                f"{memory.value:,} MB",
                hint="compile with python -m compileall --invalidation-mode unchecked-hash and the Python of the "
                "runtime, as lambdalint package does",
            )


def _compiled_at_start(closure: ImportClosure, artifact: Artifact, compiled: set[str]) -> dict[str, int]:
    """The sizes of the sources that are read at once and have no bytecode in *compiled*."""
    found = {}
    for path in closure.closure.init:
        packaged = closure.files[path]
        is_own = packaged.artifact is artifact or packaged.artifact.path == artifact.path
        if is_own and path.endswith(".py") and packaged.entry.path not in compiled:
            found[path] = packaged.entry.size
    return found


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.1f} s" if ms >= 1000 else f"{round(ms, -1):.0f} ms"
