"""Packaging, wired: plan each function and layer, let the rules look at the plans, write those that they pass."""

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from lambdalint.engine.planned import Planned
from lambdalint.engine.result import Result
from lambdalint.errors import Refused, UsageError
from lambdalint.model.finding import Finding, Severity
from lambdalint.model.project import Project
from lambdalint.packager.build import Packager
from lambdalint.packager.host import Host
from lambdalint.packager.options import Options
from lambdalint.packager.plan import Kind, Plan
from lambdalint.packager.write import Written, whole, write
from lambdalint.packaging.order import Order
from lambdalint.packaging.workshop import Workshop, failure
from lambdalint.readers.tree import Folder
from lambdalint.reporters.packages.document import EmittedTemplate, Package, Packaging, Part
from lambdalint.reporters.wording import listed, size

if TYPE_CHECKING:
    from lambdalint.packager.image.build import ImagePlan
    from lambdalint.packager.kept import Kept
    from lambdalint.packager.shared_layers import SharedLayer


def packaged(
    tree: Folder,
    order: Order,
    options: Options,
    *,
    check: Callable[[Callable[[Project], Planned]], Result],
    progress: Callable[[str], None],
    kept: "Kept | None" = None,
    host: Host | None = None,
) -> Packaging:
    """Plan, check and write what *order* asks for of the project in *tree*.

    *options* say how to build; the folder that is written to is left out of packages in any case.  *check* runs the
    rules over the artifacts that its argument gives for a project.  A function with an error is not written.  *kept*
    knows what was written before, *host* is the machine to build on, by default this one.

    Raises:
        LambdalintError: nothing can be packaged as asked; what cannot be built is a failure in the answer instead.
    """
    started = perf_counter()
    _check_order(order, options)

    def say(stage: str, name: str, done: int, total: int) -> None:
        progress(f"{stage} {name}" + (f" ({done} of {total})" if total > 1 else ""))

    out = order.out.resolve()
    inside = out.relative_to(tree.root).as_posix() if out.is_relative_to(tree.root) else None
    leaving = replace(options.leaving, out=(inside,) if inside and inside != "." else ())
    with Packager(tree, replace(options, leaving=leaving), host, say) as packager:
        shop = Workshop(packager, order, options.shares_layers)
        result = check(shop.planned)
        refused = _refused(result, shop)
        packages: list[Package] = []
        done: dict[str, tuple[Plan, Written]] = {}
        for plan in shop.plans:
            image = shop.images.get(plan.name)
            if plan.kind is Kind.IMAGE and image is None:
                continue
            package = _package(plan, shop, refused=plan.name in refused)
            notes = [*plan.notes, *_about(plan, shop), *(image.notes if image else ())]
            if not package.refused and not order.plan_only:

                def make(plan: Plan = plan, image: "ImagePlan | None" = image) -> Written:
                    return write(plan, order.folder, say) if image is None else _delivered(image, order, packager)

                try:
                    written = kept.written(plan, image, make) if kept else make()
                    sbom = _write_sbom(plan, written, image) if order.sboms else None
                except Refused as error:
                    shop.failures.append(failure(plan.name, plan.source.path if plan.source else "", error))
                    continue
                done[plan.name] = plan, written
                notes += written.notes
                package = _as_written(package, written, order, sbom)
            packages.append(replace(package, asides=tuple(notes)))
        templates: tuple[EmittedTemplate, ...] = ()
        if order.emit_template and not order.plan_only:
            from lambdalint.packaging.templates import emitted

            templates = emitted(shop, tree, done, result.shown)
    return Packaging(
        packages=tuple(packages),
        templates=templates,
        skipped=tuple((each.name, each.reason) for each in shop.skipped),
        check=replace(result, failures=(*result.failures, *shop.failures)),
        seconds=perf_counter() - started,
        asked=tuple(order.functions),
    )


def _check_order(order: Order, options: Options) -> None:
    """Let what is asked for fit together.

    Raises:
        UsageError: it does not, or needs a library that is not installed.
    """
    if order.emit_template and options.kind is Kind.LAYER:
        raise UsageError(
            "a layer is no code that a function can have, so that no template can name it",
            hint="leave out --kind layer or --emit-template",
        )
    if options.shares_layers and options.kind not in (None, Kind.ZIP):
        raise UsageError(
            f"a function that is a package of the kind {options.kind.value} has no layers",
            hint="leave out --kind or --layers shared",
        )
    if order.sboms:
        from lambdalint.packager.sbom import check_library

        check_library()


def _refused(result: Result, shop: Workshop) -> set[str | None]:
    """The names of what has an error, or loads a module with one."""
    assert shop.project is not None
    loaders = shop.project.loaders()
    refused: set[str | None] = set()
    for finding in result.findings:
        if finding.severity is Severity.ERROR:
            refused.add(finding.function or _layer(finding, shop))
            refused.update(function.name for function in loaders.get(finding.path, ()) if finding.function is None)
    return refused


def _layer(finding: Finding, shop: Workshop) -> str | None:
    """The layer whose plan a finding is about."""
    return next(
        (
            plan.name
            for plan in shop.plans
            if shop.path(plan) == finding.path or (plan.kind is Kind.LAYER and plan.source == finding.at)
        ),
        None,
    )


def _delivered(image: "ImagePlan", order: Order, packager: Packager) -> Written:
    from lambdalint.packager.image.write import deliver

    return deliver(image, order.to, order.folder, packager.bench)


def _write_sbom(plan: Plan, written: Written, image: "ImagePlan | None") -> str:
    """The name of the bill of materials of what was *written*, which now lies beside its manifest."""
    from lambdalint.packager.sbom import sbom

    path = written.manifest_path.with_name(f"{plan.stem}.cdx.json")
    with whole(path) as (place,):
        place.write_bytes(sbom(plan, written.sha256, image.base if image else None))
    return path.name


def _about(plan: Plan, shop: Workshop) -> tuple[str, ...]:
    """What there is to say of a shared layer; with a template that is emitted, functions have it by that."""
    layer = _shared(plan, shop)
    if layer is None:
        return ()
    said = f"{listed(list(layer.functions))} are {size(layer.saved_bytes)} shorter by it, zipped"
    if shop.order.emit_template:
        return (said,)
    return (f"{said}: attach arn:aws:lambda:REGION:ACCOUNT:layer:{layer.name}:VERSION to them",)


def _shared(plan: Plan, shop: Workshop) -> "SharedLayer | None":
    return next((each for each in shop.shared if each.plan is plan), None)


def _package(plan: Plan, shop: Workshop, *, refused: bool) -> Package:
    layer = _shared(plan, shop)
    parts = tuple(Part(each.origin, each.files, each.unpacked_bytes, each.packed_bytes) for each in plan.shares())
    return Package(
        name=plan.name,
        kind=plan.kind.value,
        path=shop.path(plan),
        runtime=plan.target.runtime,
        architecture=plan.target.architecture,
        files=len(plan.entries),
        unpacked_bytes=plan.unpacked_bytes,
        parts=parts,
        refused=refused,
        handler=plan.handler,
        tree_sha256=plan.tree_sha256,
        functions=layer.functions if layer else (),
    )


def _as_written(package: Package, written: Written, order: Order, sbom: str | None) -> Package:
    return replace(
        package,
        packed_bytes=written.packed_bytes,
        sha256=written.sha256,
        image_uri=written.image_uri,
        manifest=(order.out / written.manifest_path.name).as_posix(),
        sbom=(order.out / sbom).as_posix() if sbom else None,
    )
