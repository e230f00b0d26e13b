"""What was written before, and would be the same again, stays as it is."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lambdalint.packager.image.build import ImagePlan
from lambdalint.packager.manifest import manifest, rendered
from lambdalint.packager.plan import Kind, Plan
from lambdalint.packager.write import Written, whole


@dataclass(frozen=True, slots=True)
class _Earlier:
    """An artifact by what it holds, what its manifest says besides, and when it was last touched."""

    content: str
    said: str
    written: Written
    touched_ns: tuple[int, int]


@dataclass(slots=True)
class Kept:
    """Remembers what was written, to write again only what has changed or was touched by somebody else."""

    _earlier: dict[str, _Earlier] = field(default_factory=dict)

    def written(self, plan: Plan, image: ImagePlan | None, make: Callable[[], Written]) -> Written:
        """What *make* gives for *plan*, or has given for one of the same content.

        Raises:
            Refused: it cannot be written.
        """
        content = image.digest if image else f"{plan.kind.value}:{plan.tree_sha256}"
        said = hashlib.sha256(rendered(manifest(plan, sha256=None, packed_bytes=None))).hexdigest()
        earlier = self._earlier.get(plan.name)
        if earlier is None or earlier.content != content or earlier.touched_ns != _touched_ns(earlier.written):
            written = make()
        elif earlier.said != said:
            # A comment in requirements.txt, say: the same is installed, and the manifest has another hash of the file.
            written = make() if image else _said_anew(plan, earlier.written)
        else:
            return earlier.written
        self._earlier[plan.name] = _Earlier(content, said, written, _touched_ns(written))
        return written


def _said_anew(plan: Plan, written: Written) -> Written:
    """*written* with another manifest beside it."""
    is_file = plan.kind is not Kind.DIR
    document = manifest(
        plan,
        sha256=bytes.fromhex(written.sha256) if is_file else None,
        packed_bytes=written.packed_bytes if is_file else None,
    )
    with whole(written.manifest_path) as (listing,):
        listing.write_bytes(rendered(document))
    return written


def _touched_ns(written: Written) -> tuple[int, int]:
    return _modified_ns(written.path), _modified_ns(written.manifest_path)


def _modified_ns(path: Path) -> int:
    """0 for what is not there, as an image that was pushed."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
