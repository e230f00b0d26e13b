"""An image is for one architecture of Linux, and has to be for that of its function.

Lambda compares nothing when the function is created; an image for the other architecture fails when it is started, with
``exec format error``.  Builds take the architecture of the machine that they run on unless they are told.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

from collections.abc import Iterator
from functools import partial

from lambdalint.aws.images import architecture_named, platform_system, tag_architecture
from lambdalint.rule import Image, Problem, Problems, Severity, rule
from lambdalint_rules.artifacts.image_samples import BUILT, PACKED, dockerfile_project, image

CODE = 'COPY app.py ./\nCMD ["app.handler"]\n'
ARM = f"{PACKED}      Architectures: [arm64]\n"


@rule(
    "LO002",
    "foreign-image-architecture",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": PACKED.format(mark="  # finding"), "orders.tar": partial(image, architecture="arm64")},
        {"template.yaml": PACKED.format(mark="  # finding"), "orders.tar": partial(image, system="windows")},
        dockerfile_project(f"# finding\nFROM public.ecr.aws/lambda/python:3.13-arm64\n{CODE}"),
        dockerfile_project(f"# finding\nFROM --platform=linux/arm64 public.ecr.aws/lambda/python:3.13\n{CODE}"),
    ),
    good=(
        {"template.yaml": PACKED.format(mark=""), "orders.tar": image},
        {"template.yaml": ARM.format(mark=""), "orders.tar": partial(image, architecture="arm64")},
        dockerfile_project(f"FROM --platform=linux/amd64 public.ecr.aws/lambda/python:3.13\n{CODE}"),
        dockerfile_project(f"FROM --platform=$TARGETPLATFORM public.ecr.aws/lambda/python:3.13\n{CODE}"),
        {
            **dockerfile_project(f"FROM public.ecr.aws/lambda/python:3.13-arm64\n{CODE}"),
            "template.yaml": BUILT.replace("Image\n", "Image\n      Architectures: !Ref Architectures\n"),
        },
    ),
)
def check(image: Image) -> Problems:
    config = image.config
    system = platform_system()
    if config is not None and config.os not in (None, system):
        yield Problem(image.place, f"the image is for {config.os}; Lambda runs images of {system}")
        return
    if image.architecture is None:
        return
    if config is not None and config.architecture is not None:
        found = architecture_named(config.architecture)
        if found != image.architecture:
            yield Problem(
                image.place,
                f"the image is {found or config.architecture}; {_declared(image)} {image.architecture}",
                hint=f"build it with --platform {system}/{'amd64' if image.architecture == 'x86_64' else 'arm64'}",
            )
    if image.recipe is not None:
        for stated, found in _of_recipe(image):
            if found != image.architecture:
                yield Problem(
                    image.recipe.base_span,
                    f"{stated} is {found or 'no architecture of Lambda'}; {_declared(image)} {image.architecture}",
                )
                return


def _declared(image: Image) -> str:
    return f"{image.function} declares" if image.function else "the function declares"


def _of_recipe(image: Image) -> Iterator[tuple[str, str | None]]:
    """What a Dockerfile says of the architecture: in what words, and which one that is."""
    assert image.recipe is not None
    if image.recipe.platform:
        yield f"--platform={image.recipe.platform}", architecture_named(image.recipe.platform)
    if image.recipe.base:
        found = tag_architecture(image.recipe.base)
        if found is not None:
            yield image.recipe.base, found
