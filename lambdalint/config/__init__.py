"""What a project says about how it wants to be checked."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from os.path import commonpath
from pathlib import Path
from typing import Any, Final

import tomli

from lambdalint.config import values
from lambdalint.errors import ConfigError
from lambdalint.model.finding import Confidence, Profile, Severity
from lambdalint.model.policy import DEFAULT_GROWTH
from lambdalint.readers.disk import is_file

OWN_FILE: Final = "lambdalint.toml"
SHARED_FILE: Final = "pyproject.toml"
NEVER: Final = "never"

_HANDLER: Final = re.compile(r"(?P<path>[^:]+\.py):(?P<symbol>[^\W\d]\w*)")
_HANDLER_HINT: Final = 'for example "src/app.py:handler"'
_ARCHITECTURES: Final = ("x86_64", "arm64")

#: The forms of packages; each function has its own where none is said.
KINDS: Final = ("zip", "layer", "dir", "image")
#: Where images go, besides registries, the default first.
TO: Final = ("oci", "docker-archive")
#: What may become of source distributions, the default first.
SDIST: Final = ("deny", "pure", "native", "cross")
#: Which modules get bytecode, the default first.
BYTECODE: Final = ("closure", "all", "none")
#: Whether functions have what they need for themselves, or in layers that they share; the default first.
LAYERS: Final = ("own", "shared")
#: Whose SDK runs, the default first.
SDK: Final = ("bundle", "runtime", "pin")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedHandler:
    """A function that the configuration names by the file of its handler, seen from the configuration's own folder.

    *root* is the folder that is deployed.  *line*, *column* and *end_column* say where the handler is named; line 0:
    somewhere.
    """

    path: str
    symbol: str
    name: str | None = None
    root: str | None = None
    runtime: str | None = None
    architecture: str | None = None
    memory: int | None = None
    timeout: int | None = None
    line: int = 0
    column: int = 0
    end_column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSettings:
    """How packages are built, by the keys of the table ``package`` with ``_`` for ``-``.

    *manifest* counts instead of what lies beside the code; it and *venv*, a folder of installed distributions to take
    them from, are relative to the configuration's folder.  *extras* and *groups* are those of the function's own
    project.  *sdist* says what becomes of distributions that have no wheel which fits.  *kind* is the form of all
    packages.  *base* is what images rest on, ``oci:PATH[:TAG]``, ``docker-archive:PATH`` or a reference, and *to* where
    they go: ``oci`` and ``docker-archive`` are files, everything else is a reference.  *bytecode* says which modules
    get bytecode, *layers* whether functions share layers of what they have in common, *sdk* whose SDK runs.  *slim_sdk*
    leaves out its models of services without clients, *reachable_source* what the handler does not lead to, *trim*
    tests that nothing leads to, *strip* what no loader reads.  *emit_template* writes templates that name the packages,
    *sbom* a bill of materials beside each.
    """

    manifest: str | None = None
    venv: str | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    sdist: str = SDIST[0]
    kind: str | None = None
    base: str | None = None
    to: str = TO[0]
    bytecode: str = BYTECODE[0]
    layers: str = LAYERS[0]
    sdk: str = SDK[0]
    slim_sdk: bool = False
    reachable_source: bool = False
    strip: bool = True
    trim: bool = True
    emit_template: bool = False
    sbom: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BootSettings:
    """Budgets for starting an artifact, by the keys of the table ``boot``; ``None`` for none.

    *reports* are measurements that rules take for fact, relative to the configuration's folder.
    """

    max_init_ms: int | None = None
    max_memory_mb: int | None = None
    reports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings by their names in the file, with ``_`` for ``-``.

    *select*, *extend_select* and *ignore* are codes, names, families and peers' ids; an empty *select* means the rules
    of the *profile*.  *fail_on* is ``None`` for ``"never"``.  The patterns of *exclude* and *per_path_ignores* are
    git's, relative to the folder of *file*, or to the working directory where there is none.  *parameter_overrides*
    are what is given to a template in place of its own defaults: parameters of CloudFormation, variables of Terraform,
    ``--param`` of the Serverless Framework, whose stage is *stage*.  *variable_files* are relative like the patterns.
    *handlers* and *functions* name what no template declares.  *allowed_layer_accounts* and *published_layers* are
    layers that are meant so.  *size_baseline* is a report of packages, relative like the patterns, from which they may
    grow by the share *max_growth*.  *package* says how packages are built,
    *boot* what starting them may take.
    """

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    profile: Profile = Profile.DEFAULT
    fail_on: Severity | None = Severity.WARNING
    min_confidence: Confidence = Confidence.LOW
    per_path_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    honour_foreign_ignores: bool = True
    exclude: tuple[str, ...] = ()
    parameter_overrides: Mapping[str, str] = field(default_factory=dict)
    stage: str | None = None
    variable_files: tuple[str, ...] = ()
    handlers: tuple[NamedHandler, ...] = ()
    functions: tuple[NamedHandler, ...] = ()
    allowed_layer_accounts: tuple[str, ...] = ()
    published_layers: tuple[str, ...] = ()
    size_baseline: str | None = None
    max_growth: float = DEFAULT_GROWTH
    package: PackageSettings = field(default_factory=PackageSettings)
    boot: BootSettings = field(default_factory=BootSettings)
    file: Path | None = None

    @staticmethod
    def find(paths: Iterable[Path] = ()) -> "Config":
        """The configuration nearest to what all *paths* have in common, upwards; the defaults where there is none.

        Raises:
            ConfigError: the file found is no TOML or says something that nobody understands.
        """
        common = Path(commonpath([path.resolve() for path in paths] or [Path.cwd()]))
        for folder in (common, *common.parents):
            own, shared = folder / OWN_FILE, folder / SHARED_FILE
            if is_file(own):
                return Config.read(own)
            if is_file(shared) and _table(shared) is not None:
                return Config.read(shared)
        return Config()

    @staticmethod
    def read(file: Path) -> "Config":
        """The configuration in *file*: all of it, or the table ``[tool.lambdalint]`` of a ``pyproject.toml``.

        Raises:
            ConfigError: as ``find``; also when there is no such file.
        """
        table = _table(file)
        settings = {}
        for key, value in (table or {}).items():
            if key not in _SETTINGS:
                close = get_close_matches(key.replace("_", "-"), _SETTINGS, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(_SETTINGS)}"
                raise ConfigError(f"{file}: there is no setting {key!r}", hint=hint)
            try:
                settings[key.replace("-", "_")] = _SETTINGS[key](value)
            except ConfigError as error:
                raise ConfigError(f"{file}: {key} {error.message}", hint=error.hint) from None
        for key in ("handlers", "functions"):
            if settings.get(key):
                settings[key] = tuple(_placed(settings[key], file.read_text("utf-8")))
        return Config(**settings, file=file)


def severity(text: str) -> Severity | None:
    """The severity called *text*; ``None`` for ``"never"``."""
    return None if text == NEVER else Severity(text)


def _table(file: Path) -> dict[str, Any] | None:
    """The part of *file* that is ours, ``None`` if there is no such part."""
    try:
        content = file.read_bytes()
        # Somebody else's file, perhaps one that is no TOML before a generator has filled it in.
        if file.name == SHARED_FILE and b"lambdalint" not in content:
            return None
        document = tomli.loads(content.decode())
    except OSError as error:
        raise ConfigError(f"{file}: the file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: this is not UTF-8", hint="TOML is always UTF-8") from error
    except (tomli.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{file}: this is not TOML: {error}") from error
    if file.name != SHARED_FILE:
        return document
    tools = document.get("tool")
    table = tools.get("lambdalint") if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.lambdalint must be a table, not {values.described(table)}")
    return table


def _placed(handlers: Iterable[NamedHandler], text: str) -> Iterator[NamedHandler]:
    """*handlers*, each with its place in *text*."""
    lines = text.split("\n")
    for each in handlers:
        written = f"{each.path}:{each.symbol}"
        places = ((number, line.find(written)) for number, line in enumerate(lines, 1))
        line, column = next((place for place in places if place[1] >= 0), (0, 0))
        yield replace(each, line=line, column=column, end_column=column + len(written))


def _handlers(value: Any) -> tuple[NamedHandler, ...]:
    return tuple(NamedHandler(path=path, symbol=symbol) for path, symbol in map(_handler, values.names(value)))


def _package(value: Any) -> PackageSettings:
    if not isinstance(value, dict):
        raise ConfigError(f"must be a table, not {values.described(value)}", hint='for example sdist = "pure"')
    return PackageSettings(**values.entries(value, _PACKAGE))


def _boot(value: Any) -> BootSettings:
    if not isinstance(value, dict):
        raise ConfigError(f"must be a table, not {values.described(value)}", hint="for example max-init-ms = 2000")
    return BootSettings(**values.entries(value, _BOOT))


def _functions(value: Any) -> tuple[NamedHandler, ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ConfigError(
            "must be a list of tables", hint="each begins with [[functions]], or [[tool.lambdalint.functions]]"
        )
    return tuple(_function(each) for each in value)


def _function(table: Mapping[str, Any]) -> NamedHandler:
    given = values.entries(table, _FUNCTION)
    if "handler" not in given:
        raise ConfigError("has an entry without a handler", hint=f"name it, {_HANDLER_HINT}")
    path, symbol = given.pop("handler")
    return NamedHandler(path=path, symbol=symbol, **given)


def _handler(value: Any) -> tuple[str, str]:
    """The file and the name in a handler written as ``src/app.py:handler``."""
    match = _HANDLER.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ConfigError(f"must be PATH.py:NAME, not {values.described(value)}", hint=_HANDLER_HINT)
    return match["path"], match["symbol"]


def _fail_on(value: Any) -> Severity | None:
    return severity(values.text_of(value, [*(each.value for each in Severity), NEVER]))


_SETTINGS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "select": values.names,
    "extend-select": values.names,
    "ignore": values.names,
    "profile": values.one_of(Profile),
    "fail-on": _fail_on,
    "min-confidence": values.one_of(Confidence),
    "per-path-ignores": values.names_by_pattern,
    "honour-foreign-ignores": values.flag,
    "exclude": values.patterns,
    "parameter-overrides": values.texts_by_name,
    "stage": values.text,
    "variable-files": values.names,
    "handlers": _handlers,
    "functions": _functions,
    "allowed-layer-accounts": values.accounts,
    "published-layers": values.names,
    "size-baseline": values.word,
    "max-growth": values.share,
    "package": _package,
    "boot": _boot,
}

_FUNCTION: Final[Mapping[str, Callable[[Any], Any]]] = {
    "handler": _handler,
    "name": values.word,
    "root": values.word,
    "runtime": values.word,
    "architecture": lambda value: values.text_of(value, list(_ARCHITECTURES)),
    "memory": values.number,
    "timeout": values.number,
}

_PACKAGE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "manifest": values.word,
    "venv": values.word,
    "extras": values.names,
    "groups": values.names,
    "kind": lambda value: values.text_of(value, list(KINDS)),
    "base": values.word,
    "to": values.word,
    "sdist": lambda value: values.text_of(value, list(SDIST)),
    "bytecode": lambda value: values.text_of(value, list(BYTECODE)),
    "layers": lambda value: values.text_of(value, list(LAYERS)),
    "sdk": lambda value: values.text_of(value, list(SDK)),
    "slim-sdk": values.flag,
    "reachable-source": values.flag,
    "strip": values.flag,
    "trim": values.flag,
    "emit-template": values.flag,
    "sbom": values.flag,
}

_BOOT: Final[Mapping[str, Callable[[Any], Any]]] = {
    "max-init-ms": values.number,
    "max-memory-mb": values.number,
    "reports": values.names,
}
