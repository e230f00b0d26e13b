"""What a check gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lambdalint.errors import ExitCode
from lambdalint.model.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that kept us from looking; the report is incomplete because of it."""

    path: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of one run; *suppressed* are findings that a comment or the configuration took out."""

    files: int
    functions: int
    errors: int
    warnings: int
    infos: int
    suppressed: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A function as reports show it; ``None`` is what the template hides or does not say.

    *template* is the path of the template, ``None`` for a function that none declares, *code* that of the folder, file
    or archive with the code.  *artifact_bytes* is the unpacked size with layers, ``None`` as long as a part of it is
    not known.
    """

    name: str
    template: str | None
    runtime: str | None = None
    handler: str | None = None
    architectures: tuple[str, ...] | None = None
    memory_mb: int | None = None
    timeout_s: int | None = None
    code: str | None = None
    triggers: tuple[str, ...] = ()
    artifact_bytes: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Findings in the order of their places, the functions they are about, and what could not be judged.

    *read_text* gives the text of a file that a finding points into, ``None`` when there is none; the text of inline
    code is the template's.  *shown* turns a path of the project into the one that the reader sees.
    *fixed* is how many findings were settled in the files just before, ``None`` when nobody asked for it.
    """

    findings: tuple[Finding, ...]
    functions: tuple[Described, ...]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    summary: Summary
    read_text: Callable[[str], str | None] = field(repr=False)
    shown: Callable[[str], str] = field(repr=False)
    fixed: int | None = None

    def exit_code(self, fail_on: Severity | None) -> ExitCode:
        """What to say to the shell when findings of *fail_on* and worse count; ``None``: no finding counts."""
        if self.failures:
            return ExitCode.INCOMPLETE
        if fail_on and any(finding.severity.rank <= fail_on.rank for finding in self.findings):
            return ExitCode.FINDINGS
        return ExitCode.CLEAN
