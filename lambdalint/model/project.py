"""All that was found under the paths given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from lambdalint.model.artifact import Artifact
from lambdalint.model.boot import Measured
from lambdalint.model.function import Function, Layer, Permission, Trigger
from lambdalint.model.image import Image
from lambdalint.model.policy import Policy
from lambdalint.model.template import Template


@dataclass(frozen=True, slots=True)
class Module:
    """A Python module of the project; for inline code *path* is made of the template's path and the function's name."""

    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """Functions, templates, artifacts, images and modules, joined.

    *today* is the day that dated facts are judged by.  *measured* is what starting some functions showed, *policy* what
    the project itself wants.
    """

    functions: tuple[Function, ...]
    templates: tuple[Template, ...]
    today: date
    layers: tuple[Layer, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    images: tuple[Image, ...] = ()
    permissions: tuple[Permission, ...] = ()
    modules: tuple[Module, ...] = ()
    notes: tuple[str, ...] = ()
    measured: tuple[Measured, ...] = ()
    policy: Policy = field(default_factory=Policy)

    def measurement(self, function: Function) -> Measured | None:
        """What was measured of *function*, by its name; ``None`` when nothing was."""
        return next((each for each in self.measured if each.function == function.name), None)

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers of all functions."""
        return tuple(trigger for function in self.functions for trigger in function.triggers)

    def loaders(self) -> Mapping[str, tuple[Function, ...]]:
        """The functions that load each module, by the module's path."""
        loaded: dict[str, list[Function]] = {}
        for function in self.functions:
            for path in dict.fromkeys(function.modules.values()):
                loaded.setdefault(path, []).append(function)
        return {path: tuple(functions) for path, functions in loaded.items()}
