"""The plans of all that is packaged, each in the place of what it is made from, for the rules to look at."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from lambdalint.engine.planned import Planned
from lambdalint.engine.result import Failure
from lambdalint.errors import LambdalintError, UnreadableInput, UsageError
from lambdalint.model.artifact import Artifact
from lambdalint.model.function import Code, CodeKind, Function, Layer
from lambdalint.model.places import Span
from lambdalint.model.project import Project
from lambdalint.packager.build import Packager
from lambdalint.packager.plan import Kind, Plan, Skipped
from lambdalint.packager.workers import Workers
from lambdalint.packager.write import written_place
from lambdalint.packaging.order import Order

if TYPE_CHECKING:
    from lambdalint.packager.image.build import ImagePlan
    from lambdalint.packager.shared_layers import SharedLayer

#: Functions planned at a time; each waits for downloads, and shares what it can with the others.
_AT_ONCE = 4


@dataclass(slots=True)
class Workshop:
    """Plans the functions and layers of a project; what cannot be built goes to *failures*.

    *shares* says that what functions have in common goes into layers.  *project* is known once it is planned.
    """

    packager: Packager
    order: Order
    shares: bool = False
    project: Project | None = None
    plans: list[Plan] = field(default_factory=list)
    shared: "tuple[SharedLayer, ...]" = ()
    images: "dict[str, ImagePlan]" = field(default_factory=dict)
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
                        self.failures.append(failure(function.name, function.template or function.span.path, error))
        for layer in [] if self.order.functions else project.layers:
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
        return written_place(plan, self.order.to, self.order.out)

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
        for layer in project.layers if self.order.functions else ():
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
            self.failures.append(failure(layer.name, layer.span.path, error))
            return
        if isinstance(outcome, Skipped):
            self.skipped.append(outcome)
        else:
            self.plans.append(outcome)

    def _plan_image(self, plan: Plan) -> None:
        try:
            self.images[plan.name] = self.packager.image(plan)
        except LambdalintError as error:
            self.failures.append(failure(plan.name, plan.source.path if plan.source else "", error))

    def _outcome(self, function: Function) -> Plan | Skipped | LambdalintError:
        try:
            return self.packager.plan(function)
        except LambdalintError as error:
            return error

    def _wanted(self, project: Project) -> list[Function]:
        declared = [each for each in project.functions if each.template is not None]
        names = [function.name for function in declared]
        for name in self.order.functions:
            if name not in names:
                close = get_close_matches(name, names, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names) or 'none'}"
                raise UsageError(f"no function is called {name!r}", hint=hint)
        wanted = [each for each in declared if self.order.wants(each.name)]
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


def failure(name: str, path: str, error: LambdalintError) -> Failure:
    """That *name*, which is declared or built in the file at *path*, cannot be packaged."""
    line = ""
    if isinstance(error, UnreadableInput):
        path, line = error.path, f"line {error.line}: " if error.line > 1 else ""
    return Failure(path, f"{name} cannot be packaged: {line}{error.message}", error.hint)
