"""Requirements to pinned files, through uv.

uv resolves for a platform, but names none with glibc 2.26: ``manylinux2014`` would withhold the newer wheels that fit,
``manylinux_2_28`` would offer ones that do not load.  So it is given an index that lists only the files which fit (see
:mod:`lambdalint.packager.legal_index`) and a platform at least as new; then its answer is right by construction, and
when the newest version of something has no fitting wheel it backtracks by itself.  Source distributions are listed only
when the user lets them be built, and uv never builds them itself.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from lambdalint.aws.runtimes import newest_python
from lambdalint.errors import Refused
from lambdalint.packager.choice import (
    Pin,
    best,
    is_wheel_name,
    legal,
    nearest,
    needs_newer_glibc,
    versions,
    why_no_tag,
    why_not,
)
from lambdalint.packager.host import Host
from lambdalint.packager.index import File, Indexes
from lambdalint.packager.legal_index import LegalIndex, sources
from lambdalint.packager.straight import Begin, straight
from lambdalint.packager.target import Target
from lambdalint.packager.uv import own_words, uv_binary

#: How long an answer stands before the indexes are asked again; what they themselves and pip hold a page fresh for.
FRESH_S: Final = 600

_MAX_S: Final = 600
_MAX_BUILDING_S: Final = 3600
_PLATFORMS: Final = (28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)  # glibc 2.x that uv has a name for
_DROPPED_VARIABLES: Final = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_NO_INDEX",
    "UV_OFFLINE",
    "UV_CONFIG_FILE",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "UV_NO_BINARY",
    "UV_PROJECT",
    "UV_WORKING_DIR",
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be resolved.

    *requirements* and *constraints* are PEP 508 lines; *hashes* are those allowed for a distribution, by its name:
    when any are given, all must be.
    """

    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    hashes: Mapping[str, frozenset[str]] | None = None
    pre: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The files, by name, and what the reader should know about them."""

    pins: tuple[Pin, ...]
    notes: tuple[str, ...] = ()


def resolve(
    question: Question,
    indexes: Indexes,
    target: Target,
    host: Host,
    *,
    fresh_s: int = FRESH_S,
    build: Callable[[Pin], Pin] | None = None,
    begin: Begin | None = None,
) -> Answer:
    """The best set of files for *question*; an answer younger than *fresh_s* seconds is given again.

    *build* makes a wheel of a source distribution, which is then pinned where nothing else fits; *begin* fetches
    files that will be needed.

    Raises:
        Refused: there is none, in words; or an index does not answer.
    """
    if not question.requirements:
        return Answer(())
    key = _key(question, indexes, target, sdists=build is not None)
    known = _remembered(host, key, fresh_s)
    if known is not None:
        return known
    lines = None
    if not question.pre:
        lines = straight(question.requirements, question.constraints, indexes, target, begin)
    if lines is None:
        with LegalIndex(indexes, target, build, _exact(question)) as index:
            lines = _Uv(question, target, host, _MAX_S if build is None else _MAX_BUILDING_S).compile(index)
    pins = tuple(_pin(line, question, indexes, target, sdists=build is not None) for line in lines)
    answer = Answer(pins, tuple(_held_back(pins, indexes, target)))
    host.cache.put("resolved", key, json.dumps({"pins": [asdict(pin) for pin in pins], "notes": answer.notes}).encode())
    return answer


def _exact(question: Question) -> frozenset[tuple[str, Version]]:
    """The versions that are asked for by number."""
    found = set()
    for requirement in map(Requirement, (*question.requirements, *question.constraints)):
        for each in requirement.specifier:
            if each.operator == "==" and _is_version(each.version):
                found.add((canonicalize_name(requirement.name), Version(each.version)))
    return frozenset(found)


def _key(question: Question, indexes: Indexes, target: Target, *, sdists: bool) -> str:
    settings = indexes.settings
    parts = [
        question.requirements,
        question.constraints,
        sorted((name, sorted(hashes)) for name, hashes in (question.hashes or {}).items()),
        question.pre,
        sdists,
        str(target),
        [indexes.web.remember(url) for url in (*settings.extra, settings.default or "", *settings.find_links)],
        settings.merge,
        [(name, indexes.web.remember(url)) for name, url in settings.pinned],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _remembered(host: Host, key: str, fresh_s: int) -> Answer | None:
    place = host.cache.path("resolved", key)
    try:
        if place is None or time.time() - place.stat().st_mtime > fresh_s:
            return None
    except OSError:
        return None
    data = host.cache.get("resolved", key)
    if data is None:
        return None
    document = json.loads(data)
    return Answer(tuple(Pin(**row) for row in document["pins"]), tuple(document["notes"]))


#: What uv says when it is the way to the files that fails, not the choice among them.
_NETWORK_SIGNS: Final = ("Failed to fetch", "error sending request", "client error (Connect)")


@dataclass(frozen=True, slots=True)
class _Uv:
    question: Question
    target: Target
    host: Host
    max_s: int

    def compile(self, index: LegalIndex) -> list[Requirement]:
        with tempfile.TemporaryDirectory(prefix="lambdalint-") as folder:
            wanted, constraints = Path(folder, "requirements.in"), Path(folder, "constraints.txt")
            wanted.write_text("\n".join(self.question.requirements) + "\n", encoding="utf-8")
            constraints.write_text("\n".join(self.question.constraints) + "\n", encoding="utf-8")
            try:
                done = subprocess.run(  # noqa: S603
                    self._command(index.url, wanted, constraints),
                    env=self._environment(),
                    cwd=folder,
                    capture_output=True,
                    timeout=self.max_s,
                    check=False,
                    stdin=subprocess.DEVNULL,
                )
            except subprocess.TimeoutExpired:
                raise Refused(
                    f"uv found no set of versions within {self.max_s} s", hint="pin some of the requirements"
                ) from None
            except OSError as error:
                raise Refused(f"uv cannot be started: {error.strerror}", hint="pip install uv") from error
        if index.error is not None:
            raise index.error
        if done.returncode != 0:
            raise self._refusal(done.stderr.decode(errors="replace"), index)
        return _requirements(done.stdout.decode(errors="replace"))

    def _command(self, url: str, wanted: Path, constraints: Path) -> list[str]:
        minor = next((minor for minor in _PLATFORMS if minor >= self.target.glibc[1]), _PLATFORMS[-1])
        return [
            uv_binary(),
            *("pip", "compile", str(wanted), "--constraint", str(constraints)),
            *("--python-version", self.target.python_full_version),
            *("--python-platform", f"{self.target.machine}-manylinux_2_{minor}"),
            *("--python", sys.executable, "--no-python-downloads"),
            *("--default-index", url, "--only-binary", ":all:"),
            # Its cache is by address, and ours is another one every time.
            *("--no-cache", "--no-config", "--no-header", "--no-annotate", "--no-progress", "--color", "never"),
            *(("--prerelease", "allow") if self.question.pre else ()),
        ]

    def _environment(self) -> dict[str, str]:
        environment = {key: value for key, value in os.environ.items() if key not in _DROPPED_VARIABLES}
        bypass = environment.get("NO_PROXY") or environment.get("no_proxy")
        environment["NO_PROXY"] = environment["no_proxy"] = f"{bypass},127.0.0.1" if bypass else "127.0.0.1"
        if self.max_s > _MAX_S:
            environment["UV_HTTP_TIMEOUT"] = str(self.max_s)  # metadata of what is built first takes its time
        for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE"):
            if "SSL_CERT_FILE" not in environment and environment.get(name):
                environment["SSL_CERT_FILE"] = environment[name]
        return environment

    def _refusal(self, stderr: str, index: LegalIndex) -> Refused:
        words = own_words(stderr)
        if any(sign in words for sign in _NETWORK_SIGNS):
            return Refused(
                f"uv cannot fetch what it needs:\n{words}",
                hint="check the network, the proxy and the certificates (SSL_CERT_FILE), and try again",
            )
        reasons, hint = self._reasons(words, index)
        if reasons:
            return Refused("\n".join(reasons), hint=hint)
        withheld = self._withheld(words, index)
        return Refused(
            "\n".join([f"no set of versions fits {self.target}:", words or "uv does not say why", *withheld]),
            hint="loosen one of the requirements that contradict each other",
        )

    def _reasons(self, words: str, index: LegalIndex) -> tuple[list[str], str | None]:
        """What was kept from the resolver and is why it failed: versions that it names, or whole distributions."""
        reasons: list[str] = []
        hint: str | None = None
        flat = " ".join(words.split())
        for name in sorted(index.asked):
            if not _mentions(flat, name):
                continue
            files = index.indexes.files(name)
            if not files:
                reasons.append(f"{name} is not on {index.indexes.settings.names}")
                hint = hint or "is the name spelt right? UV_DEFAULT_INDEX or PIP_INDEX_URL name another index"
                continue
            by_version = versions(files)
            for version in _singled(name, flat) - set(by_version):
                if not any(file.version == version for file in files):
                    reasons.append(f"there is no {name} {version}")
                    other = nearest(version, files, self.target)
                    hint = hint or (f"{name} {other} has a wheel for {self.target}" if other else None)
            for version in self._meant(name, flat, by_version):
                reasons.append(f"{name} {version} {why_not(by_version[version], self.target)}")
                other = nearest(version, files, self.target)
                hint = hint or _advice(name, version, other, by_version[version], self.target)
        return reasons[:6], hint

    def _withheld(self, words: str, index: LegalIndex) -> list[str]:
        """For each distribution that the resolver speaks of: that it has a newer version which does not fit."""
        lines = []
        for name in sorted(index.asked):
            by_version = versions(index.indexes.files(name))
            newest = _newest(by_version, self.target)
            if newest and _mentions(words, name) and not legal(by_version[newest], self.target):
                lines.append(f"{name} {newest} {why_not(by_version[newest], self.target)}")
        return lines[:6]

    def _meant(self, name: str, words: str, by_version: Mapping[Version, Sequence[File]]) -> list[Version]:
        """The unfit versions that the resolver's words or the requirements single out; the newest if all are unfit."""
        unfit = {version for version, files in by_version.items() if not legal(files, self.target)}
        if named := _singled(name, words) & unfit:
            return sorted(named)
        allowed = set(by_version)
        for requirement in map(Requirement, (*self.question.requirements, *self.question.constraints)):
            if canonicalize_name(requirement.name) == name and not requirement.url:
                allowed &= set(requirement.specifier.filter(allowed, prereleases=True))
        newest = _newest({version: by_version[version] for version in allowed}, self.target)
        return [newest] if newest and allowed <= unfit else []


def _newest(by_version: Mapping[Version, Sequence[File]], target: Target) -> Version | None:
    """The newest version, preferably a final one for the target's Python."""

    def preference(version: Version) -> tuple[bool, bool, Version]:
        admitted = any(target.admits(file.requires_python) for file in by_version[version])
        return admitted, not version.is_prerelease, version

    return max(by_version, key=preference, default=None)


def _mentions(words: str, name: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", words, re.IGNORECASE) is not None


def _singled(name: str, words: str) -> set[Version]:
    """The versions that *words* name as ``name==version``."""
    texts = re.findall(rf"(?<![\w.-]){re.escape(name)}==([\w.!+-]*\w)", words, re.IGNORECASE)
    return {Version(text) for text in texts if _is_version(text)}


def _advice(name: str, version: Version, other: Version | None, files: Sequence[File], target: Target) -> str:
    if other is not None:
        return f"{name} {other} has a wheel for {target}: ask for {name}=={other}"
    if needs_newer_glibc(files, target):
        newest = newest_python()
        return f"move the function to {newest.name}, which runs on glibc {'.'.join(map(str, newest.glibc or ()))}"
    if not any(file.is_wheel for file in files):
        return (
            f"`--sdist pure` builds it, which runs its code on this machine; or build a wheel "
            f"(`pip wheel --no-deps {name}=={version}`), put it into the project and name its path"
        )
    return f"no version of {name} has a wheel for {target}; use another distribution or another runtime"


def _requirements(text: str) -> list[Requirement]:
    found = []
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith(("#", "-")):
            try:
                found.append(Requirement(line))
            except InvalidRequirement as error:
                raise Refused(f"uv's answer is not understood: {line[:100]}") from error
    return sorted(found, key=lambda requirement: canonicalize_name(requirement.name))


def _pin(requirement: Requirement, question: Question, indexes: Indexes, target: Target, *, sdists: bool) -> Pin:
    name = canonicalize_name(requirement.name)
    hashes = (question.hashes or {}).get(name)
    if question.hashes and hashes is None:
        raise Refused(
            f"{name} is needed, and has no hash where other requirements have one",
            hint="with hashes, everything must be listed: `uv pip compile --generate-hashes` does that",
        )
    if requirement.url:
        return _direct(name, requirement.url, hashes, target)
    version = Version(next(iter(requirement.specifier)).version)
    fitting = legal(indexes.wheels(name).get(version, ()), target)
    if not fitting:
        listed = [file for file in indexes.files(name) if file.version == version]
        fitting = legal(listed, target) or (sources(name, listed, target, frozenset()) if sdists else [])
    files = {file.filename: file for file in fitting}
    if hashes:
        allowed = {filename: file for filename, file in files.items() if f"sha256:{file.sha256}" in hashes}
        if not allowed:
            raise Refused(
                f"none of the hashes stated for {name} {version} is that of {best(files, target) or ', '.join(files)}",
                hint="were they made for another platform? make them anew with `uv pip compile --generate-hashes`",
            )
        files = allowed
    filename = best(files, target) or next(iter(files), None)
    if filename is None:
        raise Refused(f"uv chose {name} {version}, which no longer has a file for {target}", hint="try again")
    file = files[filename]
    return Pin(name, str(version), filename, file.url, file.sha256, file.size)


def _direct(name: str, url: str, hashes: frozenset[str] | None, target: Target) -> Pin:
    plain, _, fragment = url.partition("#")
    filename = unquote(urlsplit(plain).path.rpartition("/")[2])
    if not is_wheel_name(filename):
        raise Refused(f"{name} is asked for as {filename}, which is no wheel", hint="name a wheel")
    if target.rank(filename) is None:
        raise Refused(f"{filename} does not fit {target}: {why_no_tag([filename], target)}", hint="name one that does")
    stated = dict(part.partition("=")[::2] for part in fragment.split("&")).get("sha256")
    sha256 = stated or next((text[7:] for text in sorted(hashes or ()) if text.startswith("sha256:")), None)
    return Pin(name, str(parse_wheel_filename(filename)[1]), filename, plain, sha256)


def _held_back(pins: tuple[Pin, ...], indexes: Indexes, target: Target) -> list[str]:
    """Where the target's C library costs a newer version."""
    notes = []
    for pin in pins:
        if pin.name not in indexes.known():
            continue
        taken, newer = Version(pin.version), []
        for version, files in indexes.wheels(pin.name).items():
            if version <= taken:
                break
            if not version.is_prerelease and not legal(files, target) and needs_newer_glibc(files, target):
                newer.append(version)
        if newer:
            glibc = ".".join(map(str, target.glibc))
            notes.append(
                f"{pin.name} {pin.version} is taken: {max(newer)} needs a newer glibc than {target.runtime}'s {glibc}"
            )
    return notes


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except ValueError:
        return False
    return True
