"""Lambda unpacks a function and all its layers into 250 MB together, and refuses more.

Its own message counts what is left after the layers, which confuses; this one gives the sum and what takes most of it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from functools import partial

from lambdalint.aws.limits import limit
from lambdalint.facts.sizes import UnpackedSizes
from lambdalint.rule import Function, Problem, Problems, Severity, rule
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
      Layers: [!Ref Tables]
  Tables:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: tables.zip
"""
MB = 1024 * 1024
FUNCTION = {"settings.json": (200, 400), "pyarrow/libarrow.so": (5 * MB, 176 * MB), "numpy/core.so": (MB, 25 * MB)}
SMALLER = {path: size for path, size in FUNCTION.items() if not path.startswith("numpy")}
LAYER = {"python/pandas/lib.so": (2 * MB, 63 * MB)}


@rule(
    "LZ009",
    "oversized-function",
    severity=Severity.ERROR,
    since="0.1.0",
    bad={
        "template.yaml": TEMPLATE.format(mark="  # finding"),
        "orders.zip": partial(sized_archive, FUNCTION),
        "tables.zip": partial(sized_archive, LAYER),
    },
    good={
        "template.yaml": TEMPLATE.format(mark=""),
        "orders.zip": partial(sized_archive, SMALLER),
        "tables.zip": partial(sized_archive, LAYER),
    },
)
def check(function: Function, sizes: UnpackedSizes) -> Problems:
    allowed = limit("artifact", "unpacked", "max_bytes")
    if sizes.is_image or sizes.total_bytes <= allowed:
        return
    largest = ", ".join(f"{name} {_mb(size)}" for name, size in sizes.largest(4) if size >= MB)
    parts = (
        f"function {_mb(sizes.function_bytes)} MB + layers {_mb(sizes.layer_bytes)} MB = " if sizes.layer_bytes else ""
    )
    total = f"{'' if sizes.complete else 'at least '}{_mb(sizes.total_bytes)} MB unzipped"
    yield Problem(
        function.code.span if function.code else function.span,
        f"{parts}{total}; {_mb(allowed)} MB ({allowed:,} bytes) are allowed: {largest}",
        hint="leave out tests, debug information and what no handler imports, or use a container image (10 GB)",
    )


def _mb(size: int) -> str:
    return f"{size / MB:.0f}" if size >= 10 * MB else f"{size / MB:.1f}"
