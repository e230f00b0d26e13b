"""``lambdalint check``."""

import os
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import click

import lambdalint
from lambdalint.cli.options import (
    FAIL_ON,
    ExistingPath,
    ImageName,
    OneOf,
    PathOrImage,
    colour,
    configured,
    day,
    overrides,
    report,
    running,
    runs_on,
    selection,
)
from lambdalint.cli.output import view_of, view_of_file, write, write_file
from lambdalint.errors import ExitCode, UsageError
from lambdalint.reporters import FORMATS, render

#: The formats that --statistics takes the place of.
WITH_STATISTICS: Final = ("text", "concise")


@click.command("check")
@click.argument("named", metavar="[PATHS]...", type=PathOrImage(), nargs=-1)
@click.option("--output-format", type=OneOf(FORMATS), default="text", show_default=True, help="How to show the result.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Write it there instead of printing."
)
@click.option(
    "--report",
    "reports",
    type=report,
    multiple=True,
    metavar="FORMAT=FILE",
    help="Also write the result in this format to this file; can be given several times.",
)
@selection
@overrides
@running
@click.option(
    "--boot-report",
    "boot_reports",
    type=ExistingPath(),
    multiple=True,
    metavar="FILE",
    help="Take for fact what `lambdalint boot` measured and wrote as JSON; repeatable.",
)
@click.option(
    "--fail-on", type=OneOf(FAIL_ON), help="The least severity that makes the exit code 1.  [default: warning]"
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found, unless the check is incomplete.")
@click.option("--statistics", is_flag=True, help="Show how often each rule was found instead of the findings.")
@click.option("--today", type=day, metavar="DATE", help="Judge dated facts, such as deprecations, as of this day.")
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many processes to use, by default one a processor.",
)
@click.option("--no-cache", is_flag=True, help="Neither use nor write the cache.")
@click.option("--fix", is_flag=True, help="Apply the fixes that keep what the code does, and show what is left.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: take the fixes as well that need a look.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, as a diff, and change nothing.")
@colour
@click.pass_context
def command(
    ctx: click.Context,
    *,
    named: tuple[Path | ImageName, ...],
    output_format: str,
    output: Path | None,
    reports: tuple[tuple[str, Path], ...],
    select: tuple[tuple[str, ...], ...],
    ignore: tuple[tuple[str, ...], ...],
    extend_select: tuple[tuple[str, ...], ...],
    profile: str | None,
    min_confidence: str | None,
    config_file: Path | None,
    parameter_overrides: tuple[tuple[tuple[str, str], ...], ...],
    stage: str | None,
    variable_files: tuple[str, ...],
    runtime: str | None,
    architecture: str | None,
    handler: str | None,
    layers: tuple[Path, ...],
    boot_reports: tuple[Path, ...],
    fail_on: str | None,
    exit_zero: bool,
    statistics: bool,
    today: date | None,
    jobs: int | None,
    no_cache: bool,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    color: str,
) -> None:
    """Check the Lambda functions found under PATHS, by default the current folder.

    A path may be an artifact: an archive, an unpacked function, or a folder that `lambdalint package` wrote to; or an
    image: an OCI layout, an archive of one, oci:PATH:TAG, docker-archive:PATH:TAG, or HOST/NAME:TAG of a registry. What
    is not said of it by a template, a manifest or an option is unknown, and nothing is found that depends on it.

    Exits with 0 when all is clean, 1 when there are findings, 2 when asked for something that does not exist, and 3
    when something could not be judged; what was found is shown then as well.
    """
    if statistics and output_format not in WITH_STATISTICS:
        raise UsageError(f"--statistics cannot be shown as {output_format}", hint="leave out --output-format")
    if unsafe_fixes and not (fix or diff):
        raise UsageError("--unsafe-fixes does nothing alone", hint="add --fix, or --diff to look first")
    images = tuple(each.name for each in named if isinstance(each, ImageName))
    paths = tuple(each for each in named if isinstance(each, Path)) or (() if images else (Path(),))
    config = configured(
        paths,
        config_file,
        select=select,
        extend_select=extend_select,
        ignore=ignore,
        profile=profile,
        min_confidence=min_confidence,
        fail_on=fail_on,
        parameter_overrides=parameter_overrides,
        stage=stage,
        variable_files=variable_files,
    )
    measured = (*config.boot.reports, *(str(path.absolute()) for path in boot_reports))
    config = replace(config, boot=replace(config.boot, reports=measured))
    today, jobs = today or date.today(), jobs or os.cpu_count() or 1
    runs = runs_on(runtime, architecture, handler, layers)
    if (runs or images) and (fix or diff):
        raise UsageError("what is in an artifact is not fixed", hint="fix its sources, and pack them again")
    if fix or diff:
        fixes = lambdalint.fix(
            paths, config, unsafe=unsafe_fixes, write=not diff, today=today, jobs=jobs, cache=not no_cache
        )
        result = fixes.result
    else:
        more: dict[str, Any] = {"running": runs} if runs else {}
        more |= {"images": images} if images else {}
        result = lambdalint.check(paths, config, today=today, jobs=jobs, cache=not no_cache, **more)
    if diff:
        write(fixes.diff, view_of(sys.stdout, color))
        ctx.exit(ExitCode.FINDINGS if fixes.diff and not exit_zero else result.exit_code(None))
    for name, file in reports:
        write_file(file, render(name, result, view_of_file()))
    shown = "statistics" if statistics else output_format
    if output:
        write_file(output, render(shown, result, view_of_file(color)))
    else:
        view = view_of(sys.stdout, color)
        write(render(shown, result, view), view)
    ctx.exit(result.exit_code(None if exit_zero else config.fail_on))
