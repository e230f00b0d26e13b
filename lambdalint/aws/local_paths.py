"""Where templates may name files of whoever deploys them."""

from collections.abc import Sequence

from lambdalint.aws.tables import table


def local_paths(resource_type: str) -> Sequence[tuple[str, ...]]:
    """The properties of a type of resource that may, each as the keys that lead to it."""
    return [tuple(path.split(".")) for path in table("local_paths")["properties"].get(resource_type, ())]


def global_paths(section: str) -> Sequence[str]:
    """Those of a section of SAM's ``Globals``."""
    names: Sequence[str] = table("local_paths")["globals"].get(section, ())
    return names


def metadata_paths(holder: str) -> Sequence[tuple[str, ...]]:
    """Those in the metadata of a ``resource`` or of the ``template``."""
    return [tuple(path.split("/")) for path in table("local_paths")["metadata"][holder]]


def package_path(resource_type: str, *, image: bool) -> tuple[str, ...] | None:
    """The property that names what is built for a resource; ``None`` where there is none."""
    found = table("local_paths")["packages"].get(resource_type, {}).get("image" if image else "archive")
    return tuple(found) if found else None
