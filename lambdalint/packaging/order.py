"""What somebody wants to have packaged, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdalint.packager.write import OCI_LAYOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Packages of *functions*, of all there are if none is named, in the folder *out*; images go *to* another place.

    *plan_only* writes nothing.  With *emit_template* there are templates that name what was written, with *sboms* bills
    of materials beside it.  *into* is written to instead of *out*.
    """

    out: Path
    functions: Sequence[str] = ()
    to: str = OCI_LAYOUT
    plan_only: bool = False
    emit_template: bool = False
    sboms: bool = False
    into: Path | None = None

    @property
    def folder(self) -> Path:
        """Where files are written, absolute."""
        return self.into or self.out.resolve()

    def wants(self, name: str) -> bool:
        """Whether the function *name* is to be packaged."""
        return not self.functions or name in self.functions
