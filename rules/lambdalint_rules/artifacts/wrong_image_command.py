"""The runtime takes the command of an image for the handler: one word, ``module.function``, as a list.

Without one it has nothing to import.  ``CMD app.handler``, or a list in single quotes, is given to a shell, so that the
runtime is asked to import ``/bin/sh``; an entry point that a shell runs hands no command on.  A handler that is not in
the image is ``missing-handler``.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-parms.html
"""

import re
from functools import partial
from json import dumps
from typing import Final

from lambdalint.aws.images import runtime_client
from lambdalint.rule import (
    Applicability,
    Edit,
    Fix,
    Function,
    Image,
    Instruction,
    Problem,
    Problems,
    Project,
    Severity,
    Span,
    rule,
)
from lambdalint_rules.artifacts.image_samples import AWS_BASE, BUILT, PACKED, dockerfile_project, image
from lambdalint_rules.artifacts.image_start import runs, start_of

COPIED = f"{AWS_BASE}COPY app.py ./\n"
STATED = BUILT.replace("Image\n", "Image\n      ImageConfig: {Command: [app.handler]}\n")
SLIM = "FROM python:3.13-slim\nWORKDIR /app\nRUN pip install awslambdaric\nCOPY . .\n"

#: A handler, bare or in a list with the quotes of another language.
_HANDLER: Final = re.compile(r"""\[?\s*["'“”]?([A-Za-z_][\w/-]*(?:\.[\w-]+)*\.[A-Za-z_]\w*)["'“”]?\s*\]?""")


@rule(
    "LO007",
    "wrong-image-command",
    severity=Severity.ERROR,
    since="0.1.0",
    fix="unsafe",
    bad=(
        dockerfile_project(f"{COPIED}# finding\nCMD app.handler\n"),
        dockerfile_project(f"{COPIED}# finding\nCMD ['app.handler']\n"),
        dockerfile_project(f"# finding\n{COPIED}"),
        dockerfile_project(f'{SLIM}# finding\nENTRYPOINT python -m awslambdaric\nCMD ["app.handler"]\n'),
        {
            "template.yaml": PACKED.format(mark="  # finding"),
            "orders.tar": partial(image, settings={"Cmd": ["/bin/sh", "-c", "app.handler"]}),
        },
        {"template.yaml": PACKED.format(mark="  # finding"), "orders.tar": partial(image, settings={"Cmd": None})},
    ),
    good=(
        dockerfile_project(f'{COPIED}CMD ["app.handler"]\n'),
        {**dockerfile_project(COPIED), "template.yaml": STATED},
        {**dockerfile_project(f"{COPIED}CMD app.other\n"), "template.yaml": STATED},
        dockerfile_project(f'{SLIM}ENTRYPOINT ["python", "-m", "awslambdaric"]\nCMD ["app.handler"]\n'),
        dockerfile_project(f"{SLIM}ENTRYPOINT python -m awslambdaric app.handler\n"),
        dockerfile_project(f"{SLIM}COPY start.sh /\nENTRYPOINT /start.sh\n"),
        dockerfile_project("FROM registry.example.com/python-lambda:3.13\nCOPY . .\nCMD app.handler\n"),
        {"template.yaml": PACKED.format(mark=""), "orders.tar": image},
    ),
)
def check(function: Function, project: Project) -> Problems:
    for each in project.images:
        if runs(function, each):
            yield from _wrong(each, function)


def _wrong(image: Image, function: Function) -> Problems:
    start = start_of(image, function)
    if start.entrypoint is None or start.command is None:
        return
    client = runtime_client()
    if start.entrypoint.is_shell:
        text = " ".join(start.entrypoint.words[2:])
        if re.search(rf"-m\s+{client}\s*$", text):
            yield Problem(
                start.entrypoint.at or _place(image),
                f"a shell runs {text!r} without the command, so that {client} is not told the handler",
                hint="write the entry point as a list",
                fix=_as_list(start.entrypoint.instruction, text.split()),
            )
        return
    if not start.runs_python_runtime:
        return
    if start.command.is_shell:
        text = " ".join(start.command.words[2:])
        handler = _HANDLER.fullmatch(text)
        yield Problem(
            start.command.at or _place(image),
            f"the command {text} is given to a shell; the runtime takes {start.command.words[0]} for the handler",
            hint="write it as a list, in double quotes" if start.command.instruction else "state it as a list",
            fix=_as_list(start.command.instruction, [handler[1]]) if handler else None,
        )
    elif not start.command.words:
        yield Problem(
            _place(image),
            f"neither the image nor {function.name} says which handler to run: there is no command",
            hint='end the Dockerfile with CMD ["module.function"], or state ImageConfig.Command',
        )


def _place(image: Image) -> Span:
    return image.recipe.base_span if image.recipe is not None else image.place


def _as_list(instruction: Instruction | None, words: list[str]) -> Fix | None:
    if instruction is None or not words or instruction.span.line != instruction.span.end_line:
        return None
    title = f"write {instruction.keyword} as a list"
    return Fix(title, Applicability.UNSAFE, edits=(Edit(instruction.span, f"{instruction.keyword} {dumps(words)}"),))
