"""Templates that name what was packaged, beside it or beside the configuration."""

from collections.abc import Callable, Mapping
from pathlib import Path

from lambdalint.emission import emission, write
from lambdalint.emission.declarations import Built, LayerPackage, declarations
from lambdalint.engine.result import Failure
from lambdalint.packager.plan import Plan
from lambdalint.packager.write import Written
from lambdalint.packaging.workshop import Workshop
from lambdalint.readers.tree import Folder
from lambdalint.reporters.packages.document import EmittedTemplate


def emitted(
    shop: Workshop, tree: Folder, done: Mapping[str, tuple[Plan, Written]], shown: Callable[[str], str]
) -> tuple[EmittedTemplate, ...]:
    """The templates that name what is *done*, by name; what goes wrong is a failure of *shop*.

    *shown* gives a path of *tree* as the reader sees it.
    """
    assert shop.project is not None
    folder = shop.order.folder
    built = {
        name: Built(
            kind=plan.kind,
            sha256=each.sha256,
            packed_bytes=each.packed_bytes,
            path=each.path,
            image_uri=each.image_uri,
        )
        for name, (plan, each) in done.items()
    }
    without_layer = {name for each in shop.shared if each.name not in built for name in each.functions}
    declared = declarations(
        shop.project,
        {name: each for name, each in built.items() if name not in without_layer},
        {each.name: each.reason for each in shop.skipped},
        shop.order.wants,
    )
    layers = [
        LayerPackage(
            name=each.name,
            path=built[each.name].path,
            runtimes=each.runtimes,
            architectures=each.architectures,
            functions=each.functions,
        )
        for each in shop.shared
        if each.name in built
    ]
    taken = {place for _, each in done.values() for place in (each.path, each.manifest_path)}
    found = write(emission(tree, tuple(declared), layers, folder), taken)
    shop.failures += [Failure(path, error.message, error.hint) for path, error in found.failures]

    def seen(place: Path) -> str:
        if place.is_relative_to(folder):
            return (shop.order.out / place.relative_to(folder)).as_posix()
        return shown(place.relative_to(tree.root).as_posix())

    return tuple(EmittedTemplate(seen(each.path), each.content is not None, each.notes) for each in found.files)
