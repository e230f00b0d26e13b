"""What one run of packaging came to, as data."""

import base64
from dataclasses import dataclass

from lambdalint.engine.result import Result
from lambdalint.errors import ExitCode
from lambdalint.model.finding import Severity
from lambdalint.reporters.comparison.document import Comparison


@dataclass(frozen=True, slots=True)
class Part:
    """What one origin adds to a package: a distribution, or the project's own source."""

    origin: str
    files: int
    unpacked_bytes: int
    packed_bytes: int


@dataclass(frozen=True, slots=True)
class Verification:
    """How a package compares with itself, built once more.

    Where they differ, *comparison* says in what, or for images *differences*, a sentence each.
    """

    is_identical: bool
    comparison: Comparison | None = None
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """One artifact, as planned or as written.

    *path* is where it is or would be, *packed_bytes* and *sha256* are ``None`` while it is a plan.  *asides* say
    what somebody should know about it, such as why it has no bytecode; *parts* is what it is made of, the largest
    first.  One that is *refused* has an error, and was not written because of it.  *kind* is ``zip``, ``layer``,
    ``dir`` or ``image``.  *sha256* is that of the archive, of a folder its tree's, of an image its manifest's, and
    *image_uri* is what Lambda is told of an image in a registry.  *functions* are those that a shared layer is for.
    """

    name: str
    path: str
    runtime: str
    architecture: str
    files: int
    unpacked_bytes: int
    packed_bytes: int | None = None
    sha256: str | None = None
    asides: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    refused: bool = False
    kind: str = "zip"
    handler: str | None = None
    tree_sha256: str | None = None
    manifest: str | None = None
    image_uri: str | None = None
    sbom: str | None = None
    verification: Verification | None = None
    functions: tuple[str, ...] = ()

    @property
    def is_file(self) -> bool:
        """Whether it is, or would be, one archive."""
        return self.kind in ("zip", "layer")

    @property
    def sha256_base64(self) -> str | None:
        """The hash as Lambda states it."""
        return None if self.sha256 is None else base64.b64encode(bytes.fromhex(self.sha256)).decode()

    @property
    def image_digest(self) -> str | None:
        """What registries call an image by."""
        return f"sha256:{self.sha256}" if self.kind == "image" and self.sha256 else None


@dataclass(frozen=True, slots=True)
class EmittedTemplate:
    """A template that names packages; one that is not *written* has its reason among the *asides*."""

    path: str
    written: bool
    asides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Packaging:
    """All that one run of packaging did.

    *skipped* are names with the reason, *check* is what the rules say, and *asked* are the functions that somebody
    asked for by name.  *templates* are those that were asked for.
    """

    packages: tuple[Package, ...]
    skipped: tuple[tuple[str, str], ...]
    check: Result
    seconds: float
    asked: tuple[str, ...] = ()
    templates: tuple[EmittedTemplate, ...] = ()

    def exit_code(self, fail_on: Severity | None) -> ExitCode:
        """As that of a check; a package that differs from itself, built again, is as bad as a finding."""
        code = self.check.exit_code(fail_on)
        differs = any(each.verification and not each.verification.is_identical for each in self.packages)
        return ExitCode.FINDINGS if differs and code is ExitCode.CLEAN else code
