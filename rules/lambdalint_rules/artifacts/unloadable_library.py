"""A native file loads only together with every library that it names, and those are few on Lambda.

Wheels may lean on libraries of a desktop (``libGL.so.1``), a build on what lay on the build machine (``libpq.so.5``),
and a package trimmed by hand may lack what ``auditwheel`` had put beside it.  A tool that strips files may break them:
then the loader says ``ELF load command address/offset not properly aligned``.

The loader looks where the file itself says (RUNPATH, RPATH), then along ``LD_LIBRARY_PATH``: the runtime's folders,
``/var/task``, ``/var/task/lib`` and ``/opt/lib``.  A file linked on the build machine may lead back there.

Which libraries a runtime has is published nowhere: of those that are neither known to be there nor to be missing, and
of code for newer processors or with an executable stack, findings say so with little confidence.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from lambdalint.aws.absent_libraries import absent_libraries
from lambdalint.aws.runtimes import is_python, runtime
from lambdalint.aws.system_libraries import has_library, likely_level, sure_level
from lambdalint.facts.native import NativeFile, NativeFiles
from lambdalint.facts.package_imports import PackageImports
from lambdalint.facts.surrounding import Company, Surroundings
from lambdalint.rule import Artifact, ArtifactKind, Confidence, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.library_search import Libraries, loads_by_hand, own_folders, sets_library_path
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
        {"template.yaml": TEMPLATE, "src/app.py": HANDLER, MODULE: partial(linux_library, executable_stack=True)},
        {"template.yaml": TEMPLATE, "src/app.py": HANDLER, MODULE: partial(linux_library, level=4)},
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            MODULE: partial(linux_library, needed=("libnobodyknows.so.3",)),
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            MODULE: partial(linux_library, needed=("librates.so.1",), search="/home/ann/orders/lib64"),
            "src/lib64/librates.so.1": linux_library,
        },
    ),
    good=(
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            MODULE: partial(linux_library, needed=("librates.so.1",), search="/home/ann/orders/lib64:$ORIGIN/lib64"),
            "src/lib64/librates.so.1": linux_library,
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": "import ctypes\nctypes.CDLL('lib64/librates.so.1')\n" + HANDLER,
            MODULE: partial(linux_library, needed=("librates.so.1",)),
            "src/lib64/librates.so.1": linux_library,
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            MODULE: partial(linux_library, needed=("librates.so.1", "libz.so.1"), level=2),
            "src/lib/librates.so.1": linux_library,
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            MODULE: partial(linux_library, needed=("libGL.so.1", "libfast-0a1b2c3d.so.1"), search="$ORIGIN/fast.libs"),
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
    for what, hint, full, files in _refused(loadable):
        for group in by_distribution(files):
            sure = confidence(imports, artifact, (file.entry for file in group), full)
            said = what.format(f"{group[0].path}{others(group)}")
            yield Problem(artifact.member(group[0].entry), said, hint=hint, confidence=sure)
    companies = surroundings.companies(artifact)
    # What the base of an image has is the image's own affair.
    if not loadable or artifact.kind is ArtifactKind.IMAGE or not all(each.complete for each in companies):
        return
    loaded = list(_loaded(loadable))
    at_start = [file for file in loaded if not _is_imported_late(file, artifact, imports)]
    there = [Libraries.of(each.artifacts) for each in companies]
    for missing in (
        _lacking(loaded, native, there, target.system),
        _unknown(at_start, native, there, target.system),
        _elsewhere(at_start, native, artifact, companies, there),
    ):
        for group in by_distribution(missing.names):
            names = tuple(dict.fromkeys(name for file in group for name in missing.names[file]))
            said = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
            yield Problem(
                artifact.member(group[0].entry),
                f"{group[0].path}{others(group)} needs {said}, {missing.why(group[0], names[0])}",
                hint=next((each for name in names if (each := missing.advice.get(name))), missing.hint),
                confidence=confidence(imports, artifact, (file.entry for file in group), missing.confidence),
            )


@dataclass(frozen=True, slots=True)
class _Missing:
    """Libraries by the file that asks for them, and what is to be said of them."""

    names: Mapping[NativeFile, tuple[str, ...]]
    why: Callable[[NativeFile, str], str]
    confidence: Confidence
    hint: str = "put the library into lib/ of the package"
    advice: Mapping[str, str] = field(default_factory=dict)


def _refused(files: list[NativeFile]) -> Iterator[tuple[str, str, Confidence, list[NativeFile]]]:
    """What the loader refuses whatever lies beside it: what to say, how sure that is, and the files."""
    yield (
        "a segment of {} is not aligned as the loader wants it",
        "take the file as its wheel has it, or strip it by another tool",
        Confidence.HIGH,
        [file for file in files if file.misaligned],
    )
    yield (
        "{} asks for a stack that holds code, which a system may refuse",
        "link it with -z noexecstack, or clear the flag: patchelf --clear-execstack",
        Confidence.LOW,
        [file for file in files if file.executable_stack],
    )
    for level in range(sure_level() + 1, likely_level() + 2):
        yield (
            f"{{}} needs a processor for x86-64-v{level}; AWS promises AVX2 and no more",
            f"build it for x86-64-v{sure_level()}",
            Confidence.LOW if level <= likely_level() else Confidence.MEDIUM,
            [file for file in files if file.level == level],
        )


def _lacking(files: list[NativeFile], native: NativeFiles, there: list[Libraries], system: str) -> _Missing:
    """What is known to be missing: libraries that the system does not have, and those that a wheel had beside it."""
    absent = absent_libraries(system)
    return _Missing(
        _not_there(files, native, there, lambda name: name in absent or _OF_THE_WHEEL.fullmatch(name) is not None),
        lambda file, name: f"which neither the package, its layers nor {system} has",
        Confidence.MEDIUM,
        advice=absent,
    )


def _unknown(files: list[NativeFile], native: NativeFiles, there: list[Libraries], system: str) -> _Missing:
    """Libraries of which nobody knows that the system has them."""
    absent = absent_libraries(system)
    return _Missing(
        _not_there(
            files,
            native,
            there,
            lambda name: not (name in absent or _OF_THE_WHEEL.fullmatch(name) or has_library(system, name)),
        ),
        lambda file, name: f"which neither the package nor its layers have, and {system} perhaps not",
        Confidence.LOW,
    )


def _not_there(
    files: list[NativeFile], native: NativeFiles, there: list[Libraries], wanted: Callable[[str], bool]
) -> Mapping[NativeFile, tuple[str, ...]]:
    sonames = {other.soname for other in native.files}
    found = {
        file: tuple(
            name
            for name in file.needed
            if wanted(name) and name not in sonames and any(not each.has(name) for each in there)
        )
        for file in files
    }
    return {file: names for file, names in found.items() if names}


def _elsewhere(
    files: list[NativeFile],
    native: NativeFiles,
    artifact: Artifact,
    companies: tuple[Company, ...],
    there: list[Libraries],
) -> _Missing:
    """Libraries of the package that no file which asks for them has the loader look for where they are.

    Of what lies elsewhere in a layer, misplaced-layer-content speaks.
    """
    found: dict[NativeFile, tuple[str, ...]] = {}
    for company, libraries in zip(companies, there, strict=True):
        if sets_library_path(company.function):
            continue
        # What one file has the loader find is there for all others, and an RPATH holds for what is loaded through it.
        own = {folder for file in native.files for folder in own_folders(file, artifact)}
        loaded = {name for file in files for name in file.needed if libraries.finds(name, own)}
        for file in files:
            names = tuple(name for name in file.needed if libraries.in_packages(name) and name not in loaded)
            if names and file not in found and not loads_by_hand(file, artifact):
                found[file] = names

    def why(file: NativeFile, name: str) -> str:
        folders = sorted(folder for each in there for folder in each.folders.get(name, ()))
        looked = f"; its own path leads to {':'.join(file.search)}" if file.search else ""
        return f"which is unpacked into {folders[0]}, where the loader does not look{looked}"

    return _Missing(found, why, Confidence.MEDIUM)


def _is_imported_late(file: NativeFile, artifact: Artifact, imports: PackageImports) -> bool:
    """Whether it is a module that handlers import within functions at most: a plugin, if it is there."""
    closures = imports.of_artifact(artifact) if file.module else ()
    return bool(closures) and all(
        each.reaches(artifact, file.entry) is not None and each.path_of(artifact, file.entry) not in each.closure.init
        for each in closures
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
