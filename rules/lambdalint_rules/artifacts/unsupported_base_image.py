"""A base image of AWS is patched as long as its runtime is supported, and brings the patches up to the day of its tag.

The image is built once and stays what it is: nobody patches it but the next build.  ``latest``, or no tag, is another
Python from one day to the next.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-image.html
"""

from datetime import date
from typing import Final

from lambdalint.aws.images import Tag, tag_of
from lambdalint.aws.runtimes import as_of, newest_python, runtime, runtimes
from lambdalint.rule import Applicability, Edit, Fix, Image, Problem, Problems, Project, Recipe, Severity, rule
from lambdalint_rules.artifacts.image_samples import dockerfile_project

CODE = 'COPY app.py ./\nCMD ["app.handler"]\n'
AWS = "FROM public.ecr.aws/lambda/python"

#: AWS makes new ones every few weeks; half a year without a build is long.
_MAX_DAYS: Final = 180


@rule(
    "LO008",
    "unsupported-base-image",
    severity=Severity.WARNING,
    since="0.1.0",
    fix="unsafe",
    bad=(
        dockerfile_project(f"# finding\n{AWS}:3.9\n{CODE}"),
        dockerfile_project(f"# finding\n{AWS}:3.8-x86_64 AS base\nFROM base\n{CODE}"),
        dockerfile_project(f"# finding\n{AWS}\n{CODE}"),
        dockerfile_project(f"# finding\n{AWS}:3.13.2026.01.15.12\n{CODE}"),
    ),
    good=(
        dockerfile_project(f"{AWS}:3.13\n{CODE}"),
        dockerfile_project(f"{AWS}:3.13.2026.11.01.12\n{CODE}"),
        dockerfile_project(f"{AWS}@sha256:{'a' * 64}\n{CODE}"),
        dockerfile_project(f"FROM public.ecr.aws/lambda/provided:al2023\n{CODE}"),
        dockerfile_project(f"ARG VERSION\n{AWS}:$VERSION\n{CODE}"),
        dockerfile_project("FROM python:3.9\nRUN pip install awslambdaric\n" + CODE),
    ),
)
def check(image: Image, project: Project) -> Problems:
    recipe = image.recipe
    if recipe is None or recipe.base is None:
        return
    tag = tag_of(recipe.base)
    if tag is None:
        return
    known = runtime(tag.runtime) if tag.runtime else None
    if tag.is_newest:
        yield Problem(
            recipe.base_span,
            f"{recipe.base} is the newest version on the day of each build",
            hint=f"name the version, such as {_newest()}",
            fix=_named(recipe, tag),
        )
    elif known is not None and known.deprecated is not None and known.deprecated <= project.today:
        supported = _supported(known.family, project.today)
        yield Problem(
            recipe.base_span,
            f"{recipe.base} has had no patches since {known.deprecated} (table of {as_of()})",
            hint=f"move to {known.successor}" if known.successor else None,
            fix=_named(recipe, tag) if supported and known.family == "python" else None,
        )
    elif tag.made is not None and (project.today - tag.made).days > _MAX_DAYS:
        age = (project.today - tag.made).days
        yield Problem(
            recipe.base_span,
            f"{recipe.base} is {age} days old; what was patched since {tag.made} is not in it",
            hint=f"take a newer image of {tag.runtime or 'the runtime'}, and build again",
        )


def _supported(family: str, today: date) -> bool:
    return any(each.family == family and (each.deprecated is None or each.deprecated > today) for each in runtimes())


def _newest() -> str:
    return newest_python().name.removeprefix("python")


def _named(recipe: Recipe, tag: Tag) -> Fix | None:
    """The base with the newest version that is supported, where the tag stands in the file as such."""
    words = recipe.stages[0].start.words
    if recipe.base is None or not words or words[0].text != recipe.base:
        return None
    name, _, old = recipe.base.partition(":")
    if not name.endswith("python"):
        return None
    new = _newest() if tag.is_newest or tag.made else old.replace(tag.number, _newest(), 1)
    return Fix(f"take {new}", Applicability.UNSAFE, edits=(Edit(words[0].span, f"{name}:{new}"),))
