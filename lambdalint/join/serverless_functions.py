"""Functions and layers of a Serverless Framework service as resources of its stack.

Source: https://github.com/serverless/serverless/blob/main/packages/serverless/lib/plugins/aws/package/compile/functions.js
"""

from typing import Any, Final

from lambdalint.aws.serverless import framework_default, inherited_settings, role, section, settings
from lambdalint.join.serverless_nodes import (
    at,
    attribute,
    block,
    is_hidden,
    is_intrinsic,
    is_null,
    is_true,
    items,
    known,
    place,
    reference,
    several,
    text,
    unknown,
)
from lambdalint.join.serverless_stack import (
    Compiled,
    Service,
    Stack,
    function_name,
    made_role,
    normalized,
    stated_role,
)
from lambdalint.model.document import Mapping, Node, Scalar
from lambdalint.model.places import Span

PERMISSION: Final = "AWS::Lambda::Permission"

_DURABLE: Final = {"executionTimeout": "ExecutionTimeout", "retentionPeriodInDays": "RetentionPeriodInDays"}
_CORS: Final = {
    "allowedOrigins": "AllowOrigins",
    "allowedHeaders": "AllowHeaders",
    "allowedMethods": "AllowMethods",
    "allowCredentials": "AllowCredentials",
    "exposedResponseHeaders": "ExposeHeaders",
    "maxAge": "MaxAge",
}
_DESTINATIONS: Final = {"onSuccess": "OnSuccess", "onFailure": "OnFailure"}
_IMAGE: Final = {"command": "Command", "entryPoint": "EntryPoint", "workingDirectory": "WorkingDirectory"}


def compile_function(stack: Stack, key: str, span: Span, node: Mapping) -> Compiled:
    """Add the function *key* to the stack, with all that comes with it but for its events."""
    service = stack.service
    function = Compiled(key, span, node, function_name(key), made_role(service, node, key))
    stack.add(
        function.logical,
        "AWS::Lambda::Function",
        _properties(stack, function),
        span,
        node.span,
        at(node, "condition"),
    )
    _log_group(stack, function)
    _url(stack, function)
    _asynchronous(stack, function)
    _alias(stack, function)
    return function


def compile_layer(stack: Stack, key: str, span: Span, node: Mapping) -> None:
    """Add the layer *key*; its content is given as a local path, as for ``aws cloudformation package``."""
    content = at(node, "package", "artifact") or at(node, "path")
    properties = {
        "Content": content or unknown("the layer's content", span),
        "LayerName": at(node, "name") or known(key, span, stated=False),
        "Description": at(node, "description"),
        "CompatibleRuntimes": at(node, "compatibleRuntimes"),
        "CompatibleArchitectures": at(node, "compatibleArchitectures"),
        "LicenseInfo": at(node, "licenseInfo"),
    }
    layer = f"{normalized(key)}LambdaLayer"
    stack.add(layer, "AWS::Lambda::LayerVersion", properties, span, node.span)
    for number, account in enumerate(items(at(node, "allowedAccounts"))):
        permission = {"LayerVersionArn": reference(layer, account.span), "Principal": account}
        stack.add(f"{layer}Permission{number}", "AWS::Lambda::LayerVersionPermission", permission, span, account.span)


def _properties(stack: Stack, function: Compiled) -> dict[str, Any]:
    service, node, span = stack.service, function.node, function.span
    provider = service.provider
    properties: dict[str, Any] = {"FunctionName": _name(service, function)}
    for key, path in settings().items():
        value = at(node, key)
        if value is None and key in inherited_settings():
            value = at(provider, key)
        if value is not None:
            place(properties, path, value)
    managed = at(node, "capacityProvider") is not None
    memory = framework_default("managed_instances_memory_mb" if managed else "memory_mb")
    properties.setdefault("MemorySize", known(memory, span, stated=False))
    properties.setdefault("Timeout", known(framework_default("timeout_s"), span, stated=False))
    properties["Role"] = _role(service, function)
    properties["Environment"] = _environment(provider, node)
    properties["VpcConfig"] = None if managed else _vpc(provider, node)
    properties["Layers"] = at(node, "layers") or at(provider, "layers")
    architecture = at(node, "architecture") or at(provider, "architecture")
    properties["Architectures"] = architecture and several(architecture.span, architecture)
    properties["TracingConfig"] = _tracing(stack, function)
    properties["LoggingConfig"] = _logging(provider, node)
    properties["FileSystemConfigs"] = _file_systems(stack, function)
    properties["Tags"] = _tags(provider, node)
    properties["DurableConfig"] = _renamed(at(node, "durableConfig"), _DURABLE)
    properties["CapacityProviderConfig"] = _capacity_provider(at(node, "capacityProvider"))
    snap_start = at(node, "snapStart")
    if is_hidden(snap_start):
        properties["SnapStart"] = snap_start
    elif is_true(snap_start) and snap_start is not None:
        properties["SnapStart"] = {"ApplyOn": known("PublishedVersions", snap_start.span)}
    _code(service, node, properties)
    if properties["VpcConfig"] is not None and function.role is not None:
        stack.policies.setdefault(function.role, [known(role("vpc_policy"), properties["VpcConfig"].span)])
    if "DeadLetterConfig" in properties:
        target = properties["DeadLetterConfig"]["TargetArn"]
        stack.allow(function.role, ("sns:Publish",), target, target.span)
    return properties


def _name(service: Service, function: Compiled) -> Node:
    stated = at(function.node, "name")
    if stated is not None:
        return stated
    name = service.own_name(function.key)
    if name is None:
        return unknown("the function's name", function.span)
    return known(name, function.span, stated=False)


def _code(service: Service, node: Mapping, properties: dict[str, Any]) -> None:
    image = at(node, "image")
    if image is None:
        if "Runtime" not in properties:
            # What the framework falls back to, a version of Node.js, differs from release to release.
            properties["Runtime"] = unknown("the framework's default", node.span)
        return
    properties.pop("Runtime", None)
    properties.pop("Handler", None)
    properties["PackageType"] = known("Image", image.span)
    uri = at(image, "uri") if isinstance(image, Mapping) and not is_intrinsic(image) else image
    known_uri = text(uri)
    if known_uri is None or "/" not in known_uri:
        uri = unknown("the image", image.span)
    properties["Code"] = {"ImageUri": uri}
    properties["ImageConfig"] = _renamed(image, _IMAGE)


def _role(service: Service, function: Compiled) -> Node:
    stated = stated_role(service, function.node)
    if stated is None:
        return attribute(str(function.role), "Arn", function.span)
    name = text(stated)
    if name is not None and not name.startswith("arn:"):
        return attribute(name, "Arn", stated.span)
    return stated


def _environment(provider: Node | None, node: Mapping) -> Any:
    for_all, own = at(provider, "environment"), at(node, "environment")
    hidden = next((each for each in (own, for_all) if is_hidden(each)), None)
    if hidden is not None:
        return {"Variables": hidden}
    variables = [each for each in (for_all, own) if isinstance(each, Mapping)]
    if not variables:
        return None
    merged: dict[str, Node] = {}
    spans: dict[str, Span] = {}
    for each in variables:
        merged |= each.items
        spans |= each.keys
    return {"Variables": Mapping(merged, spans, variables[-1].span)}


def _vpc(provider: Node | None, node: Mapping) -> Node | None:
    """Each part of the function's own, or else of the provider's; nothing for ``null`` and ``false``."""
    own = node.items.get("vpc")
    if own is not None and (is_null(own) or (isinstance(own, Scalar) and own.value is False)):
        return None
    for_all = at(provider, "vpc")
    own = at(own)
    if is_hidden(own) or (own is None and is_hidden(for_all)):
        return own or for_all
    parts = {name: at(own, key) or at(for_all, key) for key, name in section("vpc").items()}
    stated = own or for_all
    if stated is None or parts["SecurityGroupIds"] is None or parts["SubnetIds"] is None:
        return None
    return block(stated.span, parts)


def _tracing(stack: Stack, function: Compiled) -> Any:
    stated = at(function.node, "tracing") or at(stack.service.provider, "tracing", "lambda")
    if stated is None or (isinstance(stated, Scalar) and stated.value is False):
        return None
    stack.allow(function.role, tuple(role("tracing_actions")), known("*", stated.span), stated.span)
    return {"Mode": known("Active", stated.span) if is_true(stated) else stated}


def _logging(provider: Node | None, node: Mapping) -> Any:
    own, for_all = at(node, "logs"), at(provider, "logs", "lambda")
    if is_hidden(own):
        return own
    parts = {name: at(own, key) or at(for_all, key) for key, name in section("logs").items()}
    present = {name: part for name, part in parts.items() if part is not None}
    return present or None


def _file_systems(stack: Stack, function: Compiled) -> Node | None:
    stated = at(function.node, "fileSystemConfig")
    if stated is None or is_hidden(stated):
        return stated
    arn = at(stated, "arn")
    if arn is not None:
        actions = ("elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite")
        stack.allow(function.role, actions, arn, stated.span)
    return several(stated.span, block(stated.span, {"Arn": arn, "LocalMountPath": at(stated, "localMountPath")}))


def _tags(provider: Node | None, node: Mapping) -> Node | None:
    tags: dict[str, Node] = {}
    for stated in (at(provider, "tags"), at(node, "tags")):
        if is_hidden(stated):
            return stated
        if isinstance(stated, Mapping):
            tags |= stated.items
    if not tags:
        return None
    listed = (block(value.span, {"Key": known(name, value.span), "Value": value}) for name, value in tags.items())
    return several(node.span, *listed)


def _capacity_provider(stated: Node | None) -> Any:
    if stated is None:
        return None
    named = at(stated, "name") if isinstance(stated, Mapping) and not is_intrinsic(stated) else stated
    parts = {
        "CapacityProviderArn": named,
        "PerExecutionEnvironmentMaxConcurrency": at(stated, "maxConcurrency"),
        "ExecutionEnvironmentMemoryGiBPerVCpu": at(stated, "memoryPerVCpu"),
    }
    present = {name: part for name, part in parts.items() if part is not None}
    return {"LambdaManagedInstancesCapacityProviderConfig": present}


def _renamed(node: Node | None, names: dict[str, str]) -> Node | None:
    """The parts of *node* under CloudFormation's names; ``None`` when it has none."""
    if is_hidden(node):
        return node
    parts = {name: at(node, key) for key, name in names.items()}
    return block(node.span, parts) if node is not None and any(parts.values()) else None


def _log_group(stack: Stack, function: Compiled) -> None:
    provider, node = stack.service.provider, function.node
    if is_true(at(node, "disableLogs")) or (at(node, "logs", "logGroup") or at(provider, "logs", "lambda", "logGroup")):
        return
    name = text(at(node, "name")) or stack.service.own_name(function.key)
    group = (
        known(f"/aws/lambda/{name}", function.span, stated=False) if name else unknown("/aws/lambda/…", function.span)
    )
    days = at(node, "logRetentionInDays") or at(provider, "logRetentionInDays")
    properties = {"LogGroupName": group, "RetentionInDays": days}
    stack.add(f"{normalized(function.key)}LogGroup", "AWS::Logs::LogGroup", properties, function.span)


def _url(stack: Stack, function: Compiled) -> None:
    stated = at(function.node, "url")
    if stated is None or (isinstance(stated, Scalar) and stated.value is False):
        return
    span = function.node.keys["url"]
    authorizer, mode = at(stated, "authorizer"), at(stated, "invokeMode")
    auth = known("NONE", stated.span, stated=False)
    if is_hidden(stated) or is_hidden(authorizer):
        auth = unknown("the authorizer", stated.span)
    elif text(authorizer) == "aws_iam":
        auth = known("AWS_IAM", authorizer.span if authorizer else span)
    properties = {
        "AuthType": auth,
        "TargetFunctionArn": function.arn(span),
        "InvokeMode": mode,
        "Cors": _cors(at(stated, "cors")),
    }
    name = f"{normalized(function.key)}LambdaFunctionUrl"
    stack.add(name, "AWS::Lambda::Url", properties, span, stated.span)
    if text(auth) == "NONE":
        for suffix, action, key, value in (
            ("FnUrl", "lambda:InvokeFunctionUrl", "FunctionUrlAuthType", "NONE"),
            ("FnUrlInvokeFunction", "lambda:InvokeFunction", "InvokedViaFunctionUrl", True),
        ):
            permission = {
                "FunctionName": function.arn(span),
                "Action": known(action, span),
                "Principal": known("*", span),
                key: known(value, span),
            }
            stack.add(f"{normalized(function.key)}LambdaPermission{suffix}", PERMISSION, permission, span)


def _cors(stated: Node | None) -> Any:
    if stated is None or is_hidden(stated) or isinstance(stated, Mapping):
        return _renamed(stated, _CORS)
    if not is_true(stated):
        return None
    return {name: several(stated.span, known("*", stated.span)) for name in ("AllowOrigins", "AllowMethods")}


def _asynchronous(stack: Stack, function: Compiled) -> None:
    node = function.node
    destinations = at(node, "destinations")
    age, attempts = at(node, "maximumEventAge"), at(node, "maximumRetryAttempts")
    stated = next((each for each in (destinations, age, attempts) if each is not None), None)
    if stated is None:
        return
    config: Node | None = destinations
    if isinstance(destinations, Mapping):
        config = block(
            destinations.span,
            {
                name: block(target.span, {"Destination": _destination(target)})
                for key, name in _DESTINATIONS.items()
                if (target := at(destinations, key)) is not None
            },
        )
    properties = {
        "FunctionName": reference(function.logical, function.span),
        "Qualifier": known("$LATEST", function.span),
        "DestinationConfig": config,
        "MaximumEventAgeInSeconds": age,
        "MaximumRetryAttempts": attempts,
    }
    name = f"{normalized(function.key)}LambdaEvConf"
    stack.add(name, "AWS::Lambda::EventInvokeConfig", properties, function.span, stated.span)


def _destination(target: Node) -> Node:
    arn = at(target, "arn") if isinstance(target, Mapping) and not is_intrinsic(target) else target
    name = text(arn)
    if name is not None and not name.startswith("arn:"):
        return attribute(function_name(name), "Arn", target.span)
    return arn or unknown("the destination", target.span)


def _alias(stack: Stack, function: Compiled) -> None:
    stated = at(function.node, "provisionedConcurrency")
    if stated is None:
        return
    executions = at(stated, "executions") if isinstance(stated, Mapping) and not is_intrinsic(stated) else stated
    properties = {
        "FunctionName": reference(function.logical, stated.span),
        "Name": at(stated, "alias") or known("provisioned", stated.span, stated=False),
        "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": executions},
    }
    name = f"{normalized(function.key)}ProvConcLambdaAlias"
    stack.add(name, "AWS::Lambda::Alias", properties, function.node.keys["provisionedConcurrency"], stated.span)
