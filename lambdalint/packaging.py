"""Packaging, wired: plan each function and layer, let the rules look at the plans, write those that they pass."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from lambdalint.engine.planned import Planned
from lambdalint.engine.result import Failure, Result
from lambdalint.errors import LambdalintError, Refused, UnreadableInput, UsageError
from lambdalint.model.artifact import Artifact
from lambdalint.model.finding import Finding, Severity
from lambdalint.model.function import Code, CodeKind, Function, Layer
from lambdalint.model.places import Span
from lambdalint.model.project import Project
from lambdalint.packager.build import Packager
from lambdalint.packager.host import Host
from lambdalint.packager.image.build import ImagePlan
from lambdalint.packager.image.write import deliver, written_place
from lambdalint.packager.options import Options
from lambdalint.packager.plan import Kind, Plan, Skipped
from lambdalint.packager.workers import Workers
from lambdalint.packager.write import Written, whole, write
from lambdalint.readers.tree import Folder
from lambdalint.reporters.packages.document import EmittedTemplate, Package, Packaging, Part
from lambdalint.reporters.wording import listed, size

if TYPE_CHECKING:
    from lambdalint.packager.kept import Kept
    from lambdalint.packager.shared_layers import SharedLayer

#: Functions planned at a time; each waits for downloads, and shares what it can with the others.
_AT_ONCE = 4


@dataclass(slots=True)
class Workshop:
    """Plans the functions and layers of a project; what cannot be built goes to *failures*.

    *out* is where files go, as the reader sees it, and *to* where images do; *functions* are the only ones wanted, if
    there are any.  *shares* says that what functions have in common goes into layers.  *project* is known once it is
    planned.
    """

    packager: Packager
    out: Path
    functions: Sequence[str]
    to: str
    shares: bool = False
    project: Project | None = None
    plans: list[Plan] = field(default_factory=list)
    shared: "tuple[SharedLayer, ...]" = ()
    images: dict[str, ImagePlan] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def planned(self, project: Project) -> Planned:
        """The plans of the project's functions and layers, for the rules.

        Raises:
            UsageError: a wanted function does not exist, or two would be written to the same file.
        """
        self.project = project
        wanted = self._wanted(project)
        with Workers(_AT_ONCE) as pool:
            for function, outcome in zip(wanted, pool.map(self._outcome, wanted), strict=True):
                match outcome:
                    case Plan():
                        self.plans.append(outcome)
                    case Skipped():
                        self.skipped.append(outcome)
                    case error:
                        self.failures.append(_failure(function.name, function.template or function.span.path, error))
        for layer in [] if self.functions else project.layers:
            self._plan_layer(layer, [each for each in project.functions if layer.name in _layer_names(each)])
        if self.shares:
            self._share(project, wanted)
        stems: dict[str, Plan] = {}
        for plan in self.plans:
            other = stems.setdefault(plan.stem, plan)
            if other is not plan:
                raise UsageError(
                    f"{other.name} and {plan.name} would both be written to {self.path(plan)}",
                    hint="package them one at a time, with --function and --out",
                )
        owners: list[Function | Layer] = [*wanted, *project.layers]
        via_s3 = {each.name: each.artifact.via_s3 if each.artifact else None for each in owners}
        via_s3 |= {each.name: each.via_s3 for each in self.shared}
        artifacts = {plan.name: plan.artifact(self.path(plan), via_s3=via_s3.get(plan.name)) for plan in self.plans}
        for plan in self.plans:
            if plan.kind is Kind.IMAGE:
                self._plan_image(plan)
        return Planned(
            functions={name: each for name, each in artifacts.items() if not each.layer},
            layers={name: each for name, each in artifacts.items() if each.layer},
            images=tuple(image.described(self.path(image.plan)) for image in self.images.values()),
            attached=self._attached(artifacts),
        )

    def path(self, plan: Plan) -> str:
        """Where the artifact of *plan* is or would be."""
        return written_place(plan, self.to, self.out)

    def _share(self, project: Project, wanted: Sequence[Function]) -> None:
        """Take what functions have in common out of their plans, into layers."""
        from lambdalint.packager.shared_layers import Sharer, shared, sharer

        functions = {function.name: function for function in wanted}
        layers = self._layer_artifacts(project, wanted)
        sharers: list[Sharer] = []
        for place, plan in enumerate(self.plans):
            if plan.kind is not Kind.ZIP:
                continue
            found = sharer(functions[plan.name], plan, layers)
            if isinstance(found, Sharer):
                sharers.append(found)
            elif plan.distributions:
                self.plans[place] = replace(plan, notes=(*plan.notes, f"it shares no layers: {found}"))
        done = shared(sharers, self.packager.compile)
        self.plans = [done.plans.get(plan.name, plan) for plan in self.plans]
        self.plans += [each.plan for each in done.layers]
        self.shared = done.layers

    def _layer_artifacts(self, project: Project, wanted: Sequence[Function]) -> dict[str, Artifact]:
        """What the declared layers of the *wanted* functions will hold, as far as that is known."""
        found = {plan.name: plan.artifact() for plan in self.plans if plan.kind is Kind.LAYER}
        for layer in project.layers if self.functions else ():
            if any(layer.name in _layer_names(each) for each in wanted):
                with suppress(LambdalintError):
                    users = [each for each in project.functions if layer.name in _layer_names(each)]
                    outcome = self.packager.plan_layer(layer, users)
                    if isinstance(outcome, Plan):
                        found[layer.name] = outcome.artifact()
        return found

    def _attached(self, artifacts: Mapping[str, Artifact]) -> dict[str, tuple[Layer, ...]]:
        """The shared layers, by the names of the functions that have them."""
        found: dict[str, tuple[Layer, ...]] = {}
        for each in self.shared:
            path = self.path(each.plan)
            at = Span.whole(path)
            code = Code(CodeKind.ZIP, at, path, path)
            layer = Layer(each.name, at, code, each.runtimes, each.architectures, artifacts[each.name])
            for name in each.functions:
                found[name] = (*found.get(name, ()), layer)
        return found

    def _plan_layer(self, layer: Layer, users: Sequence[Function]) -> None:
        try:
            outcome = self.packager.plan_layer(layer, users)
        except LambdalintError as error:
            self.failures.append(_failure(layer.name, layer.span.path, error))
            return
        if isinstance(outcome, Skipped):
            self.skipped.append(outcome)
        else:
            self.plans.append(outcome)

    def _plan_image(self, plan: Plan) -> None:
        try:
            self.images[plan.name] = self.packager.image(plan)
        except LambdalintError as error:
            self.failures.append(_failure(plan.name, plan.source.path if plan.source else "", error))

    def _outcome(self, function: Function) -> Plan | Skipped | LambdalintError:
        try:
            return self.packager.plan(function)
        except LambdalintError as error:
            return error

    def _wanted(self, project: Project) -> list[Function]:
        declared = [each for each in project.functions if each.template is not None]
        names = [function.name for function in declared]
        for name in self.functions:
            if name not in names:
                close = get_close_matches(name, names, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names) or 'none'}"
                raise UsageError(f"no function is called {name!r}", hint=hint)
        wanted = [each for each in declared if not self.functions or each.name in self.functions]
        first: dict[str, Function] = {}
        for function in wanted:
            other = first.setdefault(function.name, function)
            if other is not function:
                raise UsageError(
                    f"{other.template} and {function.template} both declare {function.name}",
                    hint="give one of the templates as PATH",
                )
        return wanted


def _layer_names(function: Function) -> set[str]:
    return {layer.name for layer in function.local_layers}


def _failure(name: str, path: str, error: LambdalintError) -> Failure:
    line = ""
    if isinstance(error, UnreadableInput):
        path, line = error.path, f"line {error.line}: " if error.line > 1 else ""
    return Failure(path, f"{name} cannot be packaged: {line}{error.message}", error.hint)


def packaged(
    tree: Folder,
    out: Path,
    functions: Sequence[str],
    *,
    to: str,
    plan_only: bool,
    emit_template: bool,
    sboms: bool,
    progress: Callable[[str], None],
    options: Options,
    check: Callable[[Callable[[Project], Planned]], Result],
    kept: "Kept | None" = None,
    host: Host | None = None,
    into: Path | None = None,
) -> Packaging:
    """Plan, check and, unless *plan_only*, write the packages of *functions* (all of them if none is named).

    *options* say how to build; the folder *out* is left out of packages in any case.  *check* runs the rules over the
    artifacts that its argument gives for a project.  A function with an error is not written.  With *emit_template*
    there are templates that name what was written, with *sboms* bills of materials beside it.  *host* is the machine to
    build on, by default this one, and *into* is written to instead of *out*.

    Raises:
        LambdalintError: nothing can be packaged as asked; what cannot be built is a failure in the answer instead.
    """
    started = perf_counter()
    if emit_template and options.kind is Kind.LAYER:
        raise UsageError(
            "a layer is no code that a function can have, so that no template can name it",
            hint="leave out --kind layer or --emit-template",
        )

    if options.shares_layers and options.kind not in (None, Kind.ZIP):
        raise UsageError(
            f"a function that is a package of the kind {options.kind.value} has no layers",
            hint="leave out --kind or --layers shared",
        )

    if sboms:
        from lambdalint.packager.sbom import check_library

        check_library()

    def say(stage: str, name: str, done: int, total: int) -> None:
        progress(f"{stage} {name}" + (f" ({done} of {total})" if total > 1 else ""))

    folder = out.resolve()
    inside = folder.relative_to(tree.root).as_posix() if folder.is_relative_to(tree.root) else None
    leaving = replace(options.leaving, out=(inside,) if inside and inside != "." else ())
    folder = into or folder
    with Packager(tree, replace(options, leaving=leaving), host, say) as packager:
        shop = Workshop(packager, out, functions, to, options.shares_layers)
        result = check(shop.planned)
        refused = {each.function or _subject(each, shop) for each in result.findings if each.severity is Severity.ERROR}
        packages = []
        done: dict[str, tuple[Plan, Written]] = {}
        for plan in shop.plans:
            image = shop.images.get(plan.name)
            if plan.kind is Kind.IMAGE and image is None:
                continue
            written = sbom = None
            if plan.name not in refused and not plan_only:
                try:
                    make = (
                        partial(deliver, image, to, folder, packager.bench)
                        if image
                        else partial(write, plan, folder, say)
                    )
                    written = kept.written(plan, image, make) if kept else make()
                    sbom = _write_sbom(plan, written, image) if sboms else None
                except Refused as error:
                    shop.failures.append(_failure(plan.name, plan.source.path if plan.source else "", error))
                    continue
            shared = next((each for each in shop.shared if each.plan is plan), None)
            about = (_about(shared, attached=emit_template),) if shared else ()
            notes = (*plan.notes, *about, *(image.notes if image else ()), *(written.notes if written else ()))
            if written is not None:
                done[plan.name] = plan, written
            manifest = (out / written.manifest_path.name).as_posix() if written else None
            package = _package(plan, shop.path(plan), written, notes, refused=plan.name in refused)
            packages.append(
                replace(
                    package,
                    functions=shared.functions if shared else (),
                    manifest=manifest,
                    sbom=(out / sbom).as_posix() if sbom else None,
                )
            )
    return Packaging(
        packages=tuple(packages),
        templates=_emitted(shop, tree, folder, done, result.shown) if emit_template and not plan_only else (),
        skipped=tuple((each.name, each.reason) for each in shop.skipped),
        check=replace(result, failures=(*result.failures, *shop.failures)),
        seconds=perf_counter() - started,
        asked=tuple(functions),
    )


def _about(layer: "SharedLayer", *, attached: bool) -> str:
    """What there is to say of a shared layer; with a template that is emitted, functions have it by that."""
    said = f"{listed(list(layer.functions))} are {size(layer.saved_bytes)} shorter by it, zipped"
    return said if attached else f"{said}: attach arn:aws:lambda:REGION:ACCOUNT:layer:{layer.name}:VERSION to them"


def _emitted(
    shop: Workshop, tree: Folder, folder: Path, done: Mapping[str, tuple[Plan, Written]], shown: Callable[[str], str]
) -> tuple[EmittedTemplate, ...]:
    """The templates that name what is *done*, which are written into *folder* or beside the configuration."""
    from lambdalint.emission import emission, write
    from lambdalint.emission.declarations import Built, LayerPackage, declarations

    assert shop.project is not None
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
    skipped = {each.name: each.reason for each in shop.skipped}
    declared = declarations(
        shop.project,
        {name: each for name, each in built.items() if name not in without_layer},
        skipped,
        lambda name: name in shop.functions if shop.functions else True,
    )
    taken = {place for _, each in done.values() for place in (each.path, each.manifest_path)}
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
    emitted = write(emission(tree, tuple(declared), layers, folder), taken)
    shop.failures += [Failure(path, error.message, error.hint) for path, error in emitted.failures]

    def seen(place: Path) -> str:
        if place.is_relative_to(folder):
            return (shop.out / place.relative_to(folder)).as_posix()
        return shown(place.relative_to(tree.root).as_posix())

    return tuple(EmittedTemplate(seen(each.path), each.content is not None, each.notes) for each in emitted.files)


def _write_sbom(plan: Plan, written: Written, image: ImagePlan | None) -> str:
    """The name of the bill of materials of what was *written*, which now lies beside its manifest."""
    from lambdalint.packager.sbom import sbom

    path = written.manifest_path.with_name(f"{plan.stem}.cdx.json")
    with whole(path) as (place,):
        place.write_bytes(sbom(plan, written.sha256, image.base if image else None))
    return path.name


def _subject(finding: Finding, shop: Workshop) -> str | None:
    """The layer whose plan a finding is about."""
    return next(
        (
            plan.name
            for plan in shop.plans
            if shop.path(plan) == finding.path or (plan.kind is Kind.LAYER and plan.source == finding.at)
        ),
        None,
    )


def _package(plan: Plan, path: str, written: Written | None, notes: tuple[str, ...], *, refused: bool) -> Package:
    parts = tuple(Part(each.origin, each.files, each.unpacked_bytes, each.packed_bytes) for each in plan.shares())
    return Package(
        name=plan.name,
        kind=plan.kind.value,
        path=path,
        runtime=plan.target.runtime,
        architecture=plan.target.architecture,
        files=len(plan.entries),
        unpacked_bytes=plan.unpacked_bytes,
        packed_bytes=written.packed_bytes if written else None,
        sha256=written.sha256 if written else None,
        asides=notes,
        parts=parts,
        refused=refused,
        handler=plan.handler,
        tree_sha256=plan.tree_sha256,
        image_uri=written.image_uri if written else None,
    )
