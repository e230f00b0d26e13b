"""Lambda runs an image as a user without rights, whoever owns its files.

What only root may read cannot be imported, what lies in a folder that others may not enter is not found, and a program
needs its execute bits for others.  Docker runs the same image as root, and sees none of it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

import re
from functools import partial
from typing import Final

from lambdalint.aws.images import base_environment
from lambdalint.facts.image_tree import ImageTree
from lambdalint.rule import Image, Problem, Problems, Project, Recipe, RecordKind, Severity, rule
from lambdalint_rules.artifacts.image_samples import (
    AWS_BASE,
    PACKED,
    dockerfile_project,
    image,
    layer,
    runtime_layer,
    task_layer,
)
from lambdalint_rules.artifacts.image_start import function_of, start_of

CODE = 'CMD ["app.handler"]\n'
GOOD = PACKED.format(mark="")

_READ, _ENTER, _EXECUTE = 0o004, 0o005, 0o001
_MODULES: Final = (".py", ".pyc", ".so")
_NUMBER: Final = re.compile(r"[0-7]{3,4}")
_TASK_ROOT: Final = "LAMBDA_TASK_ROOT"
_HINT: Final = "chmod -R a+rX before the COPY, or COPY --chmod=755"


def with_entrypoint(mode: int) -> bytes:
    """An image whose entry point is a script of its own, of that *mode*."""
    files = {"start.sh": (b"#!/bin/sh\n", mode), "bin/sh": (b"\x7fELF", 0o755)}
    return image([runtime_layer(), task_layer(), layer(files)], settings={"Entrypoint": ["/start.sh"]})


def shut_folder() -> bytes:
    """An image with a package that others may not enter."""
    files = {"var/task/rates/__init__.py": (b"", 0o644)}
    return image([runtime_layer(), task_layer(), layer(files, folders={"var/task/rates": 0o700})])


@rule(
    "LO005",
    "unreadable-image-file",
    severity=Severity.ERROR,
    since="0.1.0",
    bad=(
        {"template.yaml": GOOD, "orders.tar": lambda: image([runtime_layer(), task_layer(mode=0o600)])},
        {"template.yaml": GOOD, "orders.tar": shut_folder},
        {"template.yaml": GOOD, "orders.tar": partial(with_entrypoint, 0o744)},
        dockerfile_project(f"{AWS_BASE}# finding\nCOPY --chmod=600 app.py ./\n{CODE}"),
    ),
    good=(
        {"template.yaml": GOOD, "orders.tar": image},
        {"template.yaml": GOOD, "orders.tar": partial(with_entrypoint, 0o755)},
        dockerfile_project(f"{AWS_BASE}COPY --chown=1000 --chmod=0644 app.py ./\n{CODE}"),
        dockerfile_project(f"{AWS_BASE}COPY --chmod=u=rw,go=r app.py ./\n{CODE}"),
    ),
)
def check(image: Image, project: Project, tree: ImageTree) -> Problems:
    if image.recipe is not None:
        yield from _of_recipe(image.recipe)
    if image.config is None:
        return
    root = (image.config.environment.get(_TASK_ROOT) or base_environment()[_TASK_ROOT]).strip("/")
    yield from _shut_folders(image, tree, root)
    yield from _unreadable(image, tree, root)
    start = start_of(image, function_of(image, project))
    program = start.entrypoint.words[0] if start.entrypoint and start.entrypoint.words else None
    if program is not None and program.startswith("/"):
        found = tree.find(program)
        if found is not None and found.entry.kind is RecordKind.FILE and not found.entry.mode & _EXECUTE:
            yield Problem(
                image.member(found.entry.path),
                f"the entry point {program} has mode {found.entry.mode:04o}; Lambda starts it as another user",
                hint="chmod 755",
            )


def _shut_folders(image: Image, tree: ImageTree, root: str) -> Problems:
    """Folders on the way to modules, the outermost alone."""
    on_the_way = {""}
    for path in tree.by_path:
        if path.startswith(f"{root}/") and path.endswith(_MODULES):
            folder = path.rpartition("/")[0]
            while folder not in on_the_way:
                on_the_way.add(folder)
                folder = folder.rpartition("/")[0]
    shut: list[str] = []
    for folder in sorted(on_the_way):
        placed = tree.by_path.get(folder)
        if placed is None or placed.entry.kind is not RecordKind.FOLDER:
            continue
        if placed.entry.mode & _ENTER != _ENTER and not any(folder.startswith(f"{outer}/") for outer in shut):
            shut.append(folder)
    if shut:
        mode = tree.by_path[shut[0]].entry.mode
        yield Problem(
            image.member(shut[0]),
            f"the folder /{shut[0]} has mode {mode:04o}{_more(shut)}; "
            "Lambda runs as another user and finds nothing in it",
            hint=_HINT,
        )


def _unreadable(image: Image, tree: ImageTree, root: str) -> Problems:
    shut = [
        path
        for path, placed in tree.by_path.items()
        if path.startswith(f"{root}/")
        and path.endswith(_MODULES)
        and placed.entry.kind is RecordKind.FILE
        and not placed.entry.is_hard_link
        and not placed.entry.mode & _READ
    ]
    if shut:
        entry = tree.by_path[shut[0]].entry
        owner = "root" if entry.uid == 0 else f"user {entry.uid}"
        yield Problem(
            image.member(shut[0]),
            f"/{shut[0]} has mode {entry.mode:04o} and belongs to {owner}{_more(shut)}; "
            "Lambda runs as another user and cannot read it",
            hint=_HINT,
        )


def _of_recipe(recipe: Recipe) -> Problems:
    for stage in recipe.stages:
        for instruction in stage.instructions:
            mode = instruction.flags.get("chmod", "")
            if instruction.keyword in ("COPY", "ADD") and _NUMBER.fullmatch(mode) and not int(mode, 8) & _READ:
                yield Problem(
                    instruction.span,
                    f"--chmod={mode} lets others not read what is copied; Lambda runs as another user",
                    hint="--chmod=755",
                )


def _more(paths: list[str]) -> str:
    return f", and {len(paths) - 1} more" if len(paths) > 1 else ""
