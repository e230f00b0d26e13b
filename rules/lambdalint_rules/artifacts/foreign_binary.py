"""Lambda runs Linux on one architecture, and loads native code made for just that.

A package installed on a Mac, or for the other architecture, holds files that fail at import with ``invalid ELF
header`` or ``cannot open shared object file``.  Files linked with musl come from Alpine and fail likewise, but in an
image that has musl itself, where those for glibc fail.  A file that another one stands in for, such as the Python
source beside a compiled module of another platform, is no fault.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""

from dataclasses import replace
from functools import partial

from lambdalint.facts.native import Format, NativeFile, NativeFiles
from lambdalint.facts.package_imports import PackageImports
from lambdalint.rule import Artifact, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.image_samples import PACKED, with_native
from lambdalint_rules.artifacts.native_groups import by_distribution, loadable_files, others
from lambdalint_rules.artifacts.reached import confidence
from lambdalint_rules.artifacts.samples import archive, linux_library, macos_library, windows_library

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: {code}
      Handler: app.handler
      Runtime: python3.13
      Architectures: [{architecture}]
"""
HANDLER = "import fast\n\ndef handler(event, context):\n    return fast.answer(event)\n"
FOLDER = TEMPLATE.format(code="src/", architecture="x86_64")


@rule(
    "LZ015",
    "foreign-binary",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {
            "template.yaml": FOLDER,
            "src/app.py": HANDLER,
            "src/fast.cpython-313-darwin.so": partial(macos_library, "arm64"),
        },
        {
            "template.yaml": FOLDER,
            "src/app.py": HANDLER,
            "src/fast.so": partial(linux_library, "arm64"),
        },
        {
            "template.yaml": TEMPLATE.format(code="orders.zip", architecture="arm64"),
            "orders.zip": lambda: archive({"app.py": HANDLER.encode(), "fast.abi3.so": linux_library("x86_64")}),
        },
        {
            "template.yaml": FOLDER,
            "src/app.py": HANDLER,
            "src/fast.cpython-313-x86_64-linux-gnu.so": partial(linux_library, needed=("libc.musl-x86_64.so.1",)),
        },
        {
            "template.yaml": PACKED.format(mark=""),
            "orders.tar": lambda: with_native({"var/task/fast.so": linux_library("arm64")}),
        },
    ),
    good=(
        {
            "template.yaml": PACKED.format(mark=""),
            "orders.tar": lambda: with_native({"var/task/fast.so": linux_library()}),
        },
        {
            "template.yaml": PACKED.format(mark=""),
            "orders.tar": lambda: with_native(
                {
                    "lib/ld-musl-x86_64.so.1": b"\x7fELF",
                    "var/task/fast.so": linux_library(needed=("libc.musl-x86_64.so.1",)),
                }
            ),
        },
        {
            "template.yaml": FOLDER,
            "src/app.py": HANDLER,
            "src/fast.cpython-313-x86_64-linux-gnu.so": linux_library,
            "src/fast.cpython-313-darwin.so": partial(macos_library, "arm64", "x86_64"),
        },
        {
            "template.yaml": FOLDER,
            "src/app.py": HANDLER,
            "src/fast.py": "def answer(event):\n    return event\n",
            "src/fast.cpython-313-darwin.so": partial(macos_library, "arm64"),
        },
        {
            "template.yaml": FOLDER,
            "src/app.py": HANDLER,
            "src/fast.py": "import ctypes\n",
            "src/native/linux-x86_64/libfast.so": linux_library,
            "src/native/linux-aarch64/libfast.so": partial(linux_library, "arm64"),
            "src/native/darwin/libfast.dylib": partial(macos_library, "arm64", "x86_64"),
            "src/native/win-amd64/fast.dll": windows_library,
        },
    ),
)
def check(artifact: Artifact, native: NativeFiles, imports: PackageImports) -> Problems:
    target = f"Linux {artifact.architecture}" if artifact.architecture else "Linux on x86_64 or arm64"
    if artifact.system and artifact.system.is_musl:
        target += " with musl"
    foreign = [file for file in loadable_files(artifact, native) if file.machines and _is_foreign(file, artifact)]
    for group in by_distribution(foreign):
        yield Problem(
            artifact.member(group[0].entry),
            f"{group[0].path} is {_kind(group[0])}{others(group)}; {artifact.function or 'Lambda'} runs {target}",
            hint=f"install for the target: pip install --platform manylinux2014_{_wheel_machine(artifact)} "
            "--only-binary=:all:, or lambdalint package",
            confidence=confidence(imports, artifact, (file.entry for file in group)),
        )


def _is_foreign(file: NativeFile, artifact: Artifact) -> bool:
    if artifact.system is None or not artifact.system.is_musl:
        return not file.runs_on(artifact.architecture)
    return file.glibc is not None or not replace(file, musl=False).runs_on(artifact.architecture)


def _kind(file: NativeFile) -> str:
    if file.format is Format.ELF and file.bits == 32:
        return f"a 32-bit {file.title}"
    return f"a {file.title}"


def _wheel_machine(artifact: Artifact) -> str:
    return "aarch64" if artifact.architecture == "arm64" else "x86_64"
