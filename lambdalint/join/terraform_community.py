"""Community modules that are read by their name: the resources that a call of one makes, by the table of modules."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lambdalint.aws.terraform import CommunityModule, Made, community_module
from lambdalint.join.properties import items_of, properties_of, text_of
from lambdalint.join.terraform_code import Uploads, is_said
from lambdalint.join.terraform_policies import statement_of
from lambdalint.model.function import Code, CodeKind
from lambdalint.model.places import Span
from lambdalint.model.terraform import TerraformModuleCall, TerraformResource
from lambdalint.model.values import Known, Properties, Property, Reference, Unknown

LAMBDA: Final = "terraform-aws-modules/lambda/aws"
_PACKAGED: Final = ("aws_lambda_function", "aws_lambda_layer_version")

#: Policies of AWS that the module copies, by the switch that asks for it; and what it writes itself.
#: Source: https://github.com/terraform-aws-modules/terraform-aws-lambda/blob/master/iam.tf
_MANAGED: Final = {
    "attach_network_policy": "arn:aws:iam::aws:policy/service-role/AWSLambdaENIManagementAccess",
    "attach_tracing_policy": "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
}
_WRITTEN: Final[Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]]] = {
    "attach_cloudwatch_logs_policy": (
        "logs",
        ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
        (),
    ),
    "attach_dead_letter_policy": ("dead_letter", ("sns:Publish", "sqs:SendMessage"), ("dead_letter_target_arn",)),
    "attach_async_event_policy": (
        "async",
        ("sns:Publish", "sqs:SendMessage", "events:PutEvents", "lambda:InvokeFunction"),
        ("destination_on_failure", "destination_on_success"),
    ),
}


@dataclass(frozen=True, slots=True)
class Community:
    """What calls of community modules make: resources, and where references to their outputs lead.

    *calls* are those by the address of a function or layer that they make; *others* are of modules that nobody knows.
    """

    resources: tuple[TerraformResource, ...]
    moved: Mapping[Reference, Reference]
    calls: Mapping[str, TerraformModuleCall]
    others: tuple[TerraformModuleCall, ...]


def community(calls: Iterable[TerraformModuleCall]) -> Community:
    """The resources that *calls* make."""
    resources: list[TerraformResource] = []
    moved: dict[Reference, Reference] = {}
    makers: dict[str, TerraformModuleCall] = {}
    others: list[TerraformModuleCall] = []
    for call in calls:
        source = text_of(call.source)
        module = community_module(source) if source else None
        if module is None:
            others.append(call)
            continue
        for output, target in module.outputs.items():
            address, _, attribute = target.rpartition(".")
            moved[Reference(call.address, output)] = Reference(f"{call.address}.{address}", attribute)
        made = list(_resources(call, module))
        resources += made
        if module.name == LAMBDA:
            makers |= {each.address: call for each in made if each.type in _PACKAGED}
            resources += _policies(call, module)
    return Community(tuple(resources), moved, makers, tuple(others))


def _resources(call: TerraformModuleCall, module: CommunityModule) -> Iterator[TerraformResource]:
    for made in module.resources:
        state = _state(call, module, made.when)
        if state is False:
            continue
        if made.each is None:
            yield _resource(call, made, made.address, call.arguments, call.span, state)
            continue
        items = call.arguments.get(made.each)
        if isinstance(items, Unknown):
            yield _resource(call, made, f"{made.address}[each.key]", {}, items.span, None)
            continue
        for key, item in properties_of(items).items():
            given = properties_of(item)
            yield _resource(call, made, f'{made.address}["{key}"]', given, item.span, state)


def _resource(
    call: TerraformModuleCall, made: Made, address: str, inputs: Properties, span: Span, state: bool | None
) -> TerraformResource:
    attributes: dict[str, Property] = {}
    for name, path in made.arguments:
        if is_said(inputs, name):
            _set(attributes, path, inputs[name])
    for name, default in made.defaults.items():
        attributes.setdefault(name, Known(default, span, stated=False))
    for name, target in made.given.items():
        where, _, attribute = target.rpartition(".")
        reference = Reference(f"{call.address}.{where}", attribute)
        attributes[name] = Unknown(f"{reference.resource}.{attribute}", call.span, reference)
    if made.type == "aws_lambda_permission" and "principal" not in attributes:
        service = inputs.get("service")
        if service is not None:
            attributes["principal"] = _principal(service)
    if made.type == "aws_iam_role":
        attributes["assume_role_policy"] = _trust(call)
    return TerraformResource(
        address=f"{call.address}.{address}",
        type=made.type,
        name=made.address.split(".")[1].partition("[")[0],
        attributes=_roled(call, attributes) if made.type == "aws_lambda_function" else attributes,
        span=call.span if made.each is None else span,
        extent=call.extent,
        module=call.address,
        folder=call.folder,
        condition=call.condition or ("a switch of the module" if state is None else None),
        provider=call.provider,
    )


def _roled(call: TerraformModuleCall, attributes: dict[str, Property]) -> dict[str, Property]:
    """A function has the role that the module makes, unless it is told not to make one."""
    if _switch(call, "create_role", True) is not False:
        reference = Reference(f"{call.address}.aws_iam_role.lambda[0]", "arn")
        attributes["role"] = Unknown(f"{reference.resource}.arn", call.span, reference)
    package = text_of(attributes.get("package_type"))
    if package is not None and package != "Zip":
        attributes.pop("handler", None)
        attributes.pop("runtime", None)
    return attributes


def _set(attributes: dict[str, Property], path: tuple[str, ...], value: Property) -> None:
    *way, last = path
    for name in way:
        holder = attributes.setdefault(name, Known({}, value.span))
        assert isinstance(holder, Known)
        attributes = holder.value
    attributes[last] = value


def _principal(service: Property) -> Property:
    if isinstance(service, Known):
        return Known(f"{service.value}.amazonaws.com", service.span, service.stated, service.parameter)
    return Unknown(f'"${{{service.expression}}}.amazonaws.com"', service.span)


def _state(call: TerraformModuleCall, module: CommunityModule, when: tuple[str, ...]) -> bool | None:
    """Whether all of the switches are as they must be; ``None`` when that is not known."""
    unsure = False
    for name in when:
        found = _switch(call, name.removeprefix("!"), name.removeprefix("!") in module.on)
        if found is None:
            unsure = True
        elif found is name.startswith("!"):
            return False
    return None if unsure else True


def _switch(call: TerraformModuleCall, name: str, default: bool) -> bool | None:
    value = call.arguments.get(name)
    if value is None or not is_said(call.arguments, name):
        return default
    return value.value in (True, "true", 1) if isinstance(value, Known) else None


def _trust(call: TerraformModuleCall) -> Property:
    services = ["lambda.amazonaws.com"]
    if _switch(call, "lambda_at_edge", False):
        services.append("edgelambda.amazonaws.com")
    if is_said(call.arguments, "trusted_entities"):
        return Unknown("trusted_entities", call.arguments["trusted_entities"].span)
    return _document([_statement(call.span, ("sts:AssumeRole",), principals=tuple(services))], call.span)


def _policies(call: TerraformModuleCall, module: CommunityModule) -> Iterator[TerraformResource]:
    """The policies of the role that the module makes."""
    if _state(call, module, ("create", "create_function", "!create_layer", "create_role")) is False:
        return

    def on(name: str) -> bool:
        return _switch(call, name, name in module.on) is not False

    for switch, (name, actions, targets) in _WRITTEN.items():
        if on(switch):
            given = [call.arguments[each] for each in targets if each in call.arguments]
            if not targets:
                given = [_refers(call, "aws_cloudwatch_log_group.lambda[0]", "arn")]
            yield _policy(call, name, _document([_statement(call.span, actions, resources=tuple(given))], call.span))
    if on("attach_policy_statements") and (stated := call.arguments.get("policy_statements")) is not None:
        yield _policy(call, "additional_inline", _stated(stated))
    if on("attach_policy_json") and (text := call.arguments.get("policy_json")) is not None:
        yield _policy(call, "additional_json", text)
    if on("attach_policy_jsons"):
        for number, text in enumerate(items_of(call.arguments.get("policy_jsons"))):
            yield _policy(call, f"additional_jsons[{number}]", text)
    arns = [Known(arn, call.span, stated=False) for switch, arn in _MANAGED.items() if on(switch)]
    attached: list[Property] = [*arns]
    if on("attach_policy") and (arn := call.arguments.get("policy")) is not None:
        attached.append(arn)
    if on("attach_policies"):
        attached += items_of(call.arguments.get("policies"))
    for number, arn in enumerate(attached):
        yield _of_role(call, "aws_iam_role_policy_attachment", f"additional_many[{number}]", {"policy_arn": arn})


def _policy(call: TerraformModuleCall, name: str, document: Property) -> TerraformResource:
    indexed = name if name.endswith("]") else f"{name}[0]"
    return _of_role(call, "aws_iam_role_policy", indexed, {"policy": document})


def _of_role(call: TerraformModuleCall, kind: str, name: str, attributes: Properties) -> TerraformResource:
    return TerraformResource(
        address=f"{call.address}.{kind}.{name}",
        type=kind,
        name=name.partition("[")[0],
        attributes={**attributes, "role": _refers(call, "aws_iam_role.lambda[0]", "name")},
        span=call.span,
        extent=call.extent,
        module=call.address,
        folder=call.folder,
        condition=call.condition,
    )


def _refers(call: TerraformModuleCall, address: str, attribute: str) -> Unknown:
    reference = Reference(f"{call.address}.{address}", attribute)
    return Unknown(f"{reference.resource}.{attribute}", call.span, reference)


def _stated(statements: Property) -> Property:
    """``policy_statements``: a map or list of what a policy document's blocks hold."""
    if isinstance(statements, Unknown):
        return statements
    listed = properties_of(statements).values() or items_of(statements)
    made = [Known(statement_of(properties_of(each)), each.span) for each in listed]
    return _document(made, statements.span)


def _document(statements: list[Known[dict[str, Property]]], span: Span) -> Property:
    return Known(
        {"Version": Known("2012-10-17", span, stated=False), "Statement": Known(tuple(statements), span)}, span
    )


def _statement(
    span: Span, actions: tuple[str, ...], *, resources: tuple[Property, ...] = (), principals: tuple[str, ...] = ()
) -> Known[dict[str, Property]]:
    def texts(values: tuple[str, ...]) -> Property:
        return Known(tuple(Known(value, span, stated=False) for value in values), span, stated=False)

    made: dict[str, Property] = {"Effect": Known("Allow", span, stated=False), "Action": texts(actions)}
    if resources:
        made["Resource"] = Known(resources, span)
    if principals:
        made["Principal"] = Known({"Service": texts(principals)}, span)
    return Known(made, span)


def packaged(call: TerraformModuleCall, uploads: Uploads) -> Code | None:
    """The code that a call of the Lambda module packages, or is given; ``None`` when it is unknown where."""
    arguments = call.arguments
    if is_said(arguments, "image_uri"):
        return uploads.image(arguments["image_uri"])
    via_s3 = _switch(call, "store_on_s3", False) is not False
    if (existing := arguments.get("local_existing_package")) is not None:
        code = uploads.at(existing)
        return replace(code, via_s3=via_s3) if code else None
    if (existing := arguments.get("s3_existing_package")) is not None:
        return Code(CodeKind.REMOTE, existing.span)
    source = arguments.get("source_path")
    if source is None or _switch(call, "create_package", True) is not True:
        return None
    code = uploads.of_source_path(source, layer=_switch(call, "create_layer", False) is True)
    return replace(code, via_s3=via_s3) if code else None
