"""What Lambda unpacks beside an artifact, function by function."""

from dataclasses import dataclass, field

from lambdalint.aws.runtimes import is_python, runtime
from lambdalint.facts.installed import Installed
from lambdalint.model.artifact import Artifact
from lambdalint.model.function import Function, Layer
from lambdalint.model.project import Project
from lambdalint.model.values import Known


@dataclass(frozen=True, slots=True)
class Company:
    """The artifacts that one function runs with, in the order in which Python looks into them; not always all of them.

    *function* is ``None`` for an artifact of which nobody knows who runs it.
    """

    function: Function | None
    artifacts: tuple[Artifact, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Answers for the artifacts of one project; what is installed in each is worked out when somebody asks."""

    project: Project
    _installed: dict[int, Installed] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Project) -> "Surroundings":
        return cls(project)

    def installed(self, artifact: Artifact) -> Installed:
        """The distributions in one of the project's artifacts."""
        key = id(artifact)
        if key not in self._installed:
            self._installed[key] = Installed.of(artifact)
        return self._installed[key]

    def companies(self, artifact: Artifact) -> tuple[Company, ...]:
        """What each function that has *artifact* runs with; the artifact alone, as incomplete, where there is none."""
        found = tuple(company_of(each) for each in self.project.functions if _has(each, artifact))
        return found or (Company(None, (artifact,), complete=False),)

    def parts(self, function: Function) -> tuple[Artifact, ...]:
        """What is known of what *function* runs with."""
        return company_of(function).artifacts

    def users(self, layer: Layer) -> tuple[Function, ...]:
        """The functions that have *layer*."""
        # Modules of Terraform declare several layers at one place, so that only the layer itself tells them apart.
        return tuple(each for each in self.project.functions if any(own is layer for own in each.local_layers))


def company_of(function: Function) -> Company:
    """What *function* runs with."""
    parts = (function.artifact, *(layer.artifact for layer in function.local_layers))
    known = tuple(part for part in parts if part is not None)
    return Company(function, known, function.layers_complete and len(known) == len(parts))


def python_of(function: Function) -> tuple[int, int] | None:
    """The Python that *function* runs on; ``None`` for another language, or when nobody knows."""
    match function.runtime:
        case Known(str(name)) if is_python(name) and (known := runtime(name)):
            return known.version
    return None


def _has(function: Function, artifact: Artifact) -> bool:
    return any(
        part is artifact or (part.path == artifact.path and part.layer == artifact.layer)
        for part in company_of(function).artifacts
    )
