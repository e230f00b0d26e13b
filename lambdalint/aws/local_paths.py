"""Where a template may name files of whoever deploys it."""

from collections.abc import Sequence

from lambdalint.aws.tables import table


def local_paths(resource_type: str) -> Sequence[tuple[str, ...]]:
    """The properties of a type of resource that may, each as the keys that lead to it; ``*`` is any key."""
    return _split(_listed("properties", resource_type))


def image_paths(resource_type: str) -> Sequence[tuple[str, ...]]:
    """Those that name an archive of an image where there is such a file."""
    return _split(_listed("images", resource_type))


def global_paths(section: str) -> Sequence[str]:
    """Those of a section of SAM's ``Globals``."""
    return _listed("globals", section)


def resource_metadata_paths() -> Sequence[str]:
    """Those in the metadata of any resource."""
    return _listed("resource_metadata", "paths")


def template_metadata_paths(name: str) -> Sequence[str]:
    """Those below *name* in the metadata of a template."""
    return _listed("template_metadata", name)


def transform_path(name: str) -> str | None:
    """The parameter of a transform that may; ``None`` where none does."""
    found = table("local_paths")["transforms"].get(name)
    return found if isinstance(found, str) else None


def package_path(resource_type: str, *, image: bool) -> tuple[str, ...] | None:
    """The property that names what is built for a resource; ``None`` where there is none."""
    found = table("local_paths")["packages"].get(resource_type, {}).get("image" if image else "archive")
    return tuple(found.split(".")) if found else None


def _listed(name: str, key: str) -> Sequence[str]:
    found: Sequence[str] = table("local_paths")[name].get(key, ())
    return found


def _split(paths: Sequence[str]) -> Sequence[tuple[str, ...]]:
    return [tuple(path.split(".")) for path in paths]
