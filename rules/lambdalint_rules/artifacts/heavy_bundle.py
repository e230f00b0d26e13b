"""A large package is fetched and unpacked at every cold start, whether it is used or not.

What no handler imports can stay out of it; what most of it belongs to is said here.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

from collections import Counter
from typing import Final

from lambdalint.facts.package_imports import PackageImports
from lambdalint.rule import Function, Problem, Problems, Profile, Severity, rule
from lambdalint_rules.artifacts.samples import sized_archive

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders.zip{mark}
      Handler: app.handler
      Runtime: python3.13
"""
MB = 1024 * 1024
LARGE = {"app.py": (200, 400), "pyarrow/libarrow.so": (6 * MB, 20 * MB)}
SMALL = {"app.py": (200, 400), "pyarrow/libarrow.so": (4 * MB, 20 * MB)}

_LIMIT_BYTES: Final = 5 * MB


@rule(
    "LU006",
    "heavy-bundle",
    severity=Severity.INFO,
    profile=Profile.STRICT,
    since="0.1.0",
    covers=("sls-mentor:lightBundle",),
    bad={"template.yaml": TEMPLATE.format(mark="  # finding"), "orders.zip": lambda: sized_archive(LARGE)},
    good={"template.yaml": TEMPLATE.format(mark=""), "orders.zip": lambda: sized_archive(SMALL)},
)
def check(function: Function, imports: PackageImports) -> Problems:
    artifact, code = function.artifact, function.code
    packed = artifact.packed_bytes if artifact else None
    if artifact is None or code is None or packed is None or packed <= _LIMIT_BYTES:
        return
    closure = imports.of_function(function)
    unreached: Counter[str] = Counter()
    for each in closure.files.values():
        name = each.distribution
        if not name or each.artifact.layer or name in closure.reached_distributions:
            continue
        if closure.reaches(each.artifact, each.entry) is False:
            unreached[name] += each.entry.packed_bytes or 0
    largest = ", ".join(f"{name} {_mb(size)}" for name, size in unreached.most_common(4) if size >= MB / 10)
    never = f"; {_mb(unreached.total())} MB belong to distributions the handler never imports: {largest}"
    yield Problem(
        code.span,
        f"the package has {_mb(packed)} MB compressed{never if largest else ''}",
        hint="leave out what the handler never imports" if largest else "inspect what it is made of",
    )


def _mb(size: int) -> str:
    return f"{size / MB:.0f}" if size >= 10 * MB else f"{size / MB:.1f}"
