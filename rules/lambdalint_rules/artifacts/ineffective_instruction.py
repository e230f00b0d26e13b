"""Lambda takes the files, the variables and the command of an image, and ignores what is meant for other platforms.

It runs every image as its own user, checks no health, opens no port and mounts no volume.  The emulator in an image is
of use on a developer's machine alone.  Images that also run elsewhere keep all of this.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

from lambdalint.aws.images import adapter_word, emulator, ineffective
from lambdalint.rule import (
    Applicability,
    Edit,
    Fix,
    Image,
    Instruction,
    Problem,
    Problems,
    Project,
    Severity,
    Span,
    rule,
)
from lambdalint_rules.artifacts.image_samples import AWS_BASE, BUILT, dockerfile_project

CODE = 'COPY app.py ./\nCMD ["app.handler"]\n'
TASK = "  Task: {Type: AWS::ECS::TaskDefinition}\n"


@rule(
    "LO011",
    "ineffective-instruction",
    severity=Severity.INFO,
    since="0.1.0",
    fix="safe",
    bad=dockerfile_project(
        f'{AWS_BASE}COPY app.py ./\n# finding\nUSER app\n# finding\nEXPOSE 8080\nCMD ["app.handler"]\n'
    ),
    good=(
        dockerfile_project(f"{AWS_BASE}{CODE}"),
        dockerfile_project(f"{AWS_BASE}USER app\nRUN pip install --user requests\nUSER root\nCOPY . .\n{CODE}"),
        dockerfile_project(f"FROM python:3.13 AS build\nUSER app\nRUN make\n{AWS_BASE}{CODE}"),
        dockerfile_project(f"{AWS_BASE}{CODE}EXPOSE 8080\n") | {"template.yaml": BUILT + TASK},
        dockerfile_project(f"{AWS_BASE}{CODE}EXPOSE 8080\n", **{"src/compose.yaml": "services: {}\n"}),
        dockerfile_project(
            f"{AWS_BASE}COPY --from=example/lambda-adapter /lambda-adapter /opt/extensions/\n{CODE}EXPOSE 8080\n"
        ),
    ),
)
def check(image: Image, project: Project) -> Problems:
    recipe = image.recipe
    if recipe is None or recipe.is_shared or _runs_elsewhere(project):
        return
    instructions = recipe.stages[-1].instructions
    if any(adapter_word() in f"{each.text} {each.flags.get('from', '')}".lower() for each in instructions):
        return
    for number, instruction in enumerate(instructions):
        why = ineffective(instruction.keyword)
        builds_on = any(each.keyword in ("RUN", "COPY", "ADD", "WORKDIR") for each in instructions[number + 1 :])
        if why is not None and not (instruction.keyword in ("USER", "VOLUME") and builds_on):
            yield Problem(
                instruction.span,
                f"{instruction.keyword} {_short(instruction)} has no effect: {why}",
                fix=_without(instruction),
            )
        elif instruction.keyword in ("COPY", "ADD") and emulator() in instruction.text:
            yield Problem(
                instruction.span,
                f"{emulator()} is copied into the image; Lambda does not use it",
                hint="copy it into a stage for tests, or mount it",
            )


def _short(instruction: Instruction) -> str:
    text = " ".join(instruction.text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _without(instruction: Instruction) -> Fix:
    at = instruction.span
    line = Span(at.path, at.line, 0, at.end_line + 1, 0)
    return Fix(f"remove {instruction.keyword}", Applicability.SAFE, edits=(Edit(line, ""),))


def _runs_elsewhere(project: Project) -> bool:
    """Whether images run on another service as well."""
    return any(
        resource.type.startswith(("AWS::ECS::", "AWS::AppRunner::", "AWS::EKS::", "AWS::Batch::"))
        for template in project.templates
        for resource in template.resources.values()
    )
