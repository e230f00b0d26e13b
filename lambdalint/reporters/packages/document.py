"""What one run of packaging came to, as data."""

from dataclasses import dataclass

from lambdalint.engine.result import Result


@dataclass(frozen=True, slots=True)
class Part:
    """What one origin adds to a package: a distribution, or the project's own source."""

    origin: str
    files: int
    unpacked_bytes: int
    packed_bytes: int


@dataclass(frozen=True, slots=True)
class Package:
    """One artifact, as planned or as written.

    *path* is where it is or would be, *packed_bytes* and *sha256* are ``None`` while it is a plan.  *asides* say
    what somebody should know about it, such as why it has no bytecode; *parts* is what it is made of, the largest
    first.  One that is *refused* has an error, and was not written because of it.  *kind* is ``zip``, ``layer``,
    ``dir`` or ``image``.
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


@dataclass(frozen=True, slots=True)
class Packaging:
    """All that one run of packaging did: *skipped* are names with the reason, *check* is what the rules say."""

    packages: tuple[Package, ...]
    skipped: tuple[tuple[str, str], ...]
    check: Result
    seconds: float
