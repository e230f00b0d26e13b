"""The distributions that code needs: said, resolved, fetched and unpacked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from lambdalint.aws.runtimes import newest_python
from lambdalint.errors import Refused
from lambdalint.model.function import Code, CodeKind
from lambdalint.packager.choice import Pin
from lambdalint.packager.contents import Brought
from lambdalint.packager.fetch import Fetcher
from lambdalint.packager.host import Host, Progress
from lambdalint.packager.index import PYPI, Indexes, IndexSettings
from lambdalint.packager.index_settings import index_settings
from lambdalint.packager.inputs import inputs
from lambdalint.packager.local import built_wheel, look_at
from lambdalint.packager.lock import packages, pinned
from lambdalint.packager.locked import pinned as pinned_by_lock
from lambdalint.packager.needs import Declared, Input, Inputs, Listed, Locked, Places
from lambdalint.packager.once import Once
from lambdalint.packager.options import Options
from lambdalint.packager.pack import Pack, keep, lookup
from lambdalint.packager.plan import Distribution
from lambdalint.packager.resolve import Answer, Question, resolve
from lambdalint.packager.sdist import Builder, Sdist
from lambdalint.packager.target import Target, target
from lambdalint.packager.venv import wheels as venv_wheels
from lambdalint.packager.web import Web
from lambdalint.packager.wheel import RULES, installed
from lambdalint.packager.workers import Workers
from lambdalint.readers.tree import Tree


@dataclass(frozen=True, slots=True, eq=False)
class Needed:
    """What code needs, unpacked, and the files that say so; *asked* are the requirements, where they are in words."""

    brought: tuple[Brought, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    inputs: tuple[Input, ...] = ()
    notes: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


class Dependencies:
    """Finds what functions need; may be used from several threads, and works out once what functions share."""

    def __init__(self, tree: Tree, options: Options, host: Host, once: Once, scratch: Path, progress: Progress) -> None:
        self._tree = tree
        self._options = options
        self._host = host
        self._once = once
        self._scratch = scratch
        self._progress = progress
        self.web = Web(host.environment)
        self._fetcher = Fetcher(self.web, host, scratch)
        self._builder = Builder(options.sdist, host, scratch)

    def needed(self, code: Code, aim: Target) -> Needed:
        """The distributions that *code* is to have with it; none where nothing says so.

        Raises:
            LambdalintError: they cannot be had for *aim*, in words.
        """
        if code.kind not in (CodeKind.FOLDER, CodeKind.FILE):
            return Needed()
        root, file = code.root or "", code.path if code.kind is CodeKind.FILE else None
        key = ("needed", root, file, str(aim))
        return self._once.of(key, lambda: self._dependencies(root, file, aim))

    def _dependencies(self, root: str, file: str | None, aim: Target) -> Needed:
        options = self._options
        environment = self._host.environment
        places = Places(self._tree, root, options.manifest, options.extras, environment, options.groups, file)
        said = inputs(places, aim)
        if said.needs is None and options.venv is None:
            return Needed(notes=said.notes)
        self._progress("resolve", root or ".", 0, 1)
        answer = self._pins(said, aim) if options.venv is None else self._installed(said, options.venv, aim)
        self._progress("resolve", root or ".", 1, 1)
        brought, distributions = self._brought(answer.pins)
        asked = said.needs.question.requirements if isinstance(said.needs, Declared) else ()
        return Needed(brought, distributions, said.files, (*said.notes, *answer.notes), asked)

    def named(self, requirements: tuple[str, ...], root: str, aim: Target) -> Needed:
        """Distributions that nobody declares; the index is the one that the folder *root* says.

        Raises:
            LambdalintError: they cannot be had for *aim*, in words.
        """
        settings = index_settings(self._tree, root, self._host.environment)
        question = Question(requirements)
        answer = resolve(question, self._indexes(settings), aim, self._host, fresh_s=self._options.fresh_s)
        brought, distributions = self._brought(answer.pins)
        return Needed(brought, distributions, (), answer.notes)

    def _brought(self, pins: Sequence[Pin]) -> tuple[tuple[Brought, ...], tuple[Distribution, ...]]:
        """What each of *pins* brings, unpacked, and what it is."""
        packs = self._once.each("unpacked", pins, self._packs)
        brought = []
        distributions = []
        for pin in pins:
            pack, sha256 = packs[pin]
            brought.append(Brought(pin.origin, pack.members, pack.losses, self._wheel_key(sha256)))
            url = None if pin.url.startswith("file:") else self.web.remember(pin.url)
            distributions.append(Distribution(pin.name, pin.version, pin.filename, url, sha256))
        return tuple(brought), tuple(distributions)

    def _pins(self, said: Inputs, aim: Target) -> Answer:
        sdists = self._options.sdist is not Sdist.DENY
        match said.needs:
            case Locked(lock, project):
                base = lock.path.rpartition("/")[0]
                settings = index_settings(self._tree, base, self._host.environment)
                pins, members = pinned(
                    lock,
                    project,
                    self._options.extras,
                    aim,
                    self._tree.on_disk(base),
                    groups=self._options.groups,
                    sdists=sdists,
                    others=lambda name: self._indexes(settings).files(name),
                )
                built = [
                    self._built(f"{base}/{member.source[1]}".strip("/"), aim)
                    for member in members
                    if member.source[0] != "virtual"
                ]
                return self._whole((*pins, *built), aim)
            case Listed(lock, distributions, settings, local):
                pins = pinned_by_lock(
                    lock,
                    distributions,
                    lambda place: self._indexes(_with(settings, place)),
                    aim,
                    self._tree.on_disk(lock.path.rpartition("/")[0]),
                    sdists=sdists,
                )
                return self._whole((*pins, *(self._built(folder, aim) for folder in local)), aim)
            case Declared(question, settings, local):
                texts = [*question.requirements]
                for folder_path, extras in local:
                    pin = self._built(folder_path, aim)
                    asked = f"[{','.join(extras)}]" if extras else ""
                    texts.append(f"{pin.name}{asked} @ {pin.url}")
                whole: Question = replace(question, requirements=tuple(texts))
                build = self._from_source if sdists else None
                answer = resolve(
                    whole,
                    self._indexes(settings),
                    aim,
                    self._host,
                    fresh_s=self._options.fresh_s,
                    build=None if build is None else lambda pin: build(pin, aim),
                    begin=self._fetcher.begin,
                )
                losses = self._losses(whole, settings, answer, aim)
                built_too = self._whole(answer.pins, aim)
                return replace(built_too, notes=(*answer.notes, *losses, *built_too.notes))
            case _:
                return Answer(())

    def _losses(self, whole: Question, settings: IndexSettings, answer: Answer, aim: Target) -> list[str]:
        """What the newest runtime would give instead, where it is wanted to be known."""
        newest = target(newest_python().name, aim.architecture)
        if not self._options.compare or newest.python <= aim.python:
            return []
        try:
            other = resolve(whole, self._indexes(settings), newest, self._host, fresh_s=self._options.fresh_s)
        except Refused:
            return []
        there = {pin.name: pin.version for pin in other.pins}
        return [
            f"for {aim.runtime} you get {pin.name} {pin.version}; {newest.runtime} gives {there[pin.name]}"
            for pin in answer.pins
            if pin.name in there and Version(there[pin.name]) > Version(pin.version)
        ]

    def _installed(self, said: Inputs, venv: Path, aim: Target) -> Answer:
        wanted: list[Requirement] | None = None
        match said.needs:
            case Locked(lock, project):
                needed = packages(lock, project, self._options.extras, self._options.groups, aim)
                wanted = [Requirement(f"{each.name}=={each.version}") for each in needed if each.version]
            case Listed(_, distributions):
                wanted = [Requirement(f"{each.name}=={each.version}") for each in distributions if each.version]
            case Declared(question):
                wanted = [Requirement(text) for text in question.requirements]
        return Answer(*venv_wheels(venv, wanted, aim, self._scratch))

    def _indexes(self, settings: IndexSettings) -> Indexes:
        return self._once.of(("indexes", settings), lambda: Indexes(settings, self.web))

    def _whole(self, pins: Sequence[Pin], aim: Target) -> Answer:
        """*pins* by name, with wheels in the place of source distributions."""
        sources = [pin for pin in pins if not pin.filename.endswith(".whl")]
        wheels = {pin: self._from_source(pin, aim) for pin in sources}
        notes = tuple(f"{pin.origin} was built here, from {pin.filename}" for pin in sources)
        return Answer(tuple(sorted((wheels.get(pin, pin) for pin in pins), key=lambda pin: pin.name)), notes)

    def _from_source(self, pin: Pin, aim: Target) -> Pin:
        def build() -> Pin:
            self._progress("build", pin.origin, 0, 1)
            source, _ = self._fetcher.fetch((pin,), self._progress)[pin]
            named = self._scratch / f"source-{pin.name}" / pin.filename
            named.parent.mkdir(exist_ok=True)
            if not named.exists():
                named.symlink_to(source)  # in the cache it has no name, and the name says what it is
            wheel = self._builder.wheel(named, pin, aim)
            self._progress("build", pin.origin, 1, 1)
            return Pin(pin.name, pin.version, wheel.name, wheel.as_uri())

        return self._once.of(("from source", pin, str(aim)), build)

    def _built(self, folder: str, aim: Target) -> Pin:
        place = self._tree.on_disk(folder)
        if place is None:
            raise Refused(f"the project in {folder} is not there", hint="is the lock or the requirement up to date?")

        def build() -> Path:
            wheel = built_wheel(place, folder or ".", self._scratch, aim)
            look_at(self._tree, folder)
            return wheel

        wheel = self._once.of(("built", folder, str(aim)), build)
        name, version, _, _ = parse_wheel_filename(wheel.name)
        return Pin(canonicalize_name(name), str(version), wheel.name, wheel.as_uri())

    def _packs(self, pins: Sequence[Pin]) -> dict[Pin, tuple[Pack, str]]:
        """The files of each pin; wheels are fetched only for those that were not unpacked before."""
        found: dict[Pin, tuple[Pack, str]] = {}
        for pin in pins:
            pack = lookup(self._host, self._wheel_key(pin.sha256)) if pin.sha256 else None
            if pack is not None and pin.sha256 is not None:
                found[pin] = (pack, pin.sha256)
        missing = [pin for pin in pins if pin not in found]
        fetched = self._fetcher.fetch(missing, self._progress)

        def unpacked(pin: Pin) -> tuple[Pack, str]:
            path, sha256 = fetched[pin]
            key = self._wheel_key(sha256)
            pack = lookup(self._host, key)
            if pack is None:
                made = installed(path, pin, strips=self._options.strip)
                pack = keep(self._host, key, made.members, losses=made.losses)
            return pack, sha256

        with Workers(max_workers=self._host.jobs) as pool:
            for done, (pin, pack_and_hash) in enumerate(zip(missing, pool.map(unpacked, missing), strict=True), 1):
                found[pin] = pack_and_hash
                self._progress("unpack", pin.origin, done, len(missing))
        return found

    def _wheel_key(self, sha256: str) -> tuple[str, ...]:
        return ("wheel", sha256, RULES, "stripped" if self._options.strip else "whole")


def _with(settings: IndexSettings, place: str) -> IndexSettings:
    """*settings* with the index that a lock names for a distribution; the usual one needs no name."""
    if not place or place.rstrip("/") in (PYPI, settings.default):
        return settings
    return replace(settings, extra=(place, *settings.extra))
