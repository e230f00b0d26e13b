"""The name of a compiled module says for which Python it is made, and another Python does not look at it.

``fast.cpython-311-x86_64-linux-gnu.so`` is imported by CPython 3.11 only: after a change of the runtime, or with
dependencies installed by another Python, ``import fast`` raises ``ModuleNotFoundError``.  Modules for the stable ABI
(``.abi3.so``) serve every later Python.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""

from functools import partial

from lambdalint.facts.native import Abi, NativeFiles
from lambdalint.facts.package_imports import PackageImports
from lambdalint.rule import Artifact, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.image_samples import PACKED, with_native
from lambdalint_rules.artifacts.native_groups import by_distribution, loadable_files, others, python_version
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
RECORD = "fast.abi3.so,,\nfast-2.1.0.dist-info/WHEEL,,\nfast-2.1.0.dist-info/RECORD,,\n"
WHEEL = "Wheel-Version: 1.0\nTag: {tag}-abi3-manylinux_2_28_x86_64\n"


@rule(
    "LZ017",
    "foreign-abi",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            "src/fast.cpython-311-x86_64-linux-gnu.so": linux_library,
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            "src/fast.cpython-313t-x86_64-linux-gnu.so": linux_library,
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            "src/fast.abi3.so": linux_library,
            "src/fast-2.1.0.dist-info/WHEEL": WHEEL.format(tag="cp314"),
            "src/fast-2.1.0.dist-info/RECORD": RECORD,
        },
        {
            "template.yaml": PACKED.format(mark=""),
            "orders.tar": lambda: with_native({"var/task/fast.cpython-311-x86_64-linux-gnu.so": linux_library()}),
        },
    ),
    good=(
        {
            "template.yaml": PACKED.format(mark=""),
            "orders.tar": lambda: with_native({"var/task/fast.cpython-313-x86_64-linux-gnu.so": linux_library()}),
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            "src/fast.cpython-311-x86_64-linux-gnu.so": linux_library,
            "src/fast.cpython-313-x86_64-linux-gnu.so": linux_library,
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            "src/fast.abi3.so": linux_library,
            "src/fast-2.1.0.dist-info/WHEEL": WHEEL.format(tag="cp39"),
            "src/fast-2.1.0.dist-info/RECORD": RECORD,
        },
        {
            "template.yaml": TEMPLATE,
            "src/app.py": HANDLER,
            "src/fast.py": "def answer(event):\n    return event\n",
            "src/fast.cpython-311-x86_64-linux-gnu.so": linux_library,
            "src/native/libfast.so": partial(linux_library, versions={"libc.so.6": ("GLIBC_2.17",)}),
        },
    ),
)
def check(artifact: Artifact, native: NativeFiles, imports: PackageImports) -> Problems:
    python = python_version(artifact)
    if python is None:
        return
    foreign = [
        file
        for file in loadable_files(artifact, native)
        if file.abi and not _takes(python, file.abi) and file.runs_on(artifact.architecture)
    ]
    for group in by_distribution(foreign):
        abi = group[0].abi
        made_for = f"{abi.title}{' and later' if abi.implementation == 'abi3' else ''}" if abi else ""
        yield Problem(
            artifact.member(group[0].entry),
            f"{group[0].path} is made for {made_for}{others(group)}; {artifact.runtime} cannot import it",
            hint=f"install the dependencies for {artifact.runtime}, as lambdalint package does",
            confidence=confidence(imports, artifact, (file.entry for file in group)),
        )


def _takes(python: tuple[int, int], abi: Abi) -> bool:
    if abi.implementation == "abi3":
        # Which Pythons will take a stable ABI for free-threaded builds is not settled.
        return abi.threaded or abi.version is None or abi.version <= python
    return abi.implementation == "cpython" and abi.version == python and not abi.threaded
