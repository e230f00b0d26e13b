"""Something in an image has to ask Lambda for events: a runtime of AWS, its client, an adapter or an own program.

Images other than those of AWS come without.  ``python:3.13-slim`` with ``CMD ["app.handler"]`` starts nothing, and a
web server waits for requests that nobody sends; every invocation ends with ``Runtime.ExitError`` or the timeout.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-image.html
"""

import re
from functools import partial
from typing import Final

from lambdalint.aws.images import adapter_word, client_files, runtime_client
from lambdalint.facts.image_tree import ImageTree
from lambdalint.rule import Image, Problem, Problems, Project, Recipe, Severity, rule
from lambdalint_rules.artifacts.image_samples import (
    AWS_BASE,
    PACKED,
    dockerfile_project,
    image,
    layer,
    task_layer,
)
from lambdalint_rules.artifacts.image_start import Start, function_of, start_of

SLIM = "FROM python:3.13-slim\nWORKDIR /var/task\nCOPY . .\n"
CLIENT = 'ENTRYPOINT ["python", "-m", "awslambdaric"]\nCMD ["app.handler"]\n'
PYTHON = {"usr/local/bin/python3.13": (b"\x7fELF", 0o755)}
STARTED = {"Entrypoint": ["/usr/local/bin/python3.13", "-m", "awslambdaric"], "Env": []}

_HANDLER: Final = re.compile(r"[A-Za-z_][\w/-]*(?:\.[A-Za-z_]\w*)+")
_PROGRAMS: Final = (".py", ".sh", ".js", ".mjs", ".jar")
_HINT: Final = "install awslambdaric and start it, take an image of AWS, or add the Lambda Web Adapter"


def own_image(*, client: bool) -> bytes:
    """An image of another base that starts the client, which is or is not in it."""
    files = {"usr/lib/python3/awslambdaric/__init__.py": (b"", 0o644)} if client else {}
    return image([layer({**PYTHON, **files}), task_layer()], settings=STARTED)


@rule(
    "LO006",
    "missing-runtime-client",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        dockerfile_project("# finding\n" + SLIM + 'CMD ["app.handler"]\n'),
        dockerfile_project("# finding\n" + SLIM + 'CMD ["uvicorn", "app:app", "--port", "8080"]\n'),
        dockerfile_project(AWS_BASE + '# finding\nENTRYPOINT ["gunicorn", "app:app"]\nCOPY app.py ./\n'),
        {"template.yaml": PACKED.format(mark="  # finding"), "orders.tar": partial(own_image, client=False)},
    ),
    good=(
        dockerfile_project(SLIM + "RUN pip install awslambdaric\n" + CLIENT),
        {
            **dockerfile_project(SLIM + "RUN pip install -r requirements.txt\n" + CLIENT),
            "src/requirements.txt": "awslambdaric\n",
        },
        dockerfile_project(
            SLIM + "COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:0.9.1 /lambda-adapter /opt/extensions/\n"
            'CMD ["uvicorn", "app:app"]\n'
        ),
        dockerfile_project(SLIM + 'CMD ["python", "app.py"]\n'),
        dockerfile_project("FROM registry.example.com/python-lambda:3.13\nCOPY . .\n" + 'CMD ["app.handler"]\n'),
        dockerfile_project(AWS_BASE + 'COPY app.py ./\nCMD ["app.handler"]\n'),
        {"template.yaml": PACKED.format(mark=""), "orders.tar": partial(own_image, client=True)},
        {"template.yaml": PACKED.format(mark=""), "orders.tar": image},
    ),
)
def check(image: Image, project: Project, tree: ImageTree) -> Problems:
    start = start_of(image, function_of(image, project))
    if image.recipe is not None:
        yield from _of_recipe(image.recipe, start)
    elif image.config is not None and tree.complete and not _is_in(tree):
        what = _what_starts(start)
        if what is not None:
            yield Problem(image.place, f"{what}, and nothing in the image answers the Runtime API", hint=_HINT)


def _of_recipe(recipe: Recipe, start: Start) -> Problems:
    if start.server is not None and recipe.has_client and start.entrypoint and start.entrypoint.instruction:
        instruction = start.entrypoint.instruction
        if recipe.base is not None and start.server in start.entrypoint.words and _is_plain(recipe):
            yield Problem(
                instruction.span,
                f"the entry point starts {start.server} in place of the runtime; nothing answers the Runtime API",
                hint=_HINT,
            )
        return
    if recipe.has_client:
        return
    what = _what_starts(start)
    if what is not None:
        yield Problem(
            recipe.base_span,
            f"{recipe.base} has no Lambda runtime client, nor has what is built on it; {what}, "
            "and nothing answers the Runtime API",
            hint=_HINT,
        )


def _is_plain(recipe: Recipe) -> bool:
    """Whether the image is one of AWS without an adapter in it."""
    from lambdalint.aws.images import is_of_aws

    text = " ".join(
        f"{each.text} {' '.join(each.flags.values())}" for stage in recipe.stages for each in stage.instructions
    )
    return recipe.base is not None and is_of_aws(recipe.base) and adapter_word() not in text.lower()


def _what_starts(start: Start) -> str | None:
    """What an image without a client starts in vain; ``None`` where it may be a program that does without."""
    words = start.words
    if words is None:
        return None
    if not words:
        return "it names nothing to start"
    if start.server is not None:
        return f"{start.server} waits for requests"
    if runtime_client() in words:
        return f"{runtime_client()} is started"
    if len(words) == 1 and _HANDLER.fullmatch(words[0]) and not words[0].endswith(_PROGRAMS):
        return f"{words[0]} is no program"
    return None


def _is_in(tree: ImageTree) -> bool:
    """Whether something in the image may answer the Runtime API."""
    if any(tree.find(path) is not None for path in client_files()):
        return True
    folder, adapter = f"/{runtime_client()}/", "opt/extensions/"
    return any(
        folder in f"/{path}" or path.startswith(adapter) or path.rpartition("/")[2].startswith(adapter_word())
        for path in tree.by_path
    )
