"""Lambda looks for the handler's module at the root of what it unpacks.

Packing the folder instead of what is in it puts everything one level too deep, and an archive that a pipeline hands on
is packed once more; the function then fails with ``No module named``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

from lambdalint.aws.runtimes import is_python
from lambdalint.facts.wrapping import packed_twice, wrapping_folder
from lambdalint.rule import Artifact, ArtifactKind, Known, Problem, Problems, Project, Severity, Span, rule
from lambdalint_rules.artifacts.samples import archive
from lambdalint_rules.artifacts.users import functions_of

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: orders.zip{mark}
      Handler: {handler}
      Runtime: python3.13
"""
BAD = TEMPLATE.format(mark="  # finding", handler="app.handler")
APP = b"def handler(event, context): ...\n"

#: What the plugin serverless-python-requirements makes with zip: true, and what unpacks it.
#: Source: https://github.com/serverless/serverless-python-requirements
_REQUIREMENTS: Final = ".requirements.zip"
_LOADER: Final = "unzip_requirements.py"


@rule(
    "LZ006",
    "wrapped-in-folder",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": BAD, "orders.zip": partial(archive, {"orders/app.py": APP, "orders/rates.py": b"EUR = 1\n"})},
        {"template.yaml": BAD, "orders.zip": lambda: archive({"orders.zip": archive({"app.py": APP})})},
        {
            "template.yaml": BAD,
            "orders.zip": lambda: archive({"app.py": APP, _REQUIREMENTS: archive({"requests/__init__.py": b""})}),
        },
    ),
    good=(
        {
            "template.yaml": TEMPLATE.format(mark="", handler="orders.app.handler"),
            "orders.zip": partial(archive, {"orders/app.py": APP}),
        },
        {
            "template.yaml": TEMPLATE.format(mark="", handler="app.handler"),
            "orders.zip": partial(archive, {"app.py": APP, "orders/app.py": APP}),
        },
    ),
)
def check(artifact: Artifact, project: Project) -> Problems:
    if artifact.kind is ArtifactKind.FOLDER:
        return
    at = artifact.source or Span.whole(artifact.path)
    paths = {entry.path for entry in artifact.entries}
    inner = packed_twice(artifact)
    if inner:
        yield Problem(
            at,
            f"the only file in the archive is another archive, {inner.path}; Lambda does not unpack it",
            hint="deploy the inner archive",
        )
    elif _REQUIREMENTS in paths and _LOADER not in paths:
        yield Problem(
            at,
            f"the archive holds {_REQUIREMENTS} without {_LOADER}, which unpacks it when the function starts",
            hint="let serverless-python-requirements make both, or deploy what is in it",
        )
    for module in dict.fromkeys(_handler_modules(artifact, project)):
        top = wrapping_folder(artifact, module)
        if top:
            yield Problem(
                at,
                f"everything lies under {top}/; the handler's module {module} is expected at the root of the archive",
                hint="pack what is in the folder, from inside it (zip -r), or let lambdalint package do it",
            )


def _handler_modules(artifact: Artifact, project: Project) -> Iterator[str]:
    """The paths of the handlers' modules without their extension, in a package of Python."""
    if artifact.layer or not (artifact.runtime and is_python(artifact.runtime)):
        return
    for function in functions_of(artifact, project):
        if isinstance(function.handler, Known) and "." in str(function.handler.value):
            yield str(function.handler.value).rpartition(".")[0].replace(".", "/")
