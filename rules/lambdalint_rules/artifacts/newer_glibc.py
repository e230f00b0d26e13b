"""A native file loads only where the C and C++ libraries define every version of a symbol that it asks for.

Lambda has glibc 2.26 up to python3.11 (Amazon Linux 2) and 2.34 from python3.12 (Amazon Linux 2023).  A file built on
a newer system, or a wheel picked for one, fails at import with ``version `GLIBC_2.28' not found``.  The symbols in the
file decide, not the tag in the wheel's name.  An image has libraries of its own, which it is held against.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from lambdalint.aws.runtimes import runtime
from lambdalint.facts.native import NativeFile, NativeFiles, Need
from lambdalint.facts.package_imports import PackageImports
from lambdalint.rule import Artifact, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.image_samples import PACKED, with_native
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
      Runtime: {runtime}
"""
HANDLER = "import fast\n\ndef handler(event, context):\n    return fast.answer(event)\n"
GLIBC = {"lib64/libc.so.6": b"\x7fELF GNU C Library (GNU libc) stable release version 2.34.\n"}
NEWER = {"libc.so.6": ("GLIBC_2.38",)}
RECORD = "fast.abi3.so,,\nfast-2.1.0.dist-info/RECORD,,\n"


@rule(
    "LZ016",
    "newer-glibc",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE.format(runtime="python3.11"),
            "src/app.py": HANDLER,
            "src/fast-2.1.0.dist-info/RECORD": RECORD,
            "src/fast.abi3.so": partial(linux_library, versions={"libc.so.6": ("GLIBC_2.14", "GLIBC_2.28")}),
        },
        {
            "template.yaml": TEMPLATE.format(runtime="python3.13"),
            "src/app.py": HANDLER,
            "src/fast.abi3.so": partial(linux_library, versions={"libstdc++.so.6": ("GLIBCXX_3.4.32",)}),
        },
        {
            "template.yaml": PACKED.format(mark=""),
            "orders.tar": lambda: with_native({**GLIBC, "var/task/fast.so": linux_library(versions=NEWER)}),
        },
    ),
    good=(
        {
            "template.yaml": PACKED.format(mark=""),
            "orders.tar": lambda: with_native({"var/task/fast.so": linux_library(versions=NEWER)}),
        },
        {
            "template.yaml": TEMPLATE.format(runtime="python3.13"),
            "src/app.py": HANDLER,
            "src/fast-2.1.0.dist-info/RECORD": RECORD,
            "src/fast.abi3.so": partial(linux_library, versions={"libc.so.6": ("GLIBC_2.28",)}),
        },
        {
            "template.yaml": TEMPLATE.format(runtime="python3.11"),
            "src/app.py": HANDLER,
            "src/fast.abi3.so": partial(linux_library, versions={"libc.so.6": ("GLIBC_2.28",)}, weak=True),
        },
        {
            "template.yaml": TEMPLATE.format(runtime="python3.13"),
            "src/app.py": HANDLER,
            "src/fast.abi3.so": partial(linux_library, versions={"libstdc++.so.6": ("GLIBCXX_3.4.32",)}),
            "src/lib/libstdc++.so.6": linux_library,
        },
    ),
)
def check(artifact: Artifact, native: NativeFiles, imports: PackageImports) -> Problems:
    target = _target(artifact)
    if target is None or target.glibc is None:
        return
    newer: dict[NativeFile, tuple[str, Need, tuple[int, ...]]] = {}
    for file in loadable_files(artifact, native):
        above = next(_above(file, target, native), None)
        if above and file.runs_on(artifact.architecture):
            newer[file] = above
    for group in by_distribution(newer):
        worst = max(group, key=lambda file: (newer[file][0] == "GLIBC", newer[file][1].version))
        group = (worst, *(file for file in group if file is not worst))
        name, need, has = newer[worst]
        yield Problem(
            artifact.member(worst.entry),
            f"{worst.distribution or worst.path} needs {name}_{need.text}{others(group)}; "
            f"{target.title} with {'.'.join(map(str, has))}",
            hint=f"take a wheel for manylinux_{target.glibc[0]}_{target.glibc[1]} or older, as lambdalint package does",
            confidence=confidence(imports, artifact, (file.entry for file in group)),
        )


@dataclass(frozen=True, slots=True)
class _Target:
    """What an artifact is loaded on; *title* is a sentence up to the version of a library."""

    title: str
    glibc: tuple[int, ...] | None
    glibcxx: tuple[int, ...] | None
    cxxabi: tuple[int, ...] | None


def _target(artifact: Artifact) -> _Target | None:
    own = artifact.system
    if own is not None:
        return None if own.is_musl else _Target("the image comes", own.glibc, own.glibcxx, None)
    known = runtime(artifact.runtime) if artifact.runtime else None
    if known is None:
        return None
    return _Target(f"{known.name} runs on {known.system}", known.glibc, known.glibcxx, known.cxxabi)


def _above(file: NativeFile, target: _Target, native: NativeFiles) -> Iterator[tuple[str, Need, tuple[int, ...]]]:
    """The sets of symbols of which *file* asks for more than *target* has: the name, what it needs, what there is."""
    sets: list[tuple[str, Need | None, tuple[int, ...] | None]] = [("GLIBC", file.glibc, target.glibc)]
    if "libstdc++.so.6" not in native.bundled:
        sets += [("GLIBCXX", file.glibcxx, target.glibcxx), ("CXXABI", file.cxxabi, target.cxxabi)]
    for name, need, has in sets:
        if need and has and need.version > has:
            yield name, need, has
