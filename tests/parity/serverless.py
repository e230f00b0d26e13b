"""Projects for the Serverless Framework: functions in its own words, everything else as CloudFormation."""

from dataclasses import replace
from typing import Any

from tests.parity.cloudformation import files, logical, source_arn, things, variables, vpc
from tests.parity.project import (
    Batches,
    Bucket,
    Call,
    Daily,
    Here,
    Layer,
    LayerPermission,
    Project,
    Queue,
    Table,
    Uploads,
    Written,
)
from tests.parity.writing import Ref, finished, yaml

#: What the framework calls the function's resource.
FUNCTION = "OrdersLambdaFunction"


def written(project: Project) -> Written:
    """A service of one function; its folder is the code."""
    layers = [each for each in project.things if isinstance(each, Layer)]
    function: dict[str, Any] = {
        "handler": None if project.is_image else project.handler,
        "runtime": None if project.is_image else project.runtime,
        "image": project.image_uri or ("orders" if project.dockerfile else None),
        "timeout": project.timeout,
        "memorySize": project.memory,
        "ephemeralStorageSize": project.tmp,
        "architecture": project.architecture,
        "environment": variables(project) or None,
        "layers": [*project.layers, *(Ref(f"{logical(each.name)}LambdaLayer") for each in layers)] or None,
        "vpc": vpc(project.network, "subnetIds", "securityGroupIds") if project.network else None,
        "package": _package(project),
        "events": [_event(trigger, project) for trigger in project.invoked_by] or None,
    }
    stated_elsewhere = tuple(each for each in project.things if not isinstance(each, Layer | LayerPermission))
    rest = things(replace(project, things=stated_elsewhere), function=FUNCTION)
    others = {name: each for name, each in rest.items() if not _is_own(name, project)}
    function = {key: value for key, value in function.items() if value is not None}
    name = Here("orders") if project.archive_here and project.archive is None else "orders"
    service: dict[str, Any] = {
        "service": "shop",
        "frameworkVersion": "4",
        "provider": _provider(project),
        "functions": {name: function, **({"sibling": _sibling(function, project)} if project.sibling else {})},
        "layers": dict(_layer(each, project) for each in layers) or None,
        "resources": {"Resources": others} if others else None,
    }
    stated = {key: value for key, value in service.items() if value is not None}
    return finished({"serverless.yml": yaml(stated), **files(project, "")})


def _provider(project: Project) -> dict[str, Any]:
    provider: dict[str, Any] = {"name": "aws", "runtime": "python3.13", "region": "eu-central-1"}
    if project.dockerfile:
        provider["ecr"] = {"images": {"orders": {"path": "./"}}}
    return provider


def _layer(layer: Layer, project: Project) -> tuple[Any, dict[str, Any]]:
    """The key and the settings of a layer, with those who may use it."""
    settings = {
        "package": {"artifact": f"{layer.name}.zip"},
        "compatibleRuntimes": list(layer.runtimes) or None,
        "allowedAccounts": [each.principal for each in project.things if isinstance(each, LayerPermission)] or None,
    }
    stated = {key: value for key, value in settings.items() if value is not None}
    return Here(layer.name) if layer.here else layer.name, stated


def _sibling(function: dict[str, Any], project: Project) -> dict[str, Any]:
    """A second function with the same code."""
    return {**function, "handler": project.sibling, "package": _package(replace(project, archive_here=False))}


def _package(project: Project) -> dict[str, Any] | None:
    if project.archive is None:
        return None
    return {"artifact": Here("orders.zip") if project.archive_here else "orders.zip"}


def _is_own(name: Any, project: Project) -> bool:
    """Whether the framework declares a resource itself: a bucket that invokes."""
    return name in {logical(each.bucket) for each in project.invoked_by if isinstance(each, Uploads)}


def _event(trigger: Any, project: Project) -> dict[Any, Any]:
    match trigger:
        case Batches(source, size, reports, bisects, here):
            thing = project.thing(source)
            kind = "sqs" if isinstance(thing, Queue) else "stream"
            stream = None if kind == "sqs" else "dynamodb" if isinstance(thing, Table) else "kinesis"
            settings = {
                "type": stream,
                "arn": source_arn(project, source),
                "batchSize": size,
                "functionResponseType": "ReportBatchItemFailures" if reports else None,
                "bisectBatchOnFunctionError": bisects or None,
            }
            stated = {key: value for key, value in settings.items() if value is not None}
            return {Here(kind) if here else kind: stated}
        case Uploads(bucket):
            assert isinstance(project.thing(bucket), Bucket)
            return {"s3": {"bucket": f"shop-{bucket}", "event": "s3:ObjectCreated:*"}}
        case Call("rest"):
            return {"http": {"path": "/orders", "method": "get"}}
        case Call("http"):
            return {"httpApi": "GET /orders"}
        case Daily():
            return {"schedule": "rate(1 day)"}
    raise AssertionError(trigger)
