"""What ``lambdalint`` offers to Python: checking and packaging, wired together.

Only what a remembered run needs is imported at the top; a fresh one loads the engine and the rules.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from os.path import commonpath
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lambdalint import __version__
from lambdalint.config import Config
from lambdalint.engine.cache import Cache
from lambdalint.engine.remembered import recalled, remember, run_key
from lambdalint.engine.result import Result
from lambdalint.errors import UnreadableInput, UsageError
from lambdalint.imaging import images_among, opened_images
from lambdalint.model.places import Span
from lambdalint.readers.disk import exists, is_folder
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Folder, Tree
from lambdalint.store import cache_folder

if TYPE_CHECKING:
    from lambdalint.engine.planned import Planned
    from lambdalint.engine.run import Options
    from lambdalint.join.inputs import StatedArtifacts, StatedFunction
    from lambdalint.model.boot import Measured
    from lambdalint.model.image import Image
    from lambdalint.model.policy import Policy
    from lambdalint.model.project import Project
    from lambdalint.packager.host import Host
    from lambdalint.packager.kept import Kept
    from lambdalint.packager.options import Options as PackagerOptions
    from lambdalint.reporters.packages.document import Packaging

#: The families of rules that look at what Lambda unpacks, and the rule that looks for the handler in it.
_ABOUT_ARTIFACTS: Final = ("LZ", "LY", "LH001")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run looks: the *root* of its tree, the paths in it, how a path is shown, and layers that were named."""

    root: Path
    paths: tuple[str, ...]
    shown: Callable[[str], str]
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """On what the artifacts among the paths run, where neither a template nor a manifest says so.

    *layers* are all layers of their functions; without any, nobody knows which there are.
    """

    runtime: str | None = None
    architecture: str | None = None
    handler: str | None = None
    layers: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Fixes:
    """What fixing comes to: the *result* of a check after it, how many *findings* it settles, and the *diff*."""

    result: Result
    findings: int
    diff: str


def check(
    paths: Sequence[Path] = (Path(),),
    config: Config | None = None,
    *,
    today: date | None = None,
    jobs: int = 1,
    cache: bool = True,
    running: Running | None = None,
    images: Sequence[str] = (),
) -> Result:
    """Check the functions declared under *paths*, and the artifacts among them, on which *running* has more to say.

    *images* are looked at as well: ``oci:PATH[:TAG]``, ``docker-archive:PATH[:TAG]``, or ``HOST/NAME:TAG``, which is
    pulled from its registry.  Layouts and archives of images may be among *paths*.

    *config* is looked for near the paths when it is not given; dated facts are judged by *today*.  With *running*,
    every folder among the paths is taken for an artifact.

    Raises:
        LambdalintError: a path does not exist, the configuration is wrong, or a pack of rules is.
    """
    config = Config.find(paths) if config is None else config
    paths, found = images_among(paths)
    place = placed(paths, running.layers if running else ())
    day = today or date.today()
    tree = Folder(place.root)
    results = Cache(cache_folder() if cache else None)
    if found or images:
        with opened_images((*found, *images), cache=cache) as opened:
            return _run(tree, place, config, day, jobs, results, _Packages.loaded(), running, opened)
    said = (repr(replace(running, layers=())), *place.layers) if running else ()
    reports = (*_boot_reports(config), *_size_baseline(config))
    said = (*said, *(hashlib.sha256(content).hexdigest() for _, content in reports))
    key = run_key(__version__, str(place.root), *place.paths, repr(config), str(day), *said)
    result = recalled(results, key, place.root) if cache else None
    if result is None:
        return _checked(tree, place, config, day, jobs, results, key, running)
    return replace(result, read_text=lambda path: _text(tree, path), shown=place.shown)


@dataclass(frozen=True, slots=True)
class _Packages:
    """The code that takes part in a run: its *folders*, and the *digest* of what is in them."""

    folders: tuple[str, ...]
    digest: str

    @staticmethod
    def loaded() -> "_Packages":
        from lambdalint.engine.registry import pack_folders
        from lambdalint.engine.remembered import packages_digest

        folders = (str(Path(__file__).parent), *pack_folders())
        return _Packages(folders, packages_digest(folders))


def _run(
    tree: Tree,
    place: Place,
    config: Config,
    day: date,
    jobs: int,
    results: Cache,
    packages: _Packages,
    running: Running | None = None,
    images: "tuple[Image, ...]" = (),
) -> Result:
    from lambdalint.engine.executors import executor
    from lambdalint.engine.registry import Registry
    from lambdalint.engine.run import run

    registry = Registry.load()
    with executor(jobs) as workers:
        return run(
            tree,
            place.paths,
            options(config, place, day, running, images),
            registry,
            cache=results.with_packages(Path(folder).name for folder in packages.folders),
            executor=workers,
            version=packages.digest,
            shown=place.shown,
        )


def _checked(
    tree: Folder,
    place: Place,
    config: Config,
    day: date,
    jobs: int,
    results: Cache,
    key: str,
    running: Running | None,
) -> Result:
    packages = _Packages.loaded()
    result = _run(tree, place, config, day, jobs, results, packages, running)
    places = [finding.at for finding in result.findings]
    on_disk = all(tree.is_file(at.path) for at in places if isinstance(at, Span))
    if on_disk and not any(finding.name == "crashed-rule" for finding in result.findings):
        remember(results, key, result, tree.trace(), packages.folders, packages.digest)
    return result


def fix(
    paths: Sequence[Path] = (Path(),),
    config: Config | None = None,
    *,
    unsafe: bool = False,
    write: bool = True,
    today: date | None = None,
    jobs: int = 1,
    cache: bool = True,
) -> Fixes:
    """Check the functions declared under *paths*, and apply the fixes of what is found.

    Those that may change what the code does are applied only if *unsafe*.  Without *write* all files stay as they are.

    Raises:
        LambdalintError: a path does not exist, a file cannot be written, the configuration is wrong, or a pack is.
    """
    from lambdalint.engine.edits import edits_of
    from lambdalint.fixer import diff, fixed

    place = placed(paths)
    config = Config.find(paths) if config is None else config
    day = today or date.today()
    before = check(paths, config, today=day, jobs=jobs, cache=cache)
    tree = Folder(place.root)
    results = Cache(cache_folder() if cache else None)

    def again(changed: Tree) -> Result:
        return _run(changed, place, config, day, jobs, results, _Packages.loaded())

    done = fixed(tree, before, again, unsafe=unsafe)
    changes = "".join(diff(tree, done.contents, place.shown))
    broken = tuple(
        f"the fix of {finding.name} at {place.shown(finding.path)} is left out: the file could not be read with it"
        for finding in done.broken
    )
    after = before
    if write and done.contents:
        for path, content in done.contents.items():
            try:
                (place.root / path).write_bytes(content)
            except OSError as error:
                raise UsageError(f"{place.shown(path)} cannot be written: {error.strerror}") from error
        after = check(paths, config, today=day, jobs=jobs, cache=cache)
    if write:
        possible = [edits_of(each.fix, after.read_text) if each.fix else None for each in after.findings]
        left = (
            each if edits else replace(each, fix=None) for each, edits in zip(after.findings, possible, strict=True)
        )
        after = replace(after, findings=tuple(left), fixed=done.findings)
    result = replace(after, notes=(*after.notes, *broken))
    return Fixes(result, done.findings, changes)


def package(
    path: Path = Path(),
    config: Config | None = None,
    *,
    functions: Sequence[str] = (),
    out: Path = Path("dist"),
    plan_only: bool = False,
    today: date | None = None,
    progress: Callable[[str], None] = lambda message: None,
) -> "Packaging":
    """Build every Python function and layer declared under *path*, or the named *functions* alone, into *out*.

    Each is planned, checked by the rules about artifacts and then written; one with an error is not.  *plan_only*
    writes nothing.  *progress* hears what is going on.

    Raises:
        LambdalintError: a path or function does not exist, or the configuration is wrong.
    """
    place = placed((path,))
    config = Config.find((path,)) if config is None else config
    return package_tree(
        Folder(place.root),
        place,
        config,
        functions=functions,
        out=out,
        plan_only=plan_only,
        today=today,
        progress=progress,
    )


def package_tree(
    tree: Folder,
    place: Place,
    config: Config,
    *,
    functions: Sequence[str],
    out: Path,
    plan_only: bool = False,
    today: date | None = None,
    progress: Callable[[str], None] = lambda message: None,
    kept: "Kept | None" = None,
    host: "Host | None" = None,
    into: Path | None = None,
) -> "Packaging":
    """As ``package``, of what is at *place* in *tree*; *kept* knows what was written before.

    *host* is the machine to build on, by default this one; *into* is written to instead of *out*.

    Raises:
        LambdalintError: as ``package``.
    """
    from lambdalint.engine.executors import Serial
    from lambdalint.engine.registry import Registry
    from lambdalint.engine.run import run
    from lambdalint.packaging import packaged
    from lambdalint.packaging.order import Order

    wanted = replace(config, select=_ABOUT_ARTIFACTS, extend_select=())
    packages = _Packages.loaded()
    cache = Cache(cache_folder()).with_packages(Path(folder).name for folder in packages.folders)

    def checked(plans: "Callable[[Project], Planned]") -> Result:
        return run(
            tree,
            place.paths,
            options(wanted, place, today or date.today()),
            Registry.load_some(_ABOUT_ARTIFACTS),
            cache=cache,
            executor=Serial(),
            version=packages.digest,
            shown=place.shown,
            plans=plans,
        )

    order = Order(
        out=out,
        functions=functions,
        to=config.package.to,
        plan_only=plan_only,
        emit_template=config.package.emit_template,
        sboms=config.package.sbom,
        into=into,
    )
    building = _packager_options(config, place, plan_only=plan_only)
    return packaged(tree, order, building, check=checked, progress=progress, kept=kept, host=host)


def _packager_options(config: Config, place: Place, *, plan_only: bool) -> "PackagerOptions":
    from lambdalint.packager.bytecode import Bytecode
    from lambdalint.packager.options import Options as PackagerOptions
    from lambdalint.packager.plan import Kind
    from lambdalint.packager.sdist import Sdist
    from lambdalint.packager.sdk import Sdk
    from lambdalint.readers.image.names import seen_from

    settings = config.package
    base = (config.file.resolve().parent if config.file else Path.cwd()).resolve()
    manifest = None
    if settings.manifest is not None:
        manifest = _relative((base / settings.manifest).resolve(), place.root)
        if manifest is None:
            raise UsageError(f"{settings.manifest} is outside of {place.root}, where the project is")
    return PackagerOptions(
        manifest=manifest,
        extras=settings.extras,
        groups=settings.groups,
        sdist=Sdist(settings.sdist),
        venv=(base / settings.venv) if settings.venv else None,
        compare=plan_only,
        kind=Kind(settings.kind) if settings.kind else None,
        base=seen_from(settings.base, base) if settings.base else None,
        bytecode=Bytecode(settings.bytecode),
        sdk=Sdk(settings.sdk),
        slim_sdk=settings.slim_sdk,
        reachable_source=settings.reachable_source,
        shares_layers=settings.layers == "shared",
        strip=settings.strip,
        trim=settings.trim,
    )


def options(
    config: Config, place: Place, today: date, running: Running | None = None, images: "tuple[Image, ...]" = ()
) -> "Options":
    """What the engine needs to know of *config*."""
    from lambdalint.engine.run import Options
    from lambdalint.engine.select import Selection
    from lambdalint.join.inputs import Inputs

    base = (config.file.resolve().parent if config.file else Path.cwd()).resolve()
    return Options(
        selection=Selection(config.select, config.extend_select, config.ignore, config.profile),
        min_confidence=config.min_confidence,
        per_path_ignores=config.per_path_ignores,
        honour_foreign_ignores=config.honour_foreign_ignores,
        exclude=config.exclude,
        base=_relative(base, place.root) or "",
        inputs=Inputs(
            parameters=config.parameter_overrides,
            stage=config.stage,
            variable_files=tuple(_variable_files(config, base, place.root)),
            functions=tuple(_stated_functions(config, base, place)),
            artifacts=_stated_artifacts(running, place),
            images=images,
            measured=tuple(_measured(config)),
            policy=_policy(config),
        ),
        today=today,
    )


def _variable_files(config: Config, base: Path, root: Path) -> Iterator[str]:
    for name in config.variable_files:
        place = next((each for each in (Path(name).resolve(), (base / name).resolve()) if each.is_file()), None)
        if place is None:
            raise UsageError(f"there is no file {name!r}")
        path = _relative(place, root)
        if path is None:
            raise UsageError(f"{name} is outside of {root}, where the project is")
        yield path


def _stated_functions(config: Config, base: Path, place: Place) -> "Iterator[StatedFunction]":
    """The functions that the configuration names below the paths that are looked at."""
    from lambdalint.join.inputs import StatedFunction

    file = _relative(config.file.resolve(), place.root) if config.file else None
    for each in (*config.handlers, *config.functions):
        path = _relative((base / each.path).resolve(), place.root)
        if path is None or not any(not given or f"{path}/".startswith(f"{given}/") for given in place.paths):
            continue
        if not exists(base / each.path):
            raise UsageError(f"there is no file {each.path!r}, which {config.file} names for a handler")
        root = None if each.root is None else _relative((base / each.root).resolve(), place.root)
        if each.root is not None and (root is None or not f"{path}/".startswith(f"{root}/" if root else "")):
            raise UsageError(f"{each.path} is not in {each.root}, which {config.file} names for its root")
        span = Span.whole(path)
        if file is not None and each.line:
            span = Span(file, each.line, each.column, each.line, each.end_column)
        yield StatedFunction(
            path=path,
            symbol=each.symbol,
            span=span,
            name=each.name,
            root=root,
            runtime=each.runtime,
            architecture=each.architecture,
            memory_mb=each.memory,
            timeout_s=each.timeout,
        )


def _boot_reports(config: Config) -> Iterator[tuple[str, bytes]]:
    """The reports of measurements that the configuration names, with their content."""
    return _reports(config, config.boot.reports)


def _size_baseline(config: Config) -> Iterator[tuple[str, bytes]]:
    """The report of packages that later ones are compared with, if there is one, with its content."""
    return _reports(config, (config.size_baseline,) if config.size_baseline else ())


def _reports(config: Config, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    base = (config.file.resolve().parent if config.file else Path.cwd()).resolve()
    for name in names:
        try:
            yield name, (base / name).read_bytes()
        except OSError as error:
            raise UsageError(f"the report {name!r} cannot be read: {error.strerror}") from error


def _policy(config: Config) -> "Policy":
    from lambdalint.model.policy import Policy
    from lambdalint.readers.package_report import read_sizes

    sizes = {
        package: size for name, content in _size_baseline(config) for package, size in read_sizes(content, name).items()
    }
    return Policy(
        layer_accounts=config.allowed_layer_accounts,
        published_layers=config.published_layers,
        sizes=sizes,
        max_growth=config.max_growth,
    )


def _measured(config: Config) -> "Iterator[Measured]":
    from lambdalint.readers.boot_report import read_boot_report

    for name, content in _boot_reports(config):
        yield read_boot_report(content, name)


def _stated_artifacts(running: Running | None, place: Place) -> "StatedArtifacts | None":
    from lambdalint.join.inputs import StatedArtifacts

    if running is None:
        return None
    return StatedArtifacts(
        runtime=running.runtime, architecture=running.architecture, handler=running.handler, layers=place.layers
    )


def placed(paths: Sequence[Path], layers: Sequence[Path] = ()) -> Place:
    """The tree that *paths* are in: their repository, so that ``CodeUri: ../src`` is found, but nothing beyond.

    Outside any repository it is the working directory, or what the paths have in common when they lie elsewhere.

    Raises:
        UsageError: a path does not exist.
    """
    for path in (*paths, *layers):
        if not exists(path):
            raise UsageError(f"there is no file or folder {str(path)!r}")
    here = Path.cwd().resolve()
    resolved = [path.resolve() for path in (*paths, *layers)] or [here]
    common = Path(commonpath(resolved))
    folder = common if is_folder(common) else common.parent
    repository = next((each for each in (folder, *folder.parents) if exists(each / ".git")), None)
    root = repository or (here if folder.is_relative_to(here) else folder)
    near = here.is_relative_to(root) or root.is_relative_to(here)

    def shown(path: str) -> str:
        return Path(os.path.relpath(root / path, here)).as_posix() if near else str(root / path)

    inside = tuple(_relative(each, root) or "" for each in resolved[: len(paths) + len(layers)])
    return Place(root, inside[: len(paths)], str if root == here else shown, inside[len(paths) :])


def _text(tree: Tree, path: str) -> str | None:
    try:
        return decoded(tree.read(path), path)
    except UnreadableInput:
        return None


def _relative(path: Path, root: Path) -> str | None:
    if not path.is_relative_to(root):
        return None
    text = path.relative_to(root).as_posix()
    return "" if text == "." else text
