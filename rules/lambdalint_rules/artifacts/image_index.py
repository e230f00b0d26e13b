"""Lambda takes the manifest of one image, no index of several.

Several platforms make an index, and so do the attestations that BuildKit adds by itself: the build succeeds, Docker
runs the image, and Lambda refuses it with ``The image manifest, config or layer media type for the source image is not
supported``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

from functools import partial
from typing import Final

from lambdalint.aws.images import rejected_manifest
from lambdalint.rule import Applicability, Edit, Fix, Image, Problem, Problems, Severity, Span, rule
from lambdalint_rules.artifacts.image_samples import AWS_BASE, PACKED, dockerfile_project, image, index

FILE: Final = AWS_BASE + 'COPY app.py ./\nCMD ["app.handler"]\n'
COMMAND: Final = "docker buildx build{flags} --platform linux/amd64 --push -t $REPOSITORY:1 src{mark}\n"
WORKFLOW: Final = """\
jobs:
  image:
    steps:
      - uses: docker/build-push-action@v6{mark}
        with:
          context: src
          push: true
          platforms: {platforms}
"""
ONE, SEVERAL = "linux/amd64", "linux/amd64,linux/arm64"
#: What an attestation calls the platform that it is for.
_ATTESTATION: Final = "unknown/unknown"


def built(path: str, text: str) -> dict[str, str]:
    """A project whose image is built by what stands at *path*."""
    return {**dockerfile_project(FILE), path: text}


@rule(
    "LO001",
    "image-index",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        {"template.yaml": PACKED.format(mark="  # finding"), "orders.tar": partial(index, "linux/amd64", _ATTESTATION)},
        built("build.sh", COMMAND.format(flags="", mark="  # finding")),
        built(".github/workflows/image.yml", WORKFLOW.format(platforms=ONE, mark="  # finding")),
        built(".github/workflows/image.yml", WORKFLOW.format(platforms=SEVERAL, mark="  # finding")),
    ),
    good=(
        {"template.yaml": PACKED.format(mark=""), "orders.tar": image},
        built("build.sh", COMMAND.format(flags=" --provenance=false", mark="")),
        built("build.sh", "export BUILDX_NO_DEFAULT_ATTESTATIONS=1\n" + COMMAND.format(flags="", mark="")),
        built("build.sh", COMMAND.format(flags="", mark="").replace("--push", "--load")),
        built("build.sh", COMMAND.format(flags="", mark="").replace(" src", " other")),
        built(
            ".github/workflows/image.yml",
            WORKFLOW.format(platforms=ONE, mark="") + "          provenance: false\n",
        ),
    ),
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
    for step in image.steps:
        if len(step.platforms) > 1:
            yield Problem(
                step.span,
                f"this build sends an image index of {', '.join(step.platforms)}; Lambda takes one image",
                hint="build for the platform of the function alone",
            )
        elif step.attests:
            yield Problem(
                step.span,
                "this build adds attestations, which make an image index of the image; Lambda takes one image",
                hint=f"add {step.flags}",
                fix=None if step.edit is None else _adding(step.flags, *step.edit),
            )


def _adding(flags: str, at: Span, text: str) -> Fix:
    return Fix(f"add {flags}", Applicability.UNSAFE, edits=(Edit(at, text),))
