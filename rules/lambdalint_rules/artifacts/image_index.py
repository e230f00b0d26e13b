"""Lambda takes the manifest of one image, no index of several.

Several platforms make an index, and so do the attestations that BuildKit adds by itself: the build succeeds, Docker
runs the image, and Lambda refuses it with ``The image manifest, config or layer media type for the source image is not
supported``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

from functools import partial
from typing import Final

from lambdalint.aws.images import rejected_manifest
from lambdalint.rule import Image, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.image_samples import PACKED, image, index

#: What an attestation calls the platform that it is for.
_ATTESTATION: Final = "unknown/unknown"


@rule(
    "LO001",
    "image-index",
    severity=Severity.ERROR,
    since="0.1.0",
    bad={"template.yaml": PACKED.format(mark="  # finding"), "orders.tar": partial(index, "linux/amd64", _ATTESTATION)},
    good={"template.yaml": PACKED.format(mark=""), "orders.tar": image},
)
def check(image: Image) -> Problems:
    what = rejected_manifest(image.media_type or "")
    if what is not None:
        listed = [each.name for each in image.platforms if each.name != _ATTESTATION]
        attested = len(listed) < len(image.platforms)
        holds = f" of {', '.join(listed)}" * bool(listed) + " with attestations" * attested
        yield Problem(
            image.place,
            f"{image.path} is an {what}{holds}; Lambda takes the manifest of one image"
            if what.startswith("i")
            else f"{image.path} is a {what}{holds}; Lambda takes the manifest of one image",
            hint="build with --provenance=false for one platform, or copy one image out of it by its digest",
        )
