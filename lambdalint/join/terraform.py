"""Terraform configurations: a root module's resources, functions and layers, by CloudFormation's names."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lambdalint.join.called import function_of
from lambdalint.join.cloudformation import Declared, declared_function, declared_layer
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.properties import text_of
from lambdalint.join.resource_types import FUNCTION, LAYER, PERMISSION
from lambdalint.join.terraform_code import Uploads, builds_image
from lambdalint.join.terraform_community import Community, community, packaged
from lambdalint.join.terraform_evaluate import LOCAL, evaluate
from lambdalint.join.terraform_resources import Loose, shaped
from lambdalint.join.triggers import declared_triggers
from lambdalint.model.function import Code, CodeKind, Permission, Trigger
from lambdalint.model.template import Dialect, Resource, Template
from lambdalint.model.terraform import TerraformProject, TerraformResource
from lambdalint.model.values import Property
from lambdalint.readers.tree import Mounted

#: The file that stands for a root module, where there is one of this name.
MAIN: Final = "main.tf"


def declare_terraform(tree: Mounted, folder: str, inputs: Inputs, said: Said) -> Iterator[Declared]:
    """What the root module in *folder* declares, its local modules included."""
    project = evaluate(tree, folder, inputs, said)
    if path := _path(project):
        yield declared(project, path, tree, said)


def _path(project: TerraformProject) -> str | None:
    """The file that stands for the root module."""
    own = [path for path in project.files if path.rpartition("/")[0] == project.folder]
    return next((path for path in own if path.rpartition("/")[2] == MAIN), own[0] if own else None)


def declared(project: TerraformProject, path: str, tree: Mounted, said: Said) -> Declared:
    """What *project*, a configuration or a plan, declares; *path* is the file that stands for it."""
    made = community(project.module_calls)
    everything = replace(project, resources=(*project.resources, *made.resources), module_calls=made.others)
    said.notes += [
        f"{source} is a module from elsewhere and was not looked at"
        for call in made.others
        if (source := text_of(call.source) or call.address) and not source.startswith(LOCAL) and not builds_image(call)
    ]
    found = shaped(everything, made.moved, path, said)
    template = Template(path, Dialect.TERRAFORM, found.resources)
    uploads = Uploads(tree, project.folder, project.resources, path, project.module_calls)
    result = Declared(template)
    terraform = {each.address: each for each in everything.resources}
    for resource in template.resources.values():
        if resource.type == FUNCTION:
            code = _code(terraform[resource.name], made, uploads)
            function = declared_function(resource, resource.properties, template, code)
            result.functions.append(replace(function, region=_region(terraform[resource.name])))
        elif resource.type == LAYER:
            code = _code(terraform[resource.name], made, uploads) or Code(CodeKind.REMOTE, resource.span)
            result.layers.append(replace(declared_layer(resource, "Content", template, tree), code=code))
        elif resource.type == PERMISSION:
            result.permissions.append(_permission(resource, template))
    result.triggers += declared_triggers(template)
    result.triggers += [trigger for part in found.loose for trigger in _triggers(part, template)]
    return result


def _code(resource: TerraformResource, made: Community, uploads: Uploads) -> Code | None:
    call = made.calls.get(resource.address)
    return uploads.of(resource) if call is None else packaged(call, uploads)


def _region(resource: TerraformResource) -> Property | None:
    """The region that the block names, or else its provider's."""
    return resource.attributes.get("region") or (resource.provider.region if resource.provider else None)


def _permission(resource: Resource, template: Template) -> Permission:
    function = function_of(resource.properties.get("FunctionName"), template.resources)
    return Permission(function, resource.span, resource.properties)


def _triggers(part: Loose, template: Template) -> Iterator[Trigger]:
    if function := function_of(part.function, template.resources):
        yield Trigger(part.kind, part.name, function, part.span, settings=part.settings)
