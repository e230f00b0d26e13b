"""What can be packaged: functions and layers of a template, seen as one thing with code, and why some cannot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lambdalint.aws.images import runtime_image
from lambdalint.aws.runtimes import is_python
from lambdalint.model.function import Code, CodeKind, Function, Layer
from lambdalint.model.values import Known, Unknown
from lambdalint.packager.plan import Kind, Skipped
from lambdalint.packager.target import Target, target
from lambdalint.readers.tree import Tree

_PACKAGES: Final = "python"
_MANIFESTS: Final = (
    "requirements.txt",
    "pyproject.toml",
    "uv.lock",
    "pylock.toml",
    "poetry.lock",
    "Pipfile",
    "pdm.lock",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One package to build.

    *prefix* is the folder of the package that everything is put into, ``""`` for its root.  *builds* is false for the
    folder of a layer that is laid out already, to which nothing is added; *takes_source* is false where only what the
    code needs is packaged.  *template* is left out of the package.  *base* is the image that an image rests on.
    """

    name: str
    handler: str | None
    code: Code
    aim: Target
    kind: Kind
    prefix: str = ""
    builds: bool = True
    takes_source: bool = True
    template: str | None = None
    base: str | None = None


def function_subject(function: Function, kind: Kind | None) -> Subject | Skipped:
    """How *function* is packaged in the form *kind*, or why it is not.

    Raises:
        Refused: nothing can be built for what it runs on.
    """
    reason = _architecture_reason(function) or _reason(function)
    if reason is not None:
        return Skipped(function.name, reason)
    runtime, code = _runtime(function), function.code
    assert runtime is not None
    assert code is not None
    if function.image:
        code = replace(code, kind=CodeKind.FOLDER, path=code.root, picked=False)
    wanted = kind or (Kind.IMAGE if function.image else Kind.ZIP)
    return Subject(
        name=f"{function.name}-layer" if wanted is Kind.LAYER else function.name,
        handler=function.handler.value if isinstance(function.handler, Known) else None,
        code=code,
        aim=target(runtime, _architecture(function)),
        kind=wanted,
        prefix=f"{_PACKAGES}/" if wanted is Kind.LAYER else "",
        takes_source=wanted is not Kind.LAYER,
        template=function.template,
        base=_base(function, runtime) if wanted is Kind.IMAGE else None,
    )


def layer_subjects(layer: Layer, users: Iterable[Function], tree: Tree) -> Sequence[Subject] | Skipped:
    """How *layer* is packaged, once for each Python that it serves, or why it is not.

    What it is for is what it declares, and otherwise what the *users*, the functions that have it, run on.

    Raises:
        Refused: nothing can be built for what it runs on.
    """
    code, users = layer.code, tuple(users)
    reason = _code_reason(code)
    runtimes = [name for name in layer.compatible_runtimes if is_python(name)]
    runtimes = runtimes or sorted({name for user in users if (name := _runtime(user)) is not None and is_python(name)})
    machines = set(layer.compatible_architectures) or {_architecture(user) for user in users} or {"x86_64"}
    if reason is None and not runtimes:
        reason = "nobody says which Python it is for"
    if reason is None and len(machines) > 1:
        reason = "it is for both architectures; declare a layer for each"
    if reason is not None:
        return Skipped(layer.name, reason)
    builds = not tree.is_folder(_below(code.path, _PACKAGES)) and any(
        tree.is_file(_below(code.path, name)) for name in _MANIFESTS
    )
    aims = [target(name, next(iter(machines))) for name in runtimes]
    if not builds:
        aims = aims[-1:]  # what is laid out already is the same for all
    return [
        Subject(
            name=layer.name,
            handler=None,
            code=replace(code, root=code.path),
            aim=aim,
            kind=Kind.LAYER,
            prefix=_prefix(aim, aims) if builds else f"{code.prefix}/" if code.prefix else "",
            builds=builds,
            template=layer.span.path,
        )
        for aim in aims
    ]


def _base(function: Function, runtime: str) -> str:
    """What its Dockerfile begins with, or else the image that AWS makes for the runtime."""
    if function.container is not None and function.container.base is not None:
        return function.container.base
    return runtime_image(runtime.removeprefix("python"), _architecture(function))


def _prefix(aim: Target, aims: Sequence[Target]) -> str:
    version = f"python{aim.python[0]}.{aim.python[1]}"
    return f"{_PACKAGES}/" if len(aims) == 1 else f"{_PACKAGES}/lib/{version}/site-packages/"


def _reason(function: Function) -> str | None:
    if function.image:
        if function.container is None:
            return "it is an image that is built elsewhere: no Dockerfile of the project makes it"
        if function.container.python is None:
            return f"its image rests on {function.container.base or 'an unknown base'}, whose Python nobody states"
        if function.code is None or function.code.root is None:
            return "its Dockerfile does not say what of the project goes where it runs"
        return None
    match function.runtime:
        case None:
            return "it has no runtime"
        case Unknown(expression):
            return f"its runtime is decided outside the template: {expression}"
        case Known(name) if not is_python(name):
            return f"it runs on {name}; only Python is built"
    return _code_reason(function.code)


def _code_reason(code: Code | None) -> str | None:
    if code is None:
        return "its code is not stated"
    reasons = {
        CodeKind.INLINE: "its code stands in the template; there is nothing to build",
        CodeKind.REMOTE: "its code is already uploaded",
        CodeKind.IMAGE: "it is a container image that is built elsewhere",
        CodeKind.ZIP: f"{code.path} is a finished archive",
        CodeKind.MISSING: f"there is nothing at {code.path}",
    }
    return reasons.get(code.kind)


def _architecture_reason(function: Function) -> str | None:
    match function.architectures:
        case Unknown(expression):
            return f"its architecture is decided outside the template: {expression}"
        case Known(values) if any(isinstance(value, Unknown) for value in values):
            return "its architecture is decided outside the template"
        case _:
            return None


def _runtime(function: Function) -> str | None:
    if function.image:
        version = function.container.python if function.container else None
        return f"python{version}" if version else None
    return function.runtime.value if isinstance(function.runtime, Known) else None


def _architecture(function: Function) -> str:
    if isinstance(function.architectures, Known):
        for value in function.architectures.value:
            if isinstance(value, Known):
                return value.value
    return "x86_64"


def _below(folder: str | None, name: str) -> str:
    return f"{folder}/{name}" if folder else name
