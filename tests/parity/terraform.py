"""Projects in Terraform: resources of the AWS provider, code packed by the archive provider."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tests.parity.cloudformation import ROLE, files
from tests.parity.project import (
    Batches,
    Bucket,
    Call,
    Daily,
    Distribution,
    Here,
    Layer,
    LayerPermission,
    Network,
    Of,
    Permission,
    Project,
    Queue,
    Stream,
    Table,
    Topic,
    Uploads,
    Written,
)
from tests.parity.writing import SIGN, Block, Expr, finished, hcl

_FUNCTION = "aws_lambda_function.orders"
_KINDS: Mapping[type, str] = {
    Queue: "aws_sqs_queue",
    Topic: "aws_sns_topic",
    Bucket: "aws_s3_bucket",
    Table: "aws_dynamodb_table",
    Stream: "aws_kinesis_stream",
    Layer: "aws_lambda_layer_version",
}

_Block = tuple[str, Mapping[str, Any]]


def written(project: Project) -> Written:
    """A root module of one file."""
    blocks = [
        *_code(project),
        _resource(_FUNCTION, _function(project)),
        *([_resource("aws_lambda_function.sibling", _sibling(project))] if project.sibling else ()),
        *(block for thing in project.things for block in _thing(thing)),
        *(block for trigger in project.invoked_by for block in _trigger(trigger, project)),
        *(_network(project.network) if project.network else ()),
    ]
    return finished({"main.tf": hcl(blocks), **files(project, "src/")})


def _resource(address: str, body: Mapping[str, Any], *, here: bool = False) -> _Block:
    kind, _, name = address.partition(".")
    return f'resource "{kind}" "{name}"{f" {SIGN}" if here else ""}', _stated(body)


def _stated(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value is not None}


def _code(project: Project) -> Iterator[_Block]:
    if project.dockerfile:
        built = {"name": "orders", "build": Block(context=Expr('"${path.module}/src"'))}
        yield 'resource "docker_image" "orders"', built
    elif project.archive is None and not project.is_image:
        folder = Expr('"${path.module}/src"')
        source = Here(folder) if project.archive_here else folder
        packed = {"type": "zip", "source_dir": source, "output_path": "orders-code.zip"}
        yield 'data "archive_file" "orders"', packed


def _function(project: Project) -> dict[str, Any]:
    layers = [Expr(f"{_address(each)}.arn") for each in project.things if isinstance(each, Layer)]
    return {
        "function_name": "orders",
        "role": ROLE,
        **_packed(project),
        "timeout": project.timeout,
        "memory_size": project.memory,
        "publish": True if any(isinstance(each, Distribution) for each in project.things) else None,
        "architectures": None if project.architecture is None else [project.architecture],
        "layers": [*project.layers, *layers] or None,
        "ephemeral_storage": None if project.tmp is None else Block(size=project.tmp),
        "environment": Block(variables=_variables(project)) if project.env else None,
        "vpc_config": _vpc(project.network) if project.network else None,
    }


def _packed(project: Project) -> dict[str, Any]:
    """What says where the code is, and how it is started."""
    if project.is_image:
        return {"package_type": "Image", "image_uri": project.image_uri or Expr("docker_image.orders.name")}
    code: Any = "orders.zip" if project.archive else Expr("data.archive_file.orders.output_path")
    return {
        "filename": Here(code) if project.archive and project.archive_here else code,
        "handler": project.handler,
        "runtime": project.runtime,
    }


def _sibling(project: Project) -> dict[str, Any]:
    """A second function with the same code."""
    code = replace(project, archive_here=False, handler=project.sibling)
    return {**_function(code), "function_name": "sibling"}


def _variables(project: Project) -> dict[str, Any]:
    return {name: _reference(value, project) for name, value in project.env.items()}


def _reference(value: Any, project: Project) -> Any:
    match value:
        case Here(inner):
            return Here(_reference(inner, project))
        case Of(name, kind):
            thing = project.thing(name)
            attribute = "bucket" if isinstance(thing, Bucket) and kind == "name" else kind
            return Expr(f"{_address(thing)}.{attribute}")
    return value


def _address(thing: Any) -> str:
    return f"{_KINDS[type(thing)]}.{thing.name.replace('-', '_')}"


def _vpc(network: Network) -> Any:
    block = Block(subnet_ids=[Expr("aws_subnet.private.id")], security_group_ids=[Expr("aws_security_group.group.id")])
    return Here(block) if network.here else block


def _thing(thing: Any) -> Iterator[_Block]:
    match thing:
        case Queue(name, visibility, here, fifo):
            ordered = {"name": f"{name}.fifo", "fifo_queue": True} if fifo else {"name": name}
            yield _resource(_address(thing), {**ordered, "visibility_timeout_seconds": visibility}, here=here)
        case Topic(name, queue, raw):
            yield _resource(_address(thing), {"name": name})
            if queue is not None:
                endpoint = {"protocol": "sqs", "endpoint": Expr(f"aws_sqs_queue.{queue}.arn")}
                settings = {
                    "topic_arn": Expr(f"{_address(thing)}.arn"),
                    **endpoint,
                    "raw_message_delivery": raw or None,
                }
                yield _resource(f"aws_sns_topic_subscription.{name}", settings)
        case Bucket(name):
            yield _resource(_address(thing), {"bucket": f"shop-{name}"})
        case Stream(name):
            yield _resource(_address(thing), {"name": name, "shard_count": 1})
        case Table(name):
            key = {"hash_key": "id", "attribute": Block(name="id", type="S")}
            stream = {"stream_enabled": True, "stream_view_type": "NEW_IMAGE"}
            yield _resource(_address(thing), {"name": name, "billing_mode": "PAY_PER_REQUEST", **key, **stream})
        case Layer(name, runtimes=runtimes, here=here):
            settings = {"layer_name": name, "filename": f"{name}.zip", "compatible_runtimes": list(runtimes) or None}
            yield _resource(_address(thing), settings, here=here)
        case LayerPermission(layer, principal):
            settings = {
                "layer_name": Expr(f"aws_lambda_layer_version.{layer}.layer_name"),
                "version_number": Expr(f"aws_lambda_layer_version.{layer}.version"),
                "statement_id": "everybody",
                "action": "lambda:GetLayerVersion",
                "principal": principal,
            }
            yield _resource("aws_lambda_layer_version_permission.layer", settings)
        case Permission(principal, account):
            settings = {
                "function_name": Expr(f"{_FUNCTION}.function_name"),
                "action": "lambda:InvokeFunction",
                "principal": principal,
                "source_account": account,
            }
            yield _resource("aws_lambda_permission.invoke", settings)
        case Distribution(name):
            association = Block(event_type="origin-request", lambda_arn=Expr(f"{_FUNCTION}.qualified_arn"))
            behavior = Block(
                target_origin_id="site", viewer_protocol_policy="https-only", lambda_function_association=association
            )
            origin = Block(origin_id="site", domain_name="example.com")
            settings = {"enabled": True, "origin": origin, "default_cache_behavior": behavior}
            yield _resource(f"aws_cloudfront_distribution.{name}", settings)
        case _:
            raise AssertionError(thing)


def _trigger(trigger: Any, project: Project) -> Iterator[_Block]:
    arn = Expr(f"{_FUNCTION}.arn")
    match trigger:
        case Batches(source, size, reports, bisects, here):
            thing = project.thing(source)
            settings = {
                "function_name": arn,
                "event_source_arn": Expr(f"{_address(thing)}.{'stream_arn' if isinstance(thing, Table) else 'arn'}"),
                "batch_size": size,
                "starting_position": None if isinstance(thing, Queue) else "LATEST",
                "function_response_types": ["ReportBatchItemFailures"] if reports else None,
                "bisect_batch_on_function_error": bisects or None,
            }
            yield _resource("aws_lambda_event_source_mapping.mapping", settings, here=here)
        case Uploads(bucket):
            told = Block(lambda_function_arn=arn, events=["s3:ObjectCreated:*"])
            settings = {"bucket": Expr(f"{_address(project.thing(bucket))}.id"), "lambda_function": told}
            yield _resource("aws_s3_bucket_notification.uploads", settings)
        case Call("rest"):
            yield from _rest_api()
        case Call("http"):
            yield from _http_api()
        case Daily():
            yield _resource("aws_cloudwatch_event_rule.daily", {"schedule_expression": "rate(1 day)"})
            target = {"rule": Expr("aws_cloudwatch_event_rule.daily.name"), "arn": arn}
            yield _resource("aws_cloudwatch_event_target.daily", target)
        case _:
            raise AssertionError(trigger)


def _rest_api() -> Iterator[_Block]:
    api = {"rest_api_id": Expr("aws_api_gateway_rest_api.api.id")}
    place = {**api, "resource_id": Expr("aws_api_gateway_resource.orders.id"), "http_method": "GET"}
    root = Expr("aws_api_gateway_rest_api.api.root_resource_id")
    yield _resource("aws_api_gateway_rest_api.api", {"name": "orders"})
    yield _resource("aws_api_gateway_resource.orders", {**api, "parent_id": root, "path_part": "orders"})
    yield _resource("aws_api_gateway_method.get", {**place, "authorization": "AWS_IAM"})
    settings = {"type": "AWS_PROXY", "integration_http_method": "POST", "uri": Expr(f"{_FUNCTION}.invoke_arn")}
    yield _resource("aws_api_gateway_integration.orders", {**place, **settings})


def _http_api() -> Iterator[_Block]:
    api = {"api_id": Expr("aws_apigatewayv2_api.api.id")}
    settings = {
        "integration_type": "AWS_PROXY",
        "integration_uri": Expr(f"{_FUNCTION}.invoke_arn"),
        "payload_format_version": "2.0",
    }
    target = Expr('"integrations/${aws_apigatewayv2_integration.orders.id}"')
    yield _resource("aws_apigatewayv2_api.api", {"name": "orders", "protocol_type": "HTTP"})
    yield _resource("aws_apigatewayv2_integration.orders", {**api, **settings})
    yield _resource("aws_apigatewayv2_route.get", {**api, "route_key": "GET /orders", "target": target})


def _network(network: Network) -> Iterator[_Block]:
    vpc = {"vpc_id": Expr("aws_vpc.vpc.id")}
    table = {"route_table_id": Expr("aws_route_table.table.id")}
    yield _resource("aws_vpc.vpc", {"cidr_block": "10.0.0.0/16"})
    yield _resource("aws_security_group.group", {"description": "orders", **vpc})
    yield _resource("aws_subnet.private", {"cidr_block": "10.0.1.0/24", **vpc})
    yield _resource("aws_route_table.table", vpc)
    yield _resource("aws_route_table_association.uses", {"subnet_id": Expr("aws_subnet.private.id"), **table})
    if network.gateway == "nat":
        yield _resource("aws_nat_gateway.nat", {"subnet_id": "subnet-0a1b2c3d", "allocation_id": "eipalloc-0a1b"})
        target = {"nat_gateway_id": Expr("aws_nat_gateway.nat.id")}
        yield _resource("aws_route.default", {**table, "destination_cidr_block": network.destination, **target})
    elif network.gateway == "internet":
        yield _resource("aws_internet_gateway.gateway", vpc)
        target = {"gateway_id": Expr("aws_internet_gateway.gateway.id")}
        yield _resource("aws_route.default", {**table, "destination_cidr_block": network.destination, **target})
    for service in network.endpoints:
        gateway = service in ("s3", "dynamodb")
        settings = {
            **vpc,
            "vpc_endpoint_type": "Gateway" if gateway else "Interface",
            "service_name": f"com.amazonaws.eu-central-1.{service}",
            "route_table_ids": [Expr("aws_route_table.table.id")] if gateway else None,
            "subnet_ids": None if gateway else [Expr("aws_subnet.private.id")],
        }
        yield _resource(f"aws_vpc_endpoint.{service}", settings)
