"""The images of AWS hold the runtime, and find it by their own variables and folders.

``ENV LD_LIBRARY_PATH=/app/lib`` takes the runtime's libraries away instead of adding one, and so does ``PATH``; what
lies outside of ``/var/task`` is not looked for there; and without ``/var/runtime`` nothing starts.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-image.html
"""

import re
from collections.abc import Iterable
from functools import partial
from typing import Final

from lambdalint.aws.images import is_of_aws, needed_folders, needed_paths
from lambdalint.facts.image_tree import ImageTree
from lambdalint.rule import (
    Confidence,
    Image,
    Instruction,
    Known,
    Problem,
    Problems,
    Project,
    Recipe,
    Severity,
    rule,
)
from lambdalint_rules.artifacts.image_samples import (
    AWS_BASE,
    PACKED,
    SETTINGS,
    dockerfile_project,
    image,
    layer,
    runtime_layer,
    task_layer,
)
from lambdalint_rules.artifacts.image_start import function_of, start_of

CODE = 'COPY app.py ./\nCMD ["app.handler"]\n'
OWN_LIBRARIES = {"Env": [*SETTINGS["Env"][:3], "LD_LIBRARY_PATH=/app/lib"]}

_TASK_ROOT: Final = "LAMBDA_TASK_ROOT"
_RUNTIME: Final = "LAMBDA_RUNTIME_DIR"
_COMMANDS: Final = re.compile(r"&&|\|\||[;|\n]")


def without_runtime() -> bytes:
    """An image whose last layer removes the runtime."""
    return image([runtime_layer(), task_layer(), layer({"var/.wh.runtime": (b"", 0o644)})])


@rule(
    "LO004",
    "damaged-base-image",
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    bad=(
        dockerfile_project(f"{AWS_BASE}# finding\nENV LD_LIBRARY_PATH=/app/lib\n{CODE}"),
        dockerfile_project(f"{AWS_BASE}# finding\nRUN rm -rf /var/runtime\n{CODE}"),
        dockerfile_project(f"{AWS_BASE}# finding\nWORKDIR /app\n{CODE}"),
        {"template.yaml": PACKED.format(mark="  # finding"), "orders.tar": partial(image, settings=OWN_LIBRARIES)},
        {"template.yaml": PACKED.format(mark="  # finding"), "orders.tar": without_runtime},
    ),
    good=(
        dockerfile_project(f"{AWS_BASE}ENV LD_LIBRARY_PATH=/app/lib:$LD_LIBRARY_PATH PATH=/app/bin:${{PATH}}\n{CODE}"),
        dockerfile_project(f"{AWS_BASE}RUN rm -rf /var/runtime/boto3 /var/cache\n{CODE}"),
        dockerfile_project(f"{AWS_BASE}WORKDIR /build\nWORKDIR /var/task\n{CODE}"),
        dockerfile_project(f"{AWS_BASE}WORKDIR /app\nENV PYTHONPATH=/app\n{CODE}"),
        dockerfile_project(f"FROM python:3.13\nENV PATH=/app/bin\n{CODE}"),
        {"template.yaml": PACKED.format(mark=""), "orders.tar": image},
    ),
)
def check(image: Image, project: Project, tree: ImageTree) -> Problems:
    if image.recipe is not None and image.recipe.base is not None and is_of_aws(image.recipe.base):
        yield from _variables(image.recipe)
        yield from _removed(image.recipe)
        yield from _outside(image, image.recipe, project)
    config = image.config
    if config is None or _RUNTIME not in config.environment:
        return
    for name, folder in needed_folders().items():
        value = config.environment.get(name)
        if value is not None and folder not in value.split(":"):
            yield Problem(image.place, f"{name} is {value}, without {folder}, where the runtime is")
    gone = [path for path in _without_inner(needed_paths()) if _is_removed(image, path) and tree.find(path) is None]
    for path in gone:
        yield Problem(image.place, f"a layer removes /{path}, without which the runtime does not start")


def _variables(recipe: Recipe) -> Problems:
    for name, folder in needed_folders().items():
        found = [word for setting, word in recipe.settings if setting == name]
        if found and not any(_keeps(name, folder, word.text) for word in found):
            yield Problem(
                found[-1].span,
                f"ENV {name}={found[-1].text} takes the place of the runtime's own, which names {folder}",
                hint=f"add to it: {name}=…:${name}" if name not in (_TASK_ROOT, _RUNTIME) else None,
            )


def _keeps(name: str, folder: str, value: str) -> bool:
    parts = value.strip("\"'").split(":")
    return folder in parts or any(sign in value for sign in (f"${name}", f"${{{name}"))


def _removed(recipe: Recipe) -> Problems:
    for instruction in _instructions(recipe, "RUN"):
        for command in _COMMANDS.split(instruction.text):
            words = command.split()
            if not words or words[0] != "rm":
                continue
            removed = {word.removesuffix("/*").strip("/") for word in words[1:]}
            for path in _without_inner(path for path in needed_paths() if path in removed):
                yield Problem(instruction.span, f"rm removes /{path}, without which the runtime does not start")


def _outside(image: Image, recipe: Recipe, project: Project) -> Problems:
    """Code that the working directory puts where the runtime does not look."""
    function = function_of(image, project)
    root = needed_folders()[_TASK_ROOT]
    folder = recipe.folder
    moves = _instructions(recipe, "WORKDIR")
    if function is None or folder is None or folder == root or not moves or not isinstance(function.handler, Known):
        return
    if function.resource.get("ImageConfig", "WorkingDirectory") is not None:
        return
    if not start_of(image, function).runs_python_runtime:
        return
    if any(name in ("PYTHONPATH", _TASK_ROOT) for name, _ in recipe.settings):
        return
    module = str(function.handler.value).rpartition(".")[0].replace(".", "/") + ".py"
    if f"{folder}/{module}" in recipe.modules and f"{root}/{module}" not in recipe.modules:
        yield Problem(
            moves[-1].span,
            f"WORKDIR {folder} puts {module} outside of {root}, where the runtime looks for it",
            hint=f"copy it to ${{{_TASK_ROOT}}}, or add {folder} to PYTHONPATH",
            severity=Severity.WARNING,
        )


def _instructions(recipe: Recipe, keyword: str) -> list[Instruction]:
    return [each for stage in recipe.stages for each in stage.instructions if each.keyword == keyword]


def _is_removed(image: Image, path: str) -> bool:
    inner = [path.rsplit("/", depth)[0] for depth in range(path.count("/") + 1)]
    return any(entry.is_whiteout and entry.path in inner for layer in image.layers for entry in layer.entries or ())


def _without_inner(paths: Iterable[str]) -> list[str]:
    """Those of *paths* that are in none of the others."""
    found = list(paths)
    return [path for path in found if not any(path.startswith(f"{other}/") for other in found)]
