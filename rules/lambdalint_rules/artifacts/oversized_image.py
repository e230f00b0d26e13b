"""An image may unpack to 10 GB, all layers together, and its settings may have 16 KB.

What a layer removes of an earlier one counts all the same.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from functools import partial

from lambdalint.aws.limits import limit
from lambdalint.rule import Image, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.image_samples import PACKED, image

LABELS = {"Labels": {f"org.example.note-{number}": "x" * 200 for number in range(100)}}

_GB = 1024**3


@rule(
    "LO010",
    "oversized-image",
    severity=Severity.ERROR,
    since="0.1.0",
    bad={"template.yaml": PACKED.format(mark="  # finding"), "orders.tar": partial(image, settings=LABELS)},
    good={"template.yaml": PACKED.format(mark=""), "orders.tar": image},
)
def check(image: Image) -> Problems:
    most = limit("image", "unpacked", "max_bytes")
    known = sum(layer.unpacked_bytes or 0 for layer in image.layers)
    if known > most:
        largest = max(range(len(image.layers)), key=lambda number: image.layers[number].unpacked_bytes or 0)
        size = image.layers[largest].unpacked_bytes or 0
        at_least = "" if image.unpacked_bytes is not None else "at least "
        yield Problem(
            image.place,
            f"the image unpacks to {at_least}{known / _GB:.1f} GB, of which layer {largest + 1} is "
            f"{size / _GB:.1f} GB; {most // _GB} GB are allowed",
        )
    settings = image.config.settings_bytes if image.config else 0
    allowed = limit("image", "settings", "max_bytes")
    if settings > allowed:
        yield Problem(
            image.place,
            f"the settings of the image have {settings:,} bytes; {allowed:,} are allowed",
            hint="shorten its labels and variables",
        )
