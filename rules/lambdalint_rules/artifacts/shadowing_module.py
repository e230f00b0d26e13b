"""The function's own folder comes first on Python's path, so a file in it can take the place of another module.

``random.py`` beside the handler is what every package gets that imports the standard library's ``random``; old
backports do the same.  A module and a package of one name hide one another likewise, and so does a namespace that a
layer and the function share when one of them makes a package of it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
"""

from collections.abc import Mapping

from lambdalint.aws.stdlib_modules import frozen_modules, stdlib_modules
from lambdalint.facts.package_imports import TASK, ImportClosure, PackageImports
from lambdalint.rule import Artifact, Confidence, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.native_groups import python_version
from lambdalint_rules.artifacts.samples import archive

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
LAYERED = f"""{TEMPLATE}\
      Layers: [!Ref Shared]
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: shared.zip
"""
APP = b"import random\nimport rates\n\ndef handler(event, context): ...\n"
RATES = {
    "rates/__init__.py": b"import random\n",
    "rates-1.0.dist-info/RECORD": b"rates/__init__.py,,\nrates-1.0.dist-info/RECORD,,\n",
}


@rule(
    "LZ011",
    "shadowing-module",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    covers=("ruff:A005",),
    bad=(
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, "random.py": b"", **RATES})},
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, "app/__init__.py": b"", **RATES})},
        {
            "template.yaml": LAYERED,
            "orders.zip": lambda: archive({"app.py": b"import shop.rates\n", "shop/__init__.py": b""}),
            "shared.zip": lambda: archive({"python/shop/rates.py": b""}),
        },
    ),
    good=(
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, **RATES})},
        {"template.yaml": TEMPLATE, "orders.zip": lambda: archive({"app.py": APP, "queue.py": b"", **RATES})},
        {
            "template.yaml": LAYERED,
            "orders.zip": lambda: archive({"app.py": b"import shop.rates\n", "shop/orders.py": b""}),
            "shared.zip": lambda: archive({"python/shop/rates.py": b""}),
        },
    ),
)
def check(artifact: Artifact, imports: PackageImports) -> Problems:
    python = python_version(artifact)
    seen: set[str] = set()
    for closure in imports.of_artifact(artifact):
        if python is None or not closure.start:
            continue
        standard = stdlib_modules(python) - frozen_modules()
        found = {**_hidden(closure), **_cut_namespaces(closure), **_standard(closure, standard)}
        for path, message in found.items():
            packaged = closure.files[path]
            if packaged.artifact.path == artifact.path and path not in seen:
                seen.add(path)
                yield Problem(artifact.member(packaged.entry), message, hint="give it another name")


def _standard(closure: ImportClosure, standard: frozenset[str]) -> Mapping[str, str]:
    """The modules in the place of those of the standard library that somebody else's code imports."""
    found = {}
    importers = closure.importers()
    for name in closure.index.submodules(""):
        located = closure.index.find(name) if name in standard else None
        if located is None or not located.paths:
            continue
        own = closure.files[located.paths[0]].distribution
        others = [path for path in importers.get(name, ()) if closure.files[path].distribution != own]
        if others:
            by = f" of {own}" if own else ""
            found[located.paths[0]] = (
                f"{_short(located.paths[0])}{by} takes the place of the standard library's {name}, which "
                f"{_short(others[0])} imports"
            )
    return found


def _hidden(closure: ImportClosure) -> Mapping[str, str]:
    """Modules that are hidden by a package of the same name beside them."""
    found = {}
    for module in closure.start[:1]:
        top = module.partition(".")[0]
        package = f"{TASK}{top}/__init__.py"
        if f"{TASK}{top}.py" in closure.files and package in closure.files:
            by = closure.files[package].distribution
            found[package] = (
                f"the package {top}/{f' of {by}' if by else ''} takes the place of the handler's module {top}.py"
            )
    return found


def _cut_namespaces(closure: ImportClosure) -> Mapping[str, str]:
    """Packages that hide what another root has under their name, though something imports that."""
    found = {}
    for missing, importer in closure.closure.missing.items():
        top, _, rest = missing.partition(".")
        located = closure.index.find(top) if rest else None
        if located is None or not located.paths:
            continue
        inner = rest.replace(".", "/")
        for root in closure.index.roots:
            other = next(
                (
                    path
                    for path in (f"{root}{top}/{inner}.py", f"{root}{top}/{inner}/__init__.py")
                    if path in closure.files
                ),
                None,
            )
            if other and not located.folders[0].startswith(f"{root}{top}/"):
                found[located.paths[0]] = (
                    f"{_short(located.paths[0])} makes {top} a package of one place, and hides {other}, which "
                    f"{_short(importer) or 'Lambda'} imports"
                )
    return found


def _short(path: str) -> str:
    return path.removeprefix(TASK)
