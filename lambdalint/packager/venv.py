"""Distributions that are installed already: a virtual environment, or a folder that pip installed into.

Each is made a wheel again of the files that its ``RECORD`` names, and then goes the way of every wheel.
"""

import base64
import csv
import email.parser
import email.policy
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from lambdalint.errors import Refused
from lambdalint.packager import measured
from lambdalint.packager.choice import Pin, best, why_no_tag
from lambdalint.packager.retag import record_of, write_wheel
from lambdalint.packager.target import Target
from lambdalint.packager.wheel import is_safe

_MAX_TEXT_BYTES: Final = 64 * 1024 * 1024
_MAX_BYTES: Final = 1024 * 1024 * 1024
#: What an environment has for itself.
_TOOLS: Final = frozenset(("pip", "setuptools", "wheel", "uv"))


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution in *folder*, whose metadata is in *info*."""

    folder: Path
    info: Path
    name: str
    version: str
    requires: tuple[Requirement, ...]

    @property
    def label(self) -> str:
        """Its name and version."""
        return f"{self.name} {self.version}"


def wheels(
    place: Path, wanted: Iterable[Requirement] | None, target: Target, scratch: Path
) -> tuple[tuple[Pin, ...], tuple[str, ...]]:
    """Wheels of the distributions in *place* that *wanted* comes to, made in *scratch*, and notes; all for ``None``.

    Raises:
        Refused: there is none, one is missing or of another version, was changed, or does not run on *target*.
    """
    folder = _folder(place, target)
    known = {each.name: each for each in _installed(folder)}
    if not known:
        raise Refused(
            f"nothing is installed in {place}", hint="name a virtual environment, or a folder of distributions"
        )
    if wanted is None:
        chosen = [each for name, each in sorted(known.items()) if name not in _TOOLS]
    else:
        chosen = sorted(_needed(known, wanted, target, place), key=lambda each: each.name)
    notes = ("nothing says what is needed, so all that is installed is taken",) if wanted is None else ()
    return tuple(_pin(each, target, scratch) for each in chosen), notes


def _folder(place: Path, target: Target) -> Path:
    """Where the modules lie."""
    if not place.is_dir():
        raise Refused(f"there is no folder {place}")
    version = ".".join(map(str, target.python))
    own = place / "lib" / f"python{version}" / "site-packages"
    if own.is_dir():
        return own
    others = sorted(path.parent.name for path in place.glob("lib/python*/site-packages"))
    if others:
        raise Refused(
            f"{place} is an environment of {', '.join(others)}, and the function runs on {target.runtime}",
            hint=f"make one with Python {version}",
        )
    return place


def _installed(folder: Path) -> Iterator[Installed]:
    for info in sorted(folder.glob("*.dist-info")):
        data = _read(info / "METADATA")
        if data is None:
            continue
        fields = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(data, headersonly=True)
        name, version = fields.get("Name"), fields.get("Version")
        try:
            requires = tuple(Requirement(str(text)) for text in fields.get_all("Requires-Dist", []))
            Version(str(version))
        except (InvalidRequirement, InvalidVersion) as error:
            raise Refused(f"{info.name} has metadata that nobody understands: {str(error)[:200]}") from error
        if name:
            yield Installed(folder, info, canonicalize_name(str(name)), str(version), requires)


def _needed(
    known: Mapping[str, Installed], wanted: Iterable[Requirement], target: Target, place: Path
) -> Iterable[Installed]:
    found: dict[str, Installed] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(requirement, "") for requirement in wanted]
    while waiting:
        requirement, under = waiting.pop()
        if not target.applies(requirement.marker, under):
            continue
        name = canonicalize_name(requirement.name)
        each = known.get(name)
        if each is None:
            raise Refused(f"{name} is needed, and is not installed in {place}", hint="install it there")
        if requirement.specifier and not requirement.specifier.contains(each.version, prereleases=True):
            raise Refused(f"{requirement} is needed, and {place} has {each.label}", hint="install it there anew")
        found[name] = each
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting.extend((other, extra) for other in each.requires)
    return found.values()


def _pin(each: Installed, target: Target, scratch: Path) -> Pin:
    if _is_editable(each):
        raise Refused(
            f"{each.label} is installed as editable, so its code is elsewhere",
            hint="install it without -e, or leave it out and name its folder in the requirements",
        )
    members = dict(_members(each))
    info = each.info.name
    tags = re.findall(rb"(?m)^Tag:\s*(\S+)\s*$", members.get(f"{info}/WHEEL", (b"", 0))[0])
    head = f"{each.name.replace('-', '_')}-{each.version}"
    names = [f"{head}-{tag.decode('ascii', 'replace')}.whl" for tag in tags]
    filename = best(names, target)
    if filename is None:
        reason = why_no_tag(names, target) if names else "it does not say for what it is made"
        raise Refused(f"{each.label} is installed for another target than {target}: {reason}")
    members[f"{info}/RECORD"] = (
        record_of({path: data for path, (data, _) in members.items()}, f"{info}/RECORD"),
        0o644,
    )
    place = scratch / "installed" / str(target).replace(" ", "-") / filename
    place.parent.mkdir(parents=True, exist_ok=True)
    write_wheel(place, members)
    measured.check(place, target)
    return Pin(each.name, each.version, filename, place.as_uri())


def _is_editable(each: Installed) -> bool:
    try:
        document = json.loads(_read(each.info / "direct_url.json") or b"{}")
        return bool(document.get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError, RecursionError):
        return False


def _members(each: Installed) -> Iterator[tuple[str, tuple[bytes, int]]]:
    """The files of a distribution that lie among the modules, with their modes."""
    data = _read(each.info / "RECORD")
    if data is None:
        raise Refused(f"{each.label} has no RECORD, so nobody knows its files", hint="install it with pip or uv")
    try:
        rows = list(csv.reader(io.StringIO(data.decode())))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{each.label} has a RECORD that cannot be read: {error}") from error
    total = 0
    for row in rows:
        path = row[0] if row else ""
        if len(row) < 3 or not is_safe(path) or path.endswith(".pyc") or path == f"{each.info.name}/RECORD":
            continue  # programs lie elsewhere, and bytecode is made anew
        place = each.folder / path
        try:
            if not place.resolve().is_relative_to(each.folder.resolve()):
                continue
            total += place.stat().st_size
            if total > _MAX_BYTES:
                raise Refused(f"{each.label} is larger than a function may be")
            content, mode = place.read_bytes(), place.stat().st_mode
        except OSError as error:
            raise Refused(f"{path} of {each.label} cannot be read: {error.strerror}", hint="install it anew") from error
        algorithm, _, digest = row[1].partition("=")
        if algorithm == "sha256" and _digest(content) != digest.rstrip("="):
            raise Refused(f"{path} of {each.label} was changed after it was installed", hint="install it anew")
        yield path, (content, 0o755 if mode & 0o111 else 0o644)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_TEXT_BYTES)
    except OSError:
        return None
