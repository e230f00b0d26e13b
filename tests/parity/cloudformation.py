"""Projects as CloudFormation: YAML and JSON, and SAM on top of them."""

from collections.abc import Iterator, Mapping
from typing import Any

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
from tests.parity.writing import Att, Ref, Sub, as_json, finished, yaml

FUNCTION = "Orders"
ROLE = "arn:aws:iam::111122223333:role/orders"

Resources = dict[Any, dict[str, Any]]


def logical(name: str) -> str:
    """A name as logical ids are written."""
    return name.title().replace("-", "")


def written_yaml(project: Project) -> Written:
    """A template in YAML."""
    code = local_code(project, "src/", "orders.zip", "index.handler")
    return finished({"template.yaml": yaml({"Resources": resources(project, code)}), **files(project, "src/")})


def written_json(project: Project) -> Written:
    """A template in JSON."""
    code = local_code(project, "src/", "orders.zip", "index.handler")
    return finished({"template.json": as_json({"Resources": resources(project, code)}), **files(project, "src/")})


def written_sam(project: Project) -> Written:
    """A template for the SAM transform: its own functions, layers and events."""
    found = resources(project, {}, sam=True)
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": found}
    return finished({"template.yaml": yaml(template), **files(project, "src/")})


def files(project: Project, root: str) -> dict[str, str | bytes]:
    """Code and archives."""
    return dict(_files(project, root))


def _files(project: Project, root: str) -> Iterator[tuple[str, str | bytes]]:
    if project.archive:
        yield "orders.zip", project.archive()
    elif project.image:
        yield "orders.tar", project.image()
    elif not project.inline and not project.image_uri:
        for path, content in project.code.items():
            yield f"{root}{path}", content
    if project.dockerfile:
        yield f"{root}Dockerfile", project.dockerfile
    for layer in project.things:
        if isinstance(layer, Layer):
            yield f"{layer.name}.zip", layer.archive()


def local_code(project: Project, folder: str, archive: str, handler: str) -> dict[str, Any]:
    """The properties that say where the code is."""
    if project.inline:
        [content] = project.code.values()
        return {"Code": {"ZipFile": content}, "Handler": handler}
    if project.archive:
        return {"Code": Here(archive) if project.archive_here else archive, "Handler": project.handler}
    if project.is_image:
        return {"PackageType": "Image", "Code": {"ImageUri": image_uri(project)}}
    return {"Code": Here(folder) if project.archive_here else folder, "Handler": project.handler}


def image_uri(project: Project) -> Any:
    """Where the image is: a place that is stated, an archive, or wherever it is pushed once it is built."""
    if project.image:
        return Here("orders.tar") if project.archive_here else "orders.tar"
    return project.image_uri or Sub("${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/orders:1")


def resources(project: Project, code: Mapping[str, Any], *, sam: bool = False) -> Resources:
    """The resources by logical id; *code* are the properties that say where the code is."""
    found: Resources = {}
    layers = [Ref(logical(each.name)) for each in project.things if isinstance(each, Layer)]
    settings: dict[str, Any] = {
        "Runtime": None if project.is_image else project.runtime,
        "Timeout": project.timeout,
        "MemorySize": project.memory,
        "EphemeralStorage": None if project.tmp is None else {"Size": project.tmp},
        "Architectures": None if project.architecture is None else [project.architecture],
        "Environment": {"Variables": variables(project)} if project.env else None,
        "Layers": [*project.layers, *layers] or None,
        "VpcConfig": vpc(project.network, "SubnetIds", "SecurityGroupIds") if project.network else None,
    }
    if sam:
        found[FUNCTION] = _sam_function(project, settings)
    else:
        found[FUNCTION] = resource("AWS::Lambda::Function", {"Role": ROLE, **code, **settings})
    if project.dockerfile:
        found[FUNCTION]["Metadata"] = {"Dockerfile": "Dockerfile", "DockerContext": "src"}
    if project.sibling:
        twin = _unmarked(found[FUNCTION])
        found["Sibling"] = {**twin, "Properties": {**twin["Properties"], "Handler": project.sibling}}
    found.update(things(project, sam=sam))
    if not sam:
        for number, trigger in enumerate(project.invoked_by):
            found.update(_trigger(trigger, number, project, found))
    return found


def resource(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """A resource without the properties that are ``None``."""
    stated = {key: value for key, value in properties.items() if value is not None}
    return {"Type": kind, "Properties": stated} if stated else {"Type": kind}


def variables(project: Project) -> dict[str, Any]:
    """The environment, with references as CloudFormation has them."""
    return {name: _reference(value, project) for name, value in project.env.items()}


def _reference(value: Any, project: Project) -> Any:
    match value:
        case Here(inner):
            return Here(_reference(inner, project))
        case Of(name, "arn"):
            thing = project.thing(name)
            return Ref(logical(name)) if isinstance(thing, Topic) else Att(logical(name), "Arn")
        case Of(name, "name") if isinstance(project.thing(name), Queue | Topic):
            return Att(logical(name), f"{type(project.thing(name)).__name__}Name")
        case Of(name, "url" | "name"):
            return Ref(logical(name))
    return value


def vpc(network: Network, subnets: str, groups: str) -> Any:
    """The function's place in the network."""
    found = {subnets: [Ref("Private")], groups: [Att("Group", "GroupId")]}
    return Here(found) if network.here else found


def things(project: Project, *, sam: bool = False, function: str = FUNCTION) -> Resources:
    """All but the function and what invokes it; *function* is its logical id."""
    found: Resources = {}
    for number, thing in enumerate(project.things):
        match thing:
            case Queue(name, visibility, here, fifo):
                key: Any = Here(logical(name)) if here else logical(name)
                found[key] = resource("AWS::SQS::Queue", {"VisibilityTimeout": visibility, "FifoQueue": fifo or None})
            case Topic(name, queue, raw):
                found[logical(name)] = resource("AWS::SNS::Topic", {})
                if queue is not None:
                    endpoint = {"Protocol": "sqs", "Endpoint": Att(logical(queue), "Arn")}
                    settings = {"TopicArn": Ref(logical(name)), **endpoint, "RawMessageDelivery": raw or None}
                    found[logical(f"{name}-{queue}")] = resource("AWS::SNS::Subscription", settings)
            case Bucket(name):
                found[logical(name)] = resource("AWS::S3::Bucket", {})
            case Stream(name):
                found[logical(name)] = resource("AWS::Kinesis::Stream", {"ShardCount": 1})
            case Table(name):
                found[logical(name)] = resource("AWS::DynamoDB::Table", _TABLE)
            case Layer(name, runtimes=runtimes, here=here):
                kind, content = ("Serverless", "ContentUri") if sam else ("Lambda", "Content")
                settings = {content: f"{name}.zip", "CompatibleRuntimes": list(runtimes) or None}
                key = Here(logical(name)) if here else logical(name)
                found[key] = resource(f"AWS::{kind}::LayerVersion", settings)
            case LayerPermission(layer, principal):
                settings = {
                    "LayerVersionArn": Ref(logical(layer)),
                    "Action": "lambda:GetLayerVersion",
                    "Principal": principal,
                }
                found[f"Permission{number}"] = resource("AWS::Lambda::LayerVersionPermission", settings)
            case Permission(principal, account):
                settings = {
                    "FunctionName": Ref(function),
                    "Action": "lambda:InvokeFunction",
                    "Principal": principal,
                    "SourceAccount": account,
                }
                found[f"Permission{number}"] = resource("AWS::Lambda::Permission", settings)
            case Distribution(name):
                found["Version"] = resource("AWS::Lambda::Version", {"FunctionName": Ref(function)})
                found[logical(name)] = resource("AWS::CloudFront::Distribution", {"DistributionConfig": _AT_THE_EDGE})
            case _:
                raise AssertionError(thing)
    if project.network:
        found.update(_network(project.network))
    return found


def _network(network: Network) -> Resources:
    table = {"RouteTableId": Ref("Table")}
    found = {
        "Vpc": resource("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}),
        "Group": resource("AWS::EC2::SecurityGroup", {"GroupDescription": "orders", "VpcId": Ref("Vpc")}),
        "Private": resource("AWS::EC2::Subnet", {"VpcId": Ref("Vpc"), "CidrBlock": "10.0.1.0/24"}),
        "Table": resource("AWS::EC2::RouteTable", {"VpcId": Ref("Vpc")}),
        "Uses": resource("AWS::EC2::SubnetRouteTableAssociation", {"SubnetId": Ref("Private"), **table}),
    }
    if network.gateway == "nat":
        found["Nat"] = resource(
            "AWS::EC2::NatGateway", {"SubnetId": "subnet-0a1b2c3d", "AllocationId": "eipalloc-0a1b"}
        )
        route = {**table, "DestinationCidrBlock": network.destination, "NatGatewayId": Ref("Nat")}
        found["Route"] = resource("AWS::EC2::Route", route)
    elif network.gateway == "internet":
        found["Gateway"] = resource("AWS::EC2::InternetGateway", {})
        attached = {"VpcId": Ref("Vpc"), "InternetGatewayId": Ref("Gateway")}
        found["Attached"] = resource("AWS::EC2::VPCGatewayAttachment", attached)
        route = {**table, "DestinationCidrBlock": network.destination, "GatewayId": Ref("Gateway")}
        found["Route"] = resource("AWS::EC2::Route", route)
    for service in network.endpoints:
        gateway = service in ("s3", "dynamodb")
        settings = {
            "VpcId": Ref("Vpc"),
            "VpcEndpointType": "Gateway" if gateway else "Interface",
            "ServiceName": Sub(f"com.amazonaws.${{AWS::Region}}.{service}"),
            "RouteTableIds": [Ref("Table")] if gateway else None,
            "SubnetIds": None if gateway else [Ref("Private")],
        }
        found[f"{logical(service)}Endpoint"] = resource("AWS::EC2::VPCEndpoint", settings)
    return found


def _trigger(trigger: Any, number: int, project: Project, found: Resources) -> Resources:
    match trigger:
        case Batches(source, size, reports, bisects, here):
            settings = {
                "FunctionName": Ref(FUNCTION),
                "EventSourceArn": source_arn(project, source),
                "BatchSize": size,
                "StartingPosition": None if isinstance(project.thing(source), Queue) else "LATEST",
                "FunctionResponseTypes": ["ReportBatchItemFailures"] if reports else None,
                "BisectBatchOnFunctionError": bisects or None,
            }
            key: Any = Here(f"Mapping{number}") if here else f"Mapping{number}"
            return {key: resource("AWS::Lambda::EventSourceMapping", settings)}
        case Uploads(bucket):
            configuration = {"Event": "s3:ObjectCreated:*", "Function": Att(FUNCTION, "Arn")}
            found[logical(bucket)]["Properties"] = {
                "NotificationConfiguration": {"LambdaConfigurations": [configuration]},
            }
            return {}
        case Call("rest"):
            return rest_api()
        case Call("http"):
            return http_api()
        case Daily():
            target = {"Id": "orders", "Arn": Att(FUNCTION, "Arn")}
            settings = {"ScheduleExpression": "rate(1 day)", "Targets": [target]}
            return {"Daily": resource("AWS::Events::Rule", settings)}
    raise AssertionError(trigger)


def source_arn(project: Project, name: str) -> Att:
    """The ARN that a mapping reads from."""
    return Att(logical(name), "StreamArn" if isinstance(project.thing(name), Table) else "Arn")


def rest_api() -> Resources:
    """``GET /orders`` of a REST API."""
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Orders.Arn}/invocations"
    method = {
        "HttpMethod": "GET",
        "AuthorizationType": "AWS_IAM",
        "RestApiId": Ref("Api"),
        "ResourceId": Att("Api", "RootResourceId"),
        "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": Sub(uri)},
    }
    return {
        "Api": resource("AWS::ApiGateway::RestApi", {"Name": "orders"}),
        "Method": resource("AWS::ApiGateway::Method", method),
    }


def http_api() -> Resources:
    """``GET /orders`` of an HTTP API."""
    integration = {
        "ApiId": Ref("Api"),
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": Att(FUNCTION, "Arn"),
        "PayloadFormatVersion": "2.0",
    }
    route = {"ApiId": Ref("Api"), "RouteKey": "GET /orders", "Target": Sub("integrations/${Integration}")}
    return {
        "Api": resource("AWS::ApiGatewayV2::Api", {"Name": "orders", "ProtocolType": "HTTP"}),
        "Integration": resource("AWS::ApiGatewayV2::Integration", integration),
        "Route": resource("AWS::ApiGatewayV2::Route", route),
    }


def _unmarked(value: Any) -> Any:
    """*value* without marks in it."""
    if isinstance(value, Here):
        return _unmarked(value.value)
    return {key: _unmarked(each) for key, each in value.items()} if isinstance(value, dict) else value


def _sam_function(project: Project, settings: dict[str, Any]) -> dict[str, Any]:
    if project.inline:
        [content] = project.code.values()
        code: dict[str, Any] = {"InlineCode": content, "Handler": "index.handler"}
    elif project.is_image:
        stated = {} if project.dockerfile else {"ImageUri": image_uri(project)}
        code = {"PackageType": "Image", **stated}
    else:
        uri: Any = "orders.zip" if project.archive else "src/"
        code = {"CodeUri": Here(uri) if project.archive_here else uri, "Handler": project.handler}
    events = dict(_sam_event(trigger, number, project) for number, trigger in enumerate(project.invoked_by))
    return resource("AWS::Serverless::Function", {**code, **settings, "Events": events or None})


def _sam_event(trigger: Any, number: int, project: Project) -> tuple[Any, dict[str, Any]]:
    name: Any = f"Event{number}"
    match trigger:
        case Batches(source, size, reports, bisects, here):
            kind = {Queue: "SQS", Stream: "Kinesis", Table: "DynamoDB"}[type(project.thing(source))]
            settings = {
                "Queue" if kind == "SQS" else "Stream": source_arn(project, source),
                "BatchSize": size,
                "StartingPosition": None if kind == "SQS" else "LATEST",
                "FunctionResponseTypes": ["ReportBatchItemFailures"] if reports else None,
                "BisectBatchOnFunctionError": bisects or None,
            }
            return Here(name) if here else name, resource(kind, settings)
        case Uploads(bucket):
            return name, resource("S3", {"Bucket": Ref(logical(bucket)), "Events": "s3:ObjectCreated:*"})
        case Call("rest"):
            return name, resource("Api", {"Path": "/orders", "Method": "get"})
        case Call("http"):
            return name, resource("HttpApi", {"Path": "/orders", "Method": "get"})
        case Daily():
            return name, resource("Schedule", {"Schedule": "rate(1 day)"})
    raise AssertionError(trigger)


_TABLE = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
}

_AT_THE_EDGE = {
    "Enabled": True,
    "Origins": [
        {"Id": "site", "DomainName": "example.com", "CustomOriginConfig": {"OriginProtocolPolicy": "https-only"}}
    ],
    "DefaultCacheBehavior": {
        "TargetOriginId": "site",
        "ViewerProtocolPolicy": "https-only",
        "LambdaFunctionAssociations": [{"EventType": "origin-request", "LambdaFunctionARN": Ref("Version")}],
    },
}
