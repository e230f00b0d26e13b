"""The ARNs of layers that functions name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lambdalint.rule import Function, Known, Span

_ARN: Final = re.compile(
    r"arn:(?P<partition>[a-z-]+):lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:(?P<name>[\w-]+)(?::(?P<version>\d+))?"
)


@dataclass(frozen=True, slots=True)
class LayerArn:
    """An ARN in its parts; *version* is ``None`` where it has none."""

    text: str
    span: Span
    partition: str
    region: str
    account: str
    name: str
    version: str | None


def named_layers(function: Function) -> Iterator[Known[str]]:
    """The texts that name layers of *function*, without those that whoever deploys it may replace."""
    match function.layers:
        case Known(layers):
            for layer in layers:
                match layer:
                    case Known(str(text), parameter=None) if not any(mark in text for mark in ("${", "{{", "<", "[")):
                        yield layer


def layer_arn(layer: Known[str]) -> LayerArn | None:
    """The ARN that *layer* is, with or without a version; ``None`` for other text."""
    match = _ARN.fullmatch(layer.value)
    return LayerArn(layer.value, layer.span, *match.groups()) if match else None
