"""How to build a package."""

from dataclasses import dataclass, field

from lambdalint.packager.bytecode import Bytecode
from lambdalint.packager.resolve import FRESH_S
from lambdalint.packager.source import Leaving


@dataclass(frozen=True, slots=True)
class Options:
    """How to build.

    *manifest* is a path in the project that counts instead of the ones beside the code; *extras* are those of the
    function's own project.  *fresh_s* is how old, in seconds, an answer of the resolver may be.
    """

    manifest: str | None = None
    extras: tuple[str, ...] = ()
    bytecode: Bytecode = Bytecode.ALL
    leaving: Leaving = field(default_factory=Leaving)
    fresh_s: int = FRESH_S
