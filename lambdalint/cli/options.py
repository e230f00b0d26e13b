"""Options that several commands take, and the types of their values."""

import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from lambdalint.config import NEVER, Config, severity
from lambdalint.errors import UsageError
from lambdalint.model.finding import Confidence, Profile, Severity
from lambdalint.readers.disk import exists, is_folder
from lambdalint.reporters import FORMATS

if TYPE_CHECKING:
    from lambdalint.api import Running

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class OneOf(click.Choice[str]):
    """One of a few words; another one gets the nearest as a hint."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        choices = tuple(map(str, self.choices))
        if value in choices:
            return str(value)
        hint = _closest(str(value), choices)
        raise UsageError(f"{_named(param)} takes {_alternatives(choices)}, not {value!r}", hint=hint)


class ExistingPath(click.Path):
    """A file or folder that is there; a mistyped one gets its likeliest neighbour as a hint."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, readable=False)  # what may not be read is said when it is read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if exists(path):
            return path
        raise UsageError(f"there is no file or folder {str(path)!r}", hint=_neighbour(path))


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image that is named in place of a path."""

    name: str


class PathOrImage(ExistingPath):
    """A file or folder that is there, or the name of an image."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from lambdalint.imaging import is_image_name

        return ImageName(str(value)) if is_image_name(str(value)) else super().convert(value, param, ctx)


def day(text: str) -> date:
    """The date that *text* is, as ISO 8601 has it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--today takes a date, not {text!r}", hint="write it as 2026-11-30") from None


def names(text: str) -> tuple[str, ...]:
    """The names in *text*, which has commas between them."""
    return tuple(filter(None, map(str.strip, text.split(","))))


def report(text: str) -> tuple[str, Path]:
    """The format and the file of ``FORMAT=FILE``."""
    name, _, file = text.partition("=")
    if not file:
        raise UsageError(f"--report takes FORMAT=FILE, not {text!r}", hint="for example json=findings.json")
    if name not in FORMATS:
        raise UsageError(f"--report takes {_alternatives(FORMATS)}, not {name!r}", hint=_closest(name, FORMATS))
    return name, Path(file)


def selection(command: Decorated) -> Decorated:
    """The options that say which configuration and which rules to use; ``configured`` understands them."""
    for option in reversed(_SELECTION):
        command = option(command)
    return command


def colour(command: Decorated) -> Decorated:
    """The option that says when to use colours."""
    return click.option(
        "--color",
        type=OneOf(("auto", "always", "never")),
        default="auto",
        show_default=True,
        help="When to use colours; auto means on a terminal, and heeds NO_COLOR and FORCE_COLOR.",
    )(command)


def overrides(command: Decorated) -> Decorated:
    """The options that stand in for what a template does not say; ``configured`` understands them."""
    for option in reversed(_OVERRIDES):
        command = option(command)
    return command


def running(command: Decorated) -> Decorated:
    """The options that say on what an artifact runs; ``runs_on`` understands them."""
    for option in reversed(_RUNNING):
        command = option(command)
    return command


def runs_on(
    runtime: str | None, architecture: str | None, handler: str | None, layers: tuple[Path, ...]
) -> "Running | None":
    """What those options say; ``None`` when nothing is said."""
    from lambdalint.api import Running

    said = Running(runtime=runtime, architecture=architecture, handler=handler, layers=layers)
    return None if said == Running() else said


def assignments(text: str) -> tuple[tuple[str, str], ...]:
    """The names and values in ``NAME=VALUE NAME=VALUE``, quoted as in a shell."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = [text]
    pairs = []
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise UsageError(f"--parameter-overrides takes NAME=VALUE, not {word!r}")
        pairs.append((name, value))
    return tuple(pairs)


def variable(text: str) -> tuple[str, str]:
    """The name and the value of ``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--env takes NAME=VALUE, not {text!r}")
    return name, value


def config_file(command: Decorated) -> Decorated:
    """The option that names the configuration."""
    return click.option(
        "--config",
        "config_file",
        type=ExistingPath(),
        metavar="FILE",
        help="Use this configuration instead of the nearest lambdalint.toml or pyproject.toml.",
    )(command)


def configured(
    paths: Iterable[Path],
    file: Path | None,
    *,
    select: Iterable[tuple[str, ...]] = (),
    extend_select: Iterable[tuple[str, ...]] = (),
    ignore: Iterable[tuple[str, ...]] = (),
    profile: str | None = None,
    min_confidence: str | None = None,
    fail_on: str | None = None,
    parameter_overrides: Iterable[tuple[tuple[str, str], ...]] = (),
    stage: str | None = None,
    variable_files: Iterable[str] = (),
) -> Config:
    """The configuration for *paths*, and what the command line says about it.

    ``--select`` takes the place of all that the configuration selects and ignores; the others add to it.
    """
    config = Config.read(file) if file else Config.find(paths)
    chosen = _flat(select)
    if chosen:
        config = replace(config, select=chosen, extend_select=(), ignore=())
    return replace(
        config,
        extend_select=config.extend_select + _flat(extend_select),
        ignore=config.ignore + _flat(ignore),
        profile=Profile(profile) if profile else config.profile,
        min_confidence=Confidence(min_confidence) if min_confidence else config.min_confidence,
        fail_on=severity(fail_on) if fail_on else config.fail_on,
        parameter_overrides={
            **config.parameter_overrides,
            **dict(each for pairs in parameter_overrides for each in pairs),
        },
        stage=stage or config.stage,
        variable_files=(*config.variable_files, *variable_files),
    )


#: The words that ``--fail-on`` takes.
FAIL_ON: Final = (*(each.value for each in Severity), NEVER)

_RUNNING: Final = (
    click.option("--runtime", metavar="NAME", help="The runtime that the artifact is for, such as python3.13."),
    click.option("--architecture", type=OneOf(("x86_64", "arm64")), help="The architecture that it is for."),
    click.option("--handler", metavar="MODULE.NAME", help="The handler in it."),
    click.option(
        "--layer",
        "layers",
        type=ExistingPath(),
        multiple=True,
        metavar="PATH",
        help="A layer of the function, as archive or folder; give all of them.",
    ),
)

_OVERRIDES: Final = (
    click.option(
        "--parameter-overrides",
        type=assignments,
        multiple=True,
        metavar="NAME=VALUE",
        help="Give parameters of CloudFormation, variables of Terraform or params of the Serverless Framework.",
    ),
    click.option("--stage", metavar="NAME", help="The stage of a Serverless Framework service."),
    click.option(
        "--var-file",
        "variable_files",
        multiple=True,
        metavar="FILE",
        help="Read variables of Terraform from this file.",
    ),
)

_SELECTION: Final = (
    click.option(
        "--select",
        type=names,
        multiple=True,
        metavar="RULES",
        help="Check only these, whatever the configuration selects: codes, names, families, ids of other tools' rules.",
    ),
    click.option("--ignore", type=names, multiple=True, metavar="RULES", help="Leave these out."),
    click.option("--extend-select", type=names, multiple=True, metavar="RULES", help="Check these as well."),
    click.option(
        "--profile",
        type=OneOf(tuple(each.value for each in Profile)),
        help="Which rules to start from; strict adds policies and hints.",
    ),
    click.option(
        "--min-confidence",
        type=OneOf(tuple(each.value for each in Confidence)),
        help="Leave out findings that are less sure.",
    ),
    config_file,
)


def _flat(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(name for several in names for name in several)


def _named(param: click.Parameter | None) -> str:
    if not param:
        return "it"
    return max(param.opts, key=len) if param.param_type_name == "option" else str(param.human_readable_name)


def _alternatives(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _closest(word: str, words: Sequence[str]) -> str | None:
    close = get_close_matches(word, words, n=1)
    return f"did you mean {close[0]!r}?" if close else None


def _neighbour(path: Path) -> str | None:
    """A hint at what lies where *path* was looked for."""
    folder = path.parent
    if not is_folder(folder):
        return f"there is no folder {str(folder)!r} either"
    try:
        return _closest(str(path), [str(folder / each.name) for each in folder.iterdir()])
    except OSError:
        return None
