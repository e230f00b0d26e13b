"""Whose AWS SDK runs: the one in the package, or the runtime's own."""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from lambdalint.aws.runtime_sdk import SDK, SDK_NEEDS, SeenSdk, seen_sdk
from lambdalint.facts.import_scan import Scan
from lambdalint.packager.contents import Contents
from lambdalint.packager.plan import SOURCE
from lambdalint.packager.reached import Reading

_REQUIRES: Final = re.compile(r"^Requires-Dist: *(.+?) *$", re.MULTILINE)
_LOWER: Final = frozenset((">=", ">", "!=", "~="))
_MB: Final = 1_000_000


class Sdk(Enum):
    """Whose SDK a function runs with.

    Bundled is what is required; or what the runtime has serves where it is sure to do, and is left out; or the package
    has one in any case, so that nothing changes when AWS updates the runtime.
    """

    BUNDLE = "bundle"
    RUNTIME = "runtime"
    PIN = "pin"


def cost_note(contents: Contents, runtime: str) -> str | None:
    """What it costs to bundle the SDK; ``None`` where none is bundled."""
    names = {name: origin for origin in contents.keys if (name := _name(origin)) in SDK}
    if "botocore" not in names:
        return None
    entries = [entry for entry in contents.entries.values() if entry.origin in names.values()]
    unpacked, packed = sum(each.member.size for each in entries), sum(len(each.member.packed) for each in entries)
    return (
        f"{names.get('boto3', names['botocore'])} and its models take {unpacked / _MB:.1f} MB, {packed / _MB:.1f} MB "
        f"zipped; {runtime} has {_seen_text(seen_sdk(runtime))}, which --sdk runtime leaves it to"
    )


def leave_to_runtime(contents: Contents, reading: Reading, runtime: str, asked: Iterable[str]) -> str | None:
    """Leave out the SDK, and what only it needs, where the runtime's own does; what became of it, in words.

    *asked* are the requirements of the project itself, as far as they are known.
    """
    origins = {_name(origin): origin for origin in contents.keys if origin != SOURCE}
    if not origins.keys() & set(SDK):
        return None
    seen = seen_sdk(runtime)
    required = {name: tuple(_required(contents, origin)) for name, origin in origins.items()}
    others = [each for name, listed in required.items() if name not in (*SDK, *SDK_NEEDS) for each in listed]
    for requirement in (*map(_requirement, asked), *others):
        if requirement is not None and canonicalize_name(requirement.name) in SDK:
            reason = _doubt(requirement, seen, runtime)
            if reason:
                return f"the SDK is bundled all the same: {reason}"
    out: set[str] = {name for name in SDK if name in origins}
    imported = _imported(contents, reading, {*SDK, *SDK_NEEDS})
    named = {canonicalize_name(each.name) for each in map(_requirement, asked) if each is not None}
    out |= {name for name in SDK_NEEDS if name in origins and name not in named}
    out = {name for name in out if name in SDK or not _is_imported(name, contents, imported)}
    while stays := [name for name in out if name not in SDK and not _users(name, required) <= out]:
        out.difference_update(stays)
    removed = {path for path, entry in contents.entries.items() if _name(entry.origin) in out}
    contents.remove(dict.fromkeys(removed, f"{runtime} has it"))
    left = ", ".join(sorted(origins[name] for name in out))
    return f"left to {runtime}: {left}; it has {_seen_text(seen)}, and AWS updates that"


def missing_sdk(contents: Contents, reading: Reading, runtime: str) -> str | None:
    """What is to be bundled of an SDK that the project imports and does not require; ``None`` for nothing."""
    present = {_name(origin) for origin in contents.keys}
    own = [path for path, entry in contents.entries.items() if entry.origin == SOURCE and path.endswith(".py")]
    imported = {name for path in own for name in _tops(reading.scan(path))}
    for name in ("boto3", "botocore"):
        if name in imported and name not in present:
            seen = seen_sdk(runtime)
            return f"{name}=={seen.versions[name]}" if seen else name
    return None


def _doubt(requirement: Requirement, seen: SeenSdk | None, runtime: str) -> str | None:
    """Why the runtime's own may not do for *requirement*; ``None`` where it does, today and later."""
    specifier: SpecifierSet = requirement.specifier
    if not specifier:
        return None
    if seen is None or canonicalize_name(requirement.name) not in seen.versions:
        return f"{requirement.name}{specifier} is required, and nobody wrote down what {runtime} has"
    version = Version(seen.versions[canonicalize_name(requirement.name)])
    if not specifier.contains(version, prereleases=True):
        return f"{requirement.name}{specifier} is required, and {runtime} had {version} on {seen.as_of}"
    if any(each.operator not in _LOWER for each in specifier) or "~=" in {each.operator for each in specifier}:
        return f"{requirement.name}{specifier} is required, and {runtime} gets newer ones"
    return None


def _users(name: str, required: Mapping[str, Iterable[Requirement]]) -> set[str]:
    """The distributions that require *name*."""
    return {user for user, listed in required.items() if any(canonicalize_name(each.name) == name for each in listed)}


def _seen_text(seen: SeenSdk | None) -> str:
    if seen is None:
        return "one whose version nobody wrote down"
    return f"{seen.versions['boto3']} or newer, as seen on {seen.as_of}"


def _required(contents: Contents, origin: str) -> Iterator[Requirement]:
    for path, entry in contents.entries.items():
        if entry.origin == origin and path.endswith(".dist-info/METADATA") and path.count("/") == 1:
            head = entry.member.read().partition(b"\n\n")[0].decode("utf-8", "replace")
            for text in _REQUIRES.findall(head):
                requirement = _requirement(text)
                if requirement is not None and "extra" not in str(requirement.marker or ""):
                    yield requirement


def _requirement(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def _imported(contents: Contents, reading: Reading, but: set[str]) -> set[str]:
    """The top-level names that files import, but for those of the distributions *but*."""
    return {
        name
        for path, entry in contents.entries.items()
        if path.endswith(".py") and _name(entry.origin) not in but
        for name in _tops(reading.scan(path))
    }


def _tops(scan: Scan) -> Iterator[str]:
    for imported in (*scan.init, *scan.deferred):
        if not imported.level:
            yield imported.module.partition(".")[0]


def _is_imported(name: str, contents: Contents, imported: set[str]) -> bool:
    tops = {
        path.partition("/")[0].removesuffix(".py")
        for path, entry in contents.entries.items()
        if _name(entry.origin) == name and path.endswith(".py")
    }
    return bool(tops & imported)


def _name(origin: str) -> str:
    return canonicalize_name(origin.partition(" ")[0])
