"""A folder of sources is deployed as it lies there unless something builds it.

``aws cloudformation package``, ``archive_file`` of Terraform and assets without bundling pack the folder and install
nothing: what its ``requirements.txt`` lists is missing on Lambda.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""

from typing import Final

from lambdalint.aws.provided_modules import provided_modules
from lambdalint.aws.runtimes import runtime
from lambdalint.aws.stdlib_modules import stdlib_modules
from lambdalint.facts.package_imports import TASK, PackageImports
from lambdalint.facts.requirements import Requirements, listed_requirements
from lambdalint.rule import (
    ArtifactKind,
    Code,
    CodeKind,
    Confidence,
    Dialect,
    Function,
    Known,
    Problem,
    Problems,
    Project,
    Severity,
    rule,
)

TEMPLATE = """\
Resources:
  Orders:
    Type: AWS::Lambda::Function
    Properties:
      Code: src/{mark}
      Handler: app.handler
      Runtime: python3.13
      Role: !Ref Role
"""
SERVICE = """\
service: shop
provider: {{name: aws, runtime: python3.13}}
plugins: [{plugin}]
functions:
  orders:{mark}
    handler: app.handler
"""
APP = "import requests\n\ndef handler(event, context): ...\n"

_MANIFEST: Final = "requirements.txt"
_BUILDING: Final = (Dialect.SAM, Dialect.CHALICE, Dialect.ZAPPA)


@rule(
    "LZ014",
    "unbuilt-source",
    severity=Severity.WARNING,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        {
            "template.yaml": TEMPLATE.format(mark="  # finding"),
            "src/app.py": APP,
            "src/requirements.txt": "requests==2.32.5\nhttpx[http2]>=0.28\n",
        },
        {
            "serverless.yml": SERVICE.format(plugin="serverless-offline", mark="  # finding"),
            "app.py": APP,
            "requirements.txt": "requests==2.32.5\n",
        },
    ),
    good=(
        {
            "serverless.yml": SERVICE.format(plugin="serverless-python-requirements", mark=""),
            "app.py": APP,
            "requirements.txt": "requests==2.32.5\n",
        },
        {
            "template.yaml": TEMPLATE.format(mark=""),
            "src/app.py": APP,
            "src/requirements.txt": "requests==2.32.5\n",
            "src/requests/__init__.py": "",
        },
        {
            "template.yaml": TEMPLATE.format(mark=""),
            "src/app.py": "import boto3\n\ndef handler(event, context): ...\n",
            "src/requirements.txt": "boto3\n",
        },
        {
            "template.yaml": "Transform: AWS::Serverless-2016-10-31\n"
            + TEMPLATE.format(mark="").replace("Lambda::", "Serverless::").replace("Code:", "CodeUri:"),
            "src/app.py": APP,
            "src/requirements.txt": "requests==2.32.5\n",
        },
    ),
)
def check(function: Function, project: Project, imports: PackageImports) -> Problems:
    artifact, code = function.artifact, function.code
    if artifact is None or artifact.kind is not ArtifactKind.FOLDER or function.dialect in _BUILDING:
        return
    if not isinstance(code, Code) or code.kind is not CodeKind.FOLDER or code.picked or code.installs:
        return
    if not function.layers_complete or not _is_first(function, code, project):
        return
    known = runtime(str(function.runtime.value)) if isinstance(function.runtime, Known) else None
    manifest = next((entry for entry in artifact.entries if entry.path == _MANIFEST), None)
    if manifest is None or known is None or known.version is None:
        return
    closure = imports.of_function(function)
    there = stdlib_modules(known.version) | provided_modules()
    lacking = [
        name
        for name, importer in closure.closure.missing.items()
        if importer.startswith(TASK) and name.partition(".")[0] not in there and not name.startswith("_")
    ]
    installed = set(Requirements.of(artifact).metadata)
    for layer in function.local_layers:
        if layer.artifact is None:
            return
        installed |= set(Requirements.of(layer.artifact).metadata)
    wanted = [name for name in listed_requirements(manifest) if name not in installed]
    if not wanted or not lacking:
        return
    more = f" and {len(wanted) - 1} other{'s' if len(wanted) > 2 else ''}" if len(wanted) > 1 else ""
    yield Problem(
        code.span,
        f"{code.path or '.'}/ has a {_MANIFEST} and is deployed as it is: {function.name} imports {lacking[0]}, and "
        f"lacks {wanted[0]}{more}",
        hint="install into the folder that is packed, or build it with lambdalint package",
    )


def _is_first(function: Function, code: Code, project: Project) -> bool:
    """Whether no function before *function* is packed from the same folder by the same template."""
    for other in project.functions:
        if other.template == function.template and other.code is not None and other.code.path == code.path:
            return other is function
    return True
