"""A tag is moved to another image; a digest is the same image tomorrow.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

from lambdalint.aws.images import tag_of
from lambdalint.rule import Image, Problem, Problems, Profile, Severity, rule
from lambdalint_rules.artifacts.image_samples import AWS_BASE, dockerfile_project

CODE = 'COPY app.py ./\nCMD ["app.handler"]\n'
DIGEST = f"FROM public.ecr.aws/lambda/python:3.13@sha256:{'a' * 64}\n"


@rule(
    "LO009",
    "unpinned-base-image",
    severity=Severity.INFO,
    profile=Profile.STRICT,
    since="0.1.0",
    covers=("hadolint:DL3006", "hadolint:DL3007"),
    bad=(
        dockerfile_project(f"# finding\n{AWS_BASE}{CODE}"),
        dockerfile_project(
            f"# finding\nFROM ghcr.io/astral-sh/uv:0.9 AS uv\n{DIGEST}COPY --from=uv /uv /bin/uv\n{CODE}"
        ),
    ),
    good=(
        dockerfile_project(f"{DIGEST}{CODE}"),
        dockerfile_project(f"FROM public.ecr.aws/lambda/python:3.13.2026.10.01.12\n{CODE}"),
        dockerfile_project(f"ARG BASE\nFROM $BASE\n{CODE}"),
        dockerfile_project(f"FROM python:3.13 AS tests\nRUN pytest\n{DIGEST}{CODE}"),
    ),
)
def check(image: Image) -> Problems:
    recipe = image.recipe
    if recipe is None:
        return
    used = {stage.number for stage in recipe.stages}
    for stage in reversed(recipe.dockerfile.stages):
        if stage.number not in used:
            continue
        for instruction in stage.instructions:
            origin = instruction.flags.get("from") if instruction.keyword in ("COPY", "ADD") else None
            below = recipe.dockerfile.stage(origin, before=stage.number) if origin else None
            used |= {below.number} if below else set()
        below = recipe.dockerfile.stage(stage.base, before=stage.number) if stage.base else None
        if below is not None:
            used.add(below.number)
            continue
        base, words = stage.base, stage.start.words
        if base is None or not words or base == "scratch" or "@" in base:
            continue
        tag = tag_of(base)
        if tag is None or tag.made is None:
            yield Problem(words[0].span, f"{base} is named by a tag; its digest gives the same base tomorrow")
