"""What a rule yields and what a user sees."""

from dataclasses import dataclass, field
from enum import Enum

from lambdalint.model.changes import Change
from lambdalint.model.function import Function
from lambdalint.model.places import Place, Span


class Severity(Enum):
    """How bad it is if it is true."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _SEVERITY_RANK[self]


_SEVERITY_RANK = {severity: rank for rank, severity in enumerate(Severity)}


class Confidence(Enum):
    """How sure we are that it is true."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the surest."""
        return _CONFIDENCE_RANK[self]

    @property
    def lower(self) -> "Confidence":
        """One step less sure; low stays low."""
        return Confidence.MEDIUM if self is Confidence.HIGH else Confidence.LOW


_CONFIDENCE_RANK = {confidence: rank for rank, confidence in enumerate(Confidence)}


class Profile(Enum):
    """Who gets a rule: everybody, or those who ask for policies and hints as well."""

    DEFAULT = "default"
    STRICT = "strict"


class Applicability(Enum):
    """How much trust it takes to apply a fix."""

    SAFE = "safe"  # behaviour and comments are kept
    UNSAFE = "unsafe"  # probably what was meant; a person reads the diff


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement of text."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that belong together, as text or as *changes* that become text where the file is at hand."""

    title: str
    applicability: Applicability
    edits: tuple[Edit, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a reader wants to see, and what is so there."""

    at: Place
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule yields: a place, and what is so there.

    *confidence* differs from the rule's usual one only where the evidence at hand is weaker.  *severity*
    likewise.  *hint* says what to do about it, in a sentence.  *secret* keeps what stands at the place out of reports.
    *function* is the one that a problem of a module hits by loading it, whatever of the module runs; without it, some
    function has to reach the place.
    """

    at: Place
    message: str
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    hint: str | None = None
    confidence: Confidence | None = None
    severity: Severity | None = None
    secret: bool = False
    function: Function | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with the rule that found it, and the function that it is about with the template declaring that."""

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    at: Place
    function: str | None = None
    template: str | None = None
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    hint: str | None = None
    secret: bool = False
    fingerprint: str = ""
    url: str = ""
    covers: tuple[str, ...] = field(default=(), repr=False)

    @property
    def path(self) -> str:
        """The file or archive that the finding is in."""
        return self.at.path
