"""A package without files, or with files that hold nothing.

Lambda refuses an archive without entries; one with nothing but folders, with no Python for a Python runtime, or with
files that a broken copy left as zero bytes fails at the first invocation.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-function-zip.html
"""

from functools import partial
from typing import Final

from lambdalint.aws.runtimes import is_python
from lambdalint.facts.content import is_zeros
from lambdalint.facts.wrapping import packed_twice
from lambdalint.rule import Artifact, ArtifactKind, Entry, Known, Problem, Problems, Project, Severity, Span, rule
from lambdalint_rules.artifacts.entry_names import and_more
from lambdalint_rules.artifacts.samples import archive
from lambdalint_rules.artifacts.users import functions_of

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
REPLACED_LATER = """\
resource "aws_lambda_function" "orders" {
  function_name = "orders"
  filename      = "placeholder.zip"
  handler       = "app.handler"
  runtime       = "python3.13"
  role          = var.role
  lifecycle {
    ignore_changes = [filename, source_code_hash]
  }
}
"""
BAD = TEMPLATE.format(mark="  # finding")
APP = b"def handler(event, context): ...\n"

#: What says in Terraform that the code has changed.
_CODE_ARGUMENTS: Final = ("all", "filename", "source_code_hash")
_PYTHON: Final = (".py", ".pyc", ".so")
#: Of these files none begins with a zero byte, let alone goes on with them.
_NEVER_ZERO: Final = frozenset((".py", ".pyc", ".so", ".json", ".yaml", ".yml", ".toml", ".txt", ".pem", ".js", ".sh"))
_LARGEST: Final = 16 * 1024 * 1024


@rule(
    "LZ007",
    "empty-artifact",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": BAD, "orders.zip": partial(archive, {})},
        {"template.yaml": BAD, "orders.zip": partial(archive, {"app/": b"", "lib/": b""})},
        {"template.yaml": BAD, "orders.zip": partial(archive, {"readme.txt": b"replace me\n"})},
        {"template.yaml": BAD, "orders.zip": partial(archive, {"app.py": b""})},
        {"template.yaml": BAD, "orders.zip": partial(archive, {"app.py": APP, "rates.py": bytes(4096)})},
    ),
    good=(
        {
            "template.yaml": TEMPLATE.format(mark=""),
            "orders.zip": partial(archive, {"app.py": APP, "__init__.py": b""}),
        },
        {
            "template.yaml": TEMPLATE.format(mark=""),
            "orders.zip": lambda: archive({"orders.zip": archive({"app.py": APP})}),  # wrapped-in-folder says it
        },
    ),
)
def check(artifact: Artifact, project: Project) -> Problems:
    is_part = artifact.system is not None or artifact.kind is ArtifactKind.FOLDER
    if artifact.is_unreadable or is_part or _is_replaced_later(artifact, project):
        return
    at = artifact.source or Span.whole(artifact.path)
    what = _emptiness(artifact, project)
    if what:
        yield Problem(at, what, hint="build the package before it is deployed: lambdalint package")
        return
    zeros = [
        entry
        for entry in artifact.entries
        if entry.suffix in _NEVER_ZERO and entry.size <= _LARGEST and is_zeros(entry)
    ]
    if zeros:
        yield Problem(
            at,
            f"{zeros[0].path} holds {zeros[0].size:,} zero bytes and nothing else{and_more(zeros)}, as after a copy "
            "that was broken off",
            hint="copy or build it again",
        )


def _is_replaced_later(artifact: Artifact, project: Project) -> bool:
    """Whether Terraform makes the function with a placeholder, and leaves its code alone from then on."""
    for function in functions_of(artifact, project):
        match function.resource.metadata.get("ignore_changes"):
            case Known(tuple() as names):
                if any(isinstance(each, Known) and each.value in _CODE_ARGUMENTS for each in names):
                    return True
    return False


def _emptiness(artifact: Artifact, project: Project) -> str | None:
    container = "archive" if artifact.kind is ArtifactKind.ZIP else "package"
    entries = artifact.entries
    if not entries:
        return f"the {container} has {'only folders' if artifact.records else 'no files'}"
    if not any(entry.size for entry in entries):
        return f"the {container} has no content: {_files(entries)} of zero bytes"
    if packed_twice(artifact):
        return None
    is_code = not artifact.layer and artifact.runtime is not None and is_python(artifact.runtime)
    if is_code and not any(entry.path.endswith(_PYTHON) for entry in entries) and not _has_layers(artifact, project):
        return f"the {container} has {_files(entries)} and none of Python, which {artifact.function} runs"
    return None


def _files(entries: tuple[Entry, ...]) -> str:
    return f"{len(entries):,} file{'s' if len(entries) > 1 else ''}"


def _has_layers(artifact: Artifact, project: Project) -> bool:
    return any(
        not (each.layers is None or (isinstance(each.layers, Known) and not each.layers.value))
        for each in functions_of(artifact, project)
    )
