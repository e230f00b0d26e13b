"""What flows into reading a project besides its files, and what comes out besides its resources."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdalint.errors import UnreadableInput
from lambdalint.model.boot import Measured
from lambdalint.model.image import Image
from lambdalint.model.places import Span
from lambdalint.model.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFunction:
    """A function that the configuration names: the file and the name of its handler, and what else it says.

    *root* is the folder from which the handler is imported; ``None`` leaves it to the packages around the file.
    """

    path: str
    symbol: str
    span: Span
    name: str | None = None
    root: str | None = None
    runtime: str | None = None
    architecture: str | None = None
    memory_mb: int | None = None
    timeout_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedArtifacts:
    """What is said of the artifacts among the paths, where neither a template nor a manifest does.

    *layers* are the paths of all layers of their functions; without any, nobody knows which there are.
    """

    runtime: str | None = None
    architecture: str | None = None
    handler: str | None = None
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the command line or the configuration sets in place of a template's own defaults.

    *parameters* are of CloudFormation, variables of Terraform, or ``--param`` of the Serverless Framework; *stage* is
    the latter's; *variable_files* are paths of ``*.tfvars`` in the tree; *environment* are the environment variables
    that templates may read.  *functions* are those that the configuration names.  *artifacts* is what is said of
    archives and folders that are looked at for themselves, ``None`` when nothing is; *images* are looked at so too.
    *measured* is what starting functions showed, *policy* what the configuration says to rules.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    stage: str | None = None
    variable_files: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    functions: tuple[StatedFunction, ...] = ()
    artifacts: StatedArtifacts | None = None
    images: tuple[Image, ...] = ()
    measured: tuple[Measured, ...] = ()
    policy: Policy = field(default_factory=Policy)


@dataclass(slots=True)
class Said:
    """What could not be read, and what is worth a word; *elsewhere* are folders whose code runs on another cloud."""

    failures: list[UnreadableInput] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
