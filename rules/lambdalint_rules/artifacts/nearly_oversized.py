"""A package close to its limit is one dependency away from being refused, and one that grows takes longer to start.

The limit is 250 MB for a function with its layers, and 10 GB for an image.  What was committed as ``size-baseline``, a
report of ``lambdalint package --output-format json``, is compared with the function's own package: it may grow by the
share ``max-growth``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

from lambdalint.aws.limits import limit
from lambdalint.facts.native import NativeFiles
from lambdalint.facts.sizes import UnpackedSizes
from lambdalint.rule import Artifact, Function, Image, Problem, Problems, Project, Severity, rule
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

_GB: Final = 1024 * MB
#: Files with less debug information are not worth a word.
_MUCH_DEBUG: Final = MB
_SHOWN: Final = 3


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
def check(function: Function, sizes: UnpackedSizes, project: Project) -> Problems:
    image = next((each for each in project.images if each.function == function.name), None)
    baseline = project.policy.sizes.get(function.name)
    grown = sizes.function_bytes - baseline if baseline else 0
    used = _share_of_image(image) if image else None if sizes.is_image else _share_of_package(sizes)
    if used:
        said = f"{used} are used{f', {_mb(grown)} MB more than the baseline' if grown > 0 else ''}"
    elif baseline and grown > baseline * project.policy.max_growth:
        said = (
            f"{function.name} has grown by {_mb(grown)} MB to {_mb(sizes.function_bytes)} MB, "
            f"{grown * 100 // baseline} % more than the baseline; {project.policy.max_growth * 100:g} % are allowed"
        )
    else:
        return
    largest = ", ".join(f"{name} {size / MB:.0f}" for name, size in sizes.largest(4) if size >= MB)
    debug = ", ".join(_with_debug_information(sizes.artifacts))
    yield Problem(
        function.code.span if function.code else function.span,
        f"{said}{f': {largest}' if largest else ''}{f'; debug information: {debug}' if debug else ''}",
        hint="leave out tests, debug information and what no handler imports, before the next dependency is too much",
    )


def _share_of_package(sizes: UnpackedSizes) -> str | None:
    """How much of the limit is used, where that is nearly all; ``None`` for less, and for too much."""
    allowed = limit("artifact", "unpacked", "max_bytes")
    if not allowed * limit("artifact", "unpacked", "near_percent") // 100 <= sizes.total_bytes <= allowed:
        return None
    return f"{'' if sizes.complete else 'at least '}{sizes.total_bytes / MB:.0f} of {allowed / MB:.0f} MB"


def _share_of_image(image: Image) -> str | None:
    allowed = limit("image", "unpacked", "max_bytes")
    known = sum(layer.unpacked_bytes or 0 for layer in image.layers)
    if not allowed * limit("image", "unpacked", "near_percent") // 100 <= known <= allowed:
        return None
    return f"{'at least ' if image.unpacked_bytes is None else ''}{known / _GB:.1f} of {allowed / _GB:.0f} GB"


def _with_debug_information(artifacts: tuple[Artifact, ...]) -> Iterator[str]:
    """The native files with the most of it, with the megabytes that stripping them would win."""
    files = [file for artifact in artifacts for file in NativeFiles.of(artifact).files]
    unstripped = [file for file in files if file.debug_bytes >= _MUCH_DEBUG]
    unstripped.sort(key=lambda file: -file.debug_bytes)
    yield from (f"{file.path} {file.debug_bytes / MB:.0f} MB" for file in unstripped[:_SHOWN])
    if len(unstripped) > _SHOWN:
        yield f"{len(unstripped) - _SHOWN} more"


def _mb(size: int) -> str:
    return f"{size / MB:.0f}" if size >= 100 * MB else f"{size / MB:.1f}"
