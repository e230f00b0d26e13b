"""Which file of a distribution a target takes, and why the others do not fit."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from lambdalint.packager.index import File
from lambdalint.packager.target import Target, wheel_tags

T = TypeVar("T")

_MAX_TAGS_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class Pin:
    """One distribution, down to the file: *url* has no credentials; *sha256* is ``None`` where nobody states it."""

    name: str
    version: str
    filename: str
    url: str
    sha256: str | None = None
    size: int | None = None

    @property
    def origin(self) -> str:
        """What entries say that come from it."""
        return f"{self.name} {self.version}"


def legal(files: Iterable[File], target: Target) -> list[File]:
    """The wheels that the target's own installer would take."""
    return [file for file in files if target.rank(file.filename) is not None and target.admits(file.requires_python)]


def best(filenames: Iterable[str], target: Target) -> str | None:
    """The wheel that an installer prefers: the most specific tag, then the highest build number."""
    ranked = []
    for filename in filenames:
        rank = target.rank(filename)
        if rank is not None and is_wheel_name(filename):
            ranked.append((-rank, parse_wheel_filename(filename)[2], filename))
    return max(ranked)[2] if ranked else None


def versions(files: Iterable[File]) -> dict[Version, list[File]]:
    """Files by version, yanked ones left out."""
    found: dict[Version, list[File]] = {}
    for file in files:
        if file.version is not None and not file.yanked:
            found.setdefault(file.version, []).append(file)
    return found


def nearest(wanted: Version, files: Iterable[File], target: Target) -> Version | None:
    """The version closest to *wanted* that has a file for the target: the next lower one, else the next higher."""
    having = [
        version
        for version, of_version in versions(files).items()
        if legal(of_version, target) and (not version.is_prerelease or wanted.is_prerelease)
    ]
    lower = [version for version in having if version < wanted]
    higher = [version for version in having if version > wanted]
    return max(lower) if lower else min(higher, default=None)


def why_not(files: Iterable[File], target: Target) -> str:
    """Why none of *files*, all of one version, fits; in words that follow "NAME VERSION"."""
    files = list(files)
    wheels = [file for file in files if file.is_wheel]
    if not wheels:
        return "has only a source distribution; only wheels are installed"
    refused_python = [file for file in wheels if not target.admits(file.requires_python)]
    if len(refused_python) == len(wheels):
        return f"needs Python {refused_python[0].requires_python}; {target.runtime} is {_dotted(target.python)}"
    return f"has no wheel for {target}: {why_no_tag([file.filename for file in wheels], target)}"


def why_no_tag(filenames: Iterable[str], target: Target) -> str:
    """What the tags of wheels ask for that the target does not have."""
    linux = [name for name in filenames if any(_is_linux(tag.platform, target) for tag in wheel_tags(name))]
    if not linux:
        return f"its wheels are for {_platforms(filenames)}, none is for Linux on {target.machine}"
    right_python = [name for name in linux if _fits_but_for_platform(name, target)]
    if not right_python:
        pythons = sorted({f"{tag.interpreter}-{tag.abi}" for name in linux for tag in wheel_tags(name)})
        return f"its wheels are for {_some(pythons)}, and {target.runtime} takes {_interpreter(target)}"
    platforms = sorted({tag.platform for name in right_python for tag in wheel_tags(name)})
    glibc = _dotted(target.glibc)
    return f"its wheels are for {_some(platforms)}, and {target.runtime} runs on glibc {glibc}"


def needs_newer_glibc(files: Iterable[File], target: Target) -> bool:
    """Whether files would fit the target but for its C library."""
    return any(
        target.admits(file.requires_python) and _fits_but_for_platform(file.filename, target)
        for file in files
        if target.rank(file.filename) is None
    )


def is_wheel_name(filename: str) -> bool:
    """Whether a file name is a wheel's."""
    try:
        parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return False
    return True


def _fits_but_for_platform(filename: str, target: Target) -> bool:
    pairs = {(tag.interpreter, tag.abi) for tag in target.tags}
    return any(
        (tag.interpreter, tag.abi) in pairs and tag.platform.startswith("manylinux") and _is_linux(tag.platform, target)
        for tag in wheel_tags(filename)
    )


def _is_linux(platform: str, target: Target) -> bool:
    return platform == "any" or ("linux" in platform and platform.endswith(f"_{target.machine}"))


def _platforms(filenames: Iterable[str]) -> str:
    return _some(sorted({tag.platform for name in filenames for tag in wheel_tags(name)})) or "nothing known"


def _some(words: list[str]) -> str:
    shown = words[:_MAX_TAGS_SHOWN]
    more = len(words) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _interpreter(target: Target) -> str:
    number = f"cp{target.python[0]}{target.python[1]}"
    return f"{number}-{number}, older abi3 and none"


def _dotted(pair: tuple[int, int]) -> str:
    return f"{pair[0]}.{pair[1]}"
