"""Functions as reports show them."""

from typing import Any

from lambdalint.engine.result import Described
from lambdalint.model.function import Function
from lambdalint.model.values import Known


def described(function: Function) -> Described:
    """What a report shows of *function*."""
    code = function.code
    return Described(
        name=function.name,
        template=function.template,
        runtime=_plain(function.runtime),
        handler=_plain(function.handler),
        architectures=_plain(function.architectures),
        memory_mb=_plain(function.memory_mb),
        timeout_s=_plain(function.timeout_s),
        code=code.path if code else None,
        triggers=tuple(dict.fromkeys(trigger.kind.value for trigger in function.triggers)),
        artifact_bytes=_artifact_bytes(function),
    )


def _artifact_bytes(function: Function) -> int | None:
    """The function with its layers, as Lambda counts it."""
    parts = [function.artifact, *(layer.artifact for layer in function.local_layers)]
    sizes = [part.unpacked_bytes for part in parts if part is not None]
    return sum(sizes) if function.layers_complete and len(sizes) == len(parts) else None


def _plain(value: Any) -> Any:
    """What a value says; ``None`` when it, or a part of it, is hidden or absent."""
    match value:
        case Known(value=tuple(items)):
            plain = tuple(_plain(item) for item in items)
            return None if None in plain else plain
        case Known(value=str() | int() | float() as known):
            return known
        case _:
            return None
