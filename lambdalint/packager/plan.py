"""What a package will hold, before it is written; a plan is data, and can be checked like any artifact."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from lambdalint.model.artifact import Artifact, ArtifactKind, Entry
from lambdalint.model.places import Span
from lambdalint.packager.needs import Input
from lambdalint.packager.pack import COMPRESSOR, Loss, Member
from lambdalint.packager.target import Target
from lambdalint.packager.times import EARLIEST_S

SOURCE = "source"
BYTECODE = "bytecode"


class Kind(Enum):
    """In what form a plan is written."""

    ZIP = "zip"
    LAYER = "layer"
    DIR = "dir"
    IMAGE = "image"


@dataclass(frozen=True, slots=True, eq=False)
class PlannedEntry:
    """One file; *origin* as in the model, *owner* what it counts for: of bytecode, the origin of its source."""

    member: Member
    origin: str
    owner: str

    @property
    def path(self) -> str:
        """Where it will lie, relative."""
        return self.member.path

    @property
    def mode(self) -> int:
        """Its permissions."""
        return 0o755 if self.member.executable else 0o644


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution in the package; *url* is ``None`` for a file that came from this machine."""

    name: str
    version: str
    filename: str
    url: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Share:
    """What one origin adds to the package; *bytecode_bytes* are within *unpacked_bytes*."""

    origin: str
    files: int
    unpacked_bytes: int
    packed_bytes: int
    bytecode_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The package of one function, or of one layer.

    *kind* is the form that it is written in.  *entries* are sorted by path.  *compiler* is the version of the Python
    that made the bytecode, ``None`` when there is none.  *source* is where the template names the code.
    *base* is the image that an image rests on, as it was asked for.  *losses* is what was left out of each origin.
    *epoch* is the time that the user wants all files to have, ``None`` for the first one there is.  *answers* are what
    is known of a file's content, as ``Entry.shown`` takes it, and *keys* name in caches what each distribution brings.
    """

    name: str
    handler: str | None
    target: Target
    entries: tuple[PlannedEntry, ...]
    distributions: tuple[Distribution, ...] = ()
    inputs: tuple[Input, ...] = ()
    notes: tuple[str, ...] = ()
    compiler: str | None = None
    compressor: str = COMPRESSOR
    source: Span | None = None
    kind: Kind = Kind.ZIP
    base: str | None = None
    losses: Mapping[str, tuple[Loss, ...]] = field(default_factory=dict)
    answers: Callable[[PlannedEntry], MutableMapping[str, Any]] | None = None
    epoch: int | None = None
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The name of its files, without an extension: a construct's path, say, holds what a file's name may not."""
        return re.sub(r"[^\w.-]+", "-", self.name).strip("-.") or "function"

    @property
    def modified_s(self) -> int:
        """The time of all files, in seconds since 1970."""
        return EARLIEST_S if self.epoch is None else self.epoch

    @property
    def unpacked_bytes(self) -> int:
        """The sum of all files, as Lambda counts it."""
        return sum(entry.member.size for entry in self.entries)

    @property
    def tree_sha256(self) -> str:
        """A hash of what will be unpacked: paths, modes and contents, however they are compressed."""
        digest = hashlib.sha256()
        for entry in self.entries:
            digest.update(f"{entry.path}\0{entry.mode:o}\0{entry.member.sha256}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def artifact(self, path: str | None = None, *, via_s3: bool | None = None) -> Artifact:
        """The plan as the model's artifact, for rules to look at; *path* is where it will be written."""
        return Artifact(
            path=path or f"{self.stem}.zip",
            kind=ArtifactKind.IMAGE if self.kind is Kind.IMAGE else ArtifactKind.PLAN,
            entries=tuple(
                Entry(
                    path=entry.path,
                    size=entry.member.size,
                    read=entry.member.read,
                    packed_bytes=len(entry.member.packed),
                    executable=entry.member.executable,
                    origin=entry.origin,
                    peek=entry.member.head,
                    sha256=entry.member.sha256,
                    shown=self.answers(entry) if self.answers else {},
                )
                for entry in self.entries
            ),
            function=None if self.kind is Kind.LAYER else self.name,
            layer=self.kind is Kind.LAYER,
            runtime=self.target.runtime,
            architecture=self.target.architecture,
            source=self.source,
            via_s3=via_s3,
        )

    def shares(self) -> tuple[Share, ...]:
        """Sizes by distribution and own source, the largest first."""
        groups: dict[str, list[PlannedEntry]] = {}
        for entry in self.entries:
            groups.setdefault(entry.owner, []).append(entry)
        found = [
            Share(
                origin=owner,
                files=len(entries),
                unpacked_bytes=sum(entry.member.size for entry in entries),
                packed_bytes=sum(len(entry.member.packed) for entry in entries),
                bytecode_bytes=sum(entry.member.size for entry in entries if entry.origin == BYTECODE),
            )
            for owner, entries in groups.items()
        ]
        return tuple(sorted(found, key=lambda share: (-share.unpacked_bytes, share.origin)))


def moved(entries: Iterable[PlannedEntry], prefix: str) -> tuple[PlannedEntry, ...]:
    """*entries* below the folder *prefix*, which ends in a slash, or is empty."""
    if not prefix:
        return tuple(entries)
    return tuple(replace(each, member=replace(each.member, path=prefix + each.path)) for each in entries)


def together(plans: Sequence[Plan]) -> Plan:
    """One plan of what several hold, each in a folder of its own."""
    first = plans[0]
    if len(plans) == 1:
        return first
    return replace(
        first,
        entries=tuple(sorted((entry for plan in plans for entry in plan.entries), key=lambda entry: entry.path)),
        distributions=tuple(dict.fromkeys(each for plan in plans for each in plan.distributions)),
        inputs=tuple(dict.fromkeys(each for plan in plans for each in plan.inputs)),
        notes=tuple(dict.fromkeys(each for plan in plans for each in plan.notes)),
        losses={
            origin: tuple(loss for plan in plans for loss in plan.losses.get(origin, ()))
            for plan in plans
            for origin in plan.losses
        },
    )


@dataclass(frozen=True, slots=True)
class Skipped:
    """A function or layer that nothing is built for, and why."""

    name: str
    reason: str
