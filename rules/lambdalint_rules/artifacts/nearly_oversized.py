"""A package close to the limit of 250 MB is one dependency away from being refused.

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
"""
MB = 1024 * 1024


@rule(
    "LZ010",
    "nearly-oversized",
    severity=Severity.WARNING,
    since="0.1.0",
    bad={
        "template.yaml": TEMPLATE.format(mark="  # finding"),
        "orders.zip": partial(sized_archive, {"pyarrow/libarrow.so": (5 * MB, 213 * MB)}),
    },
    good={
        "template.yaml": TEMPLATE.format(mark=""),
        "orders.zip": partial(sized_archive, {"pyarrow/libarrow.so": (5 * MB, 190 * MB)}),
    },
)
def check(function: Function, sizes: UnpackedSizes) -> Problems:
    allowed = limit("artifact", "unpacked", "max_bytes")
    near = allowed * limit("artifact", "unpacked", "near_percent") // 100
    if not near <= sizes.total_bytes <= allowed:
        return
    largest = ", ".join(f"{name} {size / MB:.0f}" for name, size in sizes.largest(4) if size >= MB)
    used = f"{'' if sizes.complete else 'at least '}{sizes.total_bytes / MB:.0f} of {allowed / MB:.0f} MB"
    yield Problem(
        function.code.span if function.code else function.span,
        f"{used} are used: {largest}",
        hint="leave out tests, debug information and what no handler imports, before the next dependency is too much",
    )
