"""The names under which a SAM template may refer to what the transform makes: ``!Ref Orders.Alias``.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html
"""

from collections.abc import Iterator
from typing import Final

from lambdalint.join.intrinsics import Evaluator, intrinsic
from lambdalint.join.sam.globals import Globals
from lambdalint.join.sam.making import digest
from lambdalint.model.document import Mapping, Node, Scalar
from lambdalint.model.values import Known

_KINDS: Final = "AWS::Serverless::"


def generated_names(evaluator: Evaluator) -> dict[str, str]:
    """The logical names of generated resources that have a second name."""
    defaults = Globals.of(evaluator)
    return {
        f"{name}.{part}": made
        for name, resource in evaluator.resources.items.items()
        if isinstance(resource, Mapping) and (kind := _kind(resource))
        for part, made in _made_of(name, kind, defaults.merged(resource, kind).items, evaluator)
    }


def _made_of(name: str, kind: str, settings: dict[str, Node], evaluator: Evaluator) -> Iterator[tuple[str, str]]:
    if kind == "Function":
        if alias := alias_name(settings.get("AutoPublishAlias"), evaluator):
            yield "Version", f"{name}Version"
            yield "Alias", alias_resource(name, alias)
        config = settings.get("EventInvokeConfig")
        destinations = config.items.get("DestinationConfig") if isinstance(config, Mapping) else None
        for outcome in ("OnSuccess", "OnFailure"):
            found = destinations.items.get(outcome) if isinstance(destinations, Mapping) else None
            wanted = plain_text(found.items.get("Type")) if isinstance(found, Mapping) else None
            if wanted == "SQS":
                yield "DestinationQueue", f"{name}EventInvokeConfig{outcome}Queue"
            elif wanted == "SNS":
                yield "DestinationTopic", f"{name}EventInvokeConfig{outcome}Topic"
    elif kind == "Api":
        yield "Stage", name + stage_suffix(settings.get("StageName"))
        yield "Deployment", f"{name}Deployment"
    elif kind == "HttpApi":
        yield "Stage", name + http_stage_suffix(settings.get("StageName"))
    elif kind == "WebSocketApi":
        yield "Stage", name + stage_suffix(settings.get("StageName"), "Default")


def alias_name(node: Node | None, evaluator: Evaluator) -> str:
    """The alias that ``AutoPublishAlias`` names; empty when it names none, or one that is not known."""
    value = evaluator.value(node) if node is not None else None
    return str(value.value) if isinstance(value, Known) and value.value else ""


def alias_resource(function: str, alias: str) -> str:
    """The logical name of a function's alias."""
    return f"{function}Alias{alias.replace('-', 'D').replace('_', 'U')}"


def stage_suffix(node: Node | None, otherwise: str = "") -> str:
    """What the logical name of a REST API's stage adds to the API's."""
    name = plain_text(node)
    if name is None:
        return f"{otherwise}Stage" if node is None else "Stage"
    return f"{name}Stage" if name.isalnum() else f"Stage{digest(name)}"


def http_stage_suffix(node: Node | None) -> str:
    """What the logical name of an HTTP API's stage adds to the API's."""
    name = plain_text(node)
    if node is None or name == "$default":
        return "ApiGatewayDefaultStage"
    if name is None:
        return "Stage"
    return f"{name}Stage" if name.isalnum() else f"Stage{digest(name)}"


def plain_text(node: Node | None) -> str | None:
    """The text written at *node*; ``None`` where a function, or something else than text, stands there."""
    text = node.value if isinstance(node, Scalar) and not intrinsic(node) else None
    return text if isinstance(text, str) else None


def _kind(resource: Mapping) -> str:
    kind = resource.items.get("Type")
    text = kind.text if isinstance(kind, Scalar) else ""
    return text.removeprefix(_KINDS) if text.startswith(_KINDS) else ""
