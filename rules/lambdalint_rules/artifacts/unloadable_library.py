"""A native file loads only together with every library that it names, and those are few on Lambda.

Wheels may lean on libraries of a desktop (``libGL.so.1``), a build on what lay on the build machine (``libpq.so.5``),
and a package trimmed by hand may lack what ``auditwheel`` had put beside it.  A tool that strips files may break them:
then the loader says ``ELF load command address/offset not properly aligned``.

Which libraries a runtime has is published nowhere: only what is known to be missing is spoken of.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from lambdalint.aws.absent_libraries import absent_libraries
from lambdalint.aws.runtimes import is_python, runtime
from lambdalint.facts.native import NativeFile, NativeFiles
from lambdalint.facts.package_imports import PackageImports
from lambdalint.facts.surrounding import Surroundings
from lambdalint.rule import Artifact, Confidence, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.native_groups import by_distribution, loadable_files, others
from lambdalint_rules.artifacts.reached import confidence
from lambdalint_rules.artifacts.samples import linux_library

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: python3.13
"""
HANDLER = "import fast\n\ndef handler(event, context):\n    return fast.answer(event)\n"
MODULE = "src/fast.abi3.so"

#: What auditwheel puts beside a module has part of its digest in its name, which no system's library has.
_OF_THE_WHEEL: Final = re.compile(r".+-[0-9a-f]{8}\.so(?:\.\d+)*")


def misaligned() -> bytes:
    """A library that a tool has stripped wrongly."""
    made = bytearray(linux_library())
    made[64 + 16] = 1  # the address of the first segment, one byte on
    return bytes(made)


@rule(
    "LZ018",
    "unloadable-library",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            MODULE: partial(linux_library, needed=("libGL.so.1", "libc.so.6")),
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            MODULE: partial(linux_library, needed=("libfast-0a1b2c3d.so.1",)),
        },
        {"template.yaml": TEMPLATE, "src/app.py": HANDLER, MODULE: misaligned},
    ),
    good=(
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            MODULE: partial(linux_library, needed=("libGL.so.1", "libfast-0a1b2c3d.so.1", "libnobodyknows.so.3")),
            "src/lib/libGL.so.1": linux_library,
            "src/fast.libs/libfast-0a1b2c3d.so.1": linux_library,
        },
    ),
)
def check(artifact: Artifact, native: NativeFiles, surroundings: Surroundings, imports: PackageImports) -> Problems:
    target = runtime(artifact.runtime) if artifact.runtime and is_python(artifact.runtime) else None
    if target is None or target.system is None:
        return
    loadable = [file for file in loadable_files(artifact, native) if file.runs_on(artifact.architecture)]
    for group in by_distribution(file for file in loadable if file.misaligned):
        yield Problem(
            artifact.member(group[0].entry),
            f"a segment of {group[0].path}{others(group)} is not aligned as the loader wants it",
            hint="take the file as its wheel has it, or strip it by another tool",
            confidence=confidence(imports, artifact, (file.entry for file in group)),
        )
    absent = absent_libraries(target.system)
    companies = surroundings.companies(artifact)
    if not all(each.complete for each in companies):
        return
    there = [frozenset(_names(each.artifacts)) for each in companies]
    lacking: dict[NativeFile, tuple[str, ...]] = {}
    for file in _loaded(loadable):
        missing = tuple(
            name
            for name in file.needed
            if (name in absent or _OF_THE_WHEEL.fullmatch(name))
            and any(name not in names for names in there)
            and not any(other.soname == name for other in native.files)
        )
        if missing:
            lacking[file] = missing
    for group in by_distribution(lacking):
        names = tuple(dict.fromkeys(name for file in group for name in lacking[file]))
        said = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
        yield Problem(
            artifact.member(group[0].entry),
            f"{group[0].path}{others(group)} needs {said}, "
            f"which neither the package, its layers nor {target.system} has",
            hint=next((absent[name] for name in names if absent.get(name)), "put the library into lib/ of the package"),
            confidence=confidence(imports, artifact, (file.entry for file in group), Confidence.MEDIUM),
        )


def _loaded(files: list[NativeFile]) -> Iterator[NativeFile]:
    """Extension modules and what they need, as far as it is there, without plugins that a library may load by name.

    A distribution without extension modules loads its libraries through ctypes.
    """
    by_name = {name: file for file in files for name in (file.entry.path.rpartition("/")[2], file.soname) if name}
    with_modules = {file.distribution for file in files if file.module}
    found = [file for file in files if file.module or file.distribution not in with_modules]
    seen = set(found)
    for file in found:
        yield file
        for name in file.needed:
            needed = by_name.get(name)
            if needed is not None and needed not in seen:
                seen.add(needed)
                found.append(needed)


def _names(artifacts: tuple[Artifact, ...]) -> Iterator[str]:
    for artifact in artifacts:
        yield from (entry.path.rpartition("/")[2] for entry in artifact.entries)
        yield from (link.rpartition("/")[2] for link in artifact.links)
