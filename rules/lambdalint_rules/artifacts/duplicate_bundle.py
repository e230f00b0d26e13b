"""Functions that share one bundle all carry what any of them needs.

Each then starts slower than it must, and each is deployed when any part changes.

Source: https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html
"""

from collections.abc import Mapping
from typing import Final

from lambdalint.facts.package_imports import ImportClosure, PackageImports
from lambdalint.rule import Problem, Problems, Profile, Project, Severity, Template, rule
from lambdalint_rules.artifacts.samples import member, written

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: shop.zip{mark}
      Handler: orders.handler
      Runtime: python3.13
  Invoices:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: shop.zip
      Handler: {handler}.handler
      Runtime: python3.13
"""
TABLE = b"x = 1\n" * 250_000
BUNDLE: Mapping[str, bytes] = {
    "orders.py": b"import prices, rates\n\ndef handler(event, context): ...\n",
    "invoices.py": b"import letters, forms\n\ndef handler(event, context): ...\n",
    **dict.fromkeys(("prices.py", "rates.py", "letters.py", "forms.py"), TABLE),
}

#: Smaller bundles cost nobody anything.
_WORTH_BYTES: Final = 5 * 1024 * 1024
_MB: Final = 1024 * 1024


def _bundle() -> bytes:
    return written((member(path), content) for path, content in BUNDLE.items())


@rule(
    "LU005",
    "duplicate-bundle",
    severity=Severity.INFO,
    profile=Profile.STRICT,
    since="0.1.0",
    covers=("sls-mentor:noMonoPackage",),
    bad={"template.yaml": TEMPLATE.format(mark="  # finding", handler="invoices"), "shop.zip": _bundle},
    good={"template.yaml": TEMPLATE.format(mark="", handler="orders"), "shop.zip": _bundle},
)
def check(template: Template, project: Project, imports: PackageImports) -> Problems:
    bundles: dict[str, list[ImportClosure]] = {}
    for function in project.functions:
        artifact = function.artifact
        if function.template == template.path and artifact and artifact.unpacked_bytes > _WORTH_BYTES:
            closure = imports.of_function(function)
            if closure.complete:
                bundles.setdefault(artifact.path, []).append(closure)
    for path, closures in bundles.items():
        if len(closures) < 2 or len({closure.reached for closure in closures}) < 2:
            continue
        whole = sum(each.entry.size for each in closures[0].files.values() if each.artifact.path == path)
        used = sorted(_used(closure, path) for closure in closures)
        code = closures[0].function.code
        if used[-1] < whole and code is not None:
            span = f"{_mb(used[0])} to {_mb(used[-1])}" if _mb(used[0]) != _mb(used[-1]) else _mb(used[0])
            yield Problem(
                code.span,
                f"{len(closures)} functions ship the same bundle of {_mb(whole)} MB and use {span} MB of it: "
                f"{', '.join(closure.function.name for closure in closures[:4])}{', …' if len(closures) > 4 else ''}",
                hint="package each with what it imports",
            )


def _used(closure: ImportClosure, path: str) -> int:
    """The bytes of the bundle that *closure* reaches, or may."""
    return sum(
        each.entry.size
        for each in closure.files.values()
        if each.artifact.path == path and closure.reaches(each.artifact, each.entry) is not False
    )


def _mb(size: int) -> str:
    return f"{size / _MB:.0f}" if size >= 10 * _MB else f"{size / _MB:.1f}"
