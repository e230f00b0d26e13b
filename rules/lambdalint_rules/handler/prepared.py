"""Functions whose environments are made before anybody waits for them."""

from typing import Final

from lambdalint.rule import Function, Known, Project, Property, Resource

_KEPT_READY: Final = ("AWS::Lambda::Alias", "AWS::Lambda::Version")


def is_prepared(function: Function, project: Project) -> bool:
    """Whether SnapStart, provisioned concurrency or instances of its own take init out of the caller's way, or may."""
    snap_start = function.resource.get("SnapStart", "ApplyOn")
    if snap_start is not None and not (isinstance(snap_start, Known) and snap_start.value == "None"):
        return True
    if function.resource.get("CapacityProviderConfig") or function.resource.get("ProvisionedConcurrencyConfig"):
        return True
    return any(
        _is_provisioned(each)
        for template in project.templates
        if template.path == function.template
        for each in template.resources.values()
    )


def _is_provisioned(resource: Resource) -> bool:
    # Whose alias it is may be said in many ways; one in the template is taken to be of every function in it.
    found: Property | None = resource.get("ProvisionedConcurrencyConfig") or resource.get(
        "ProvisionedConcurrentExecutions"
    )
    return found is not None and resource.type in _KEPT_READY
