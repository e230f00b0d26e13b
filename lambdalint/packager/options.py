"""How to build a package."""

from dataclasses import dataclass, field
from pathlib import Path

from lambdalint.packager.bytecode import Bytecode
from lambdalint.packager.plan import Kind
from lambdalint.packager.resolve import FRESH_S
from lambdalint.packager.sdist import Sdist
from lambdalint.packager.sdk import Sdk
from lambdalint.packager.source import Leaving


@dataclass(frozen=True, slots=True)
class Options:
    """How to build.

    *manifest* is a path in the project that counts instead of the ones beside the code; *extras* and *groups* are those
    of the function's own project.  *sdist* says what becomes of distributions that have no wheel which fits.  *venv* is
    a folder of installed distributions to take them from.  *compare* also resolves for the newest runtime, to say what
    the function's own costs.  *kind* is the form of all packages, ``None`` for the template's own: images are images,
    everything else is a ZIP.  *base* is what images rest on, ``None`` for what their Dockerfile says, or else the image
    that AWS makes of the runtime.  *fresh_s* is how old, in seconds, an answer of the resolver may be.
    *strip* makes native files shorter, *trim* leaves out tests that nothing leads to.  *sdk* says whose SDK runs,
    *slim_sdk* leaves out its models of services without clients, and *reachable_source* the files of the project that
    its handler does not lead to.  *shares_layers* puts what several functions need alike into layers.
    """

    manifest: str | None = None
    extras: tuple[str, ...] = ()
    bytecode: Bytecode = Bytecode.CLOSURE
    leaving: Leaving = field(default_factory=Leaving)
    fresh_s: int = FRESH_S
    groups: tuple[str, ...] = ()
    sdist: Sdist = Sdist.DENY
    venv: Path | None = None
    compare: bool = False
    kind: Kind | None = None
    base: str | None = None
    strip: bool = True
    trim: bool = True
    sdk: Sdk = Sdk.BUNDLE
    slim_sdk: bool = False
    reachable_source: bool = False
    shares_layers: bool = False
