"""``lambdalint package``."""

import sys
from pathlib import Path

import click

import lambdalint
from lambdalint.cli.options import ExistingPath, colour, config_file, configured, overrides
from lambdalint.cli.output import Progress, view_of, write
from lambdalint.reporters.packages import render


@click.command("package")
@click.argument("path", type=ExistingPath(), default=Path())
@click.option("--function", "functions", multiple=True, metavar="NAME", help="Only this one; repeatable.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dist"),
    show_default=True,
    metavar="DIR",
    help="The folder for the artifacts and their manifests.",
)
@click.option("--plan", "plan_only", is_flag=True, help="Show what would be packaged without writing anything.")
@overrides
@config_file
@colour
@click.pass_context
def command(
    ctx: click.Context,
    *,
    path: Path,
    functions: tuple[str, ...],
    out: Path,
    plan_only: bool,
    parameter_overrides: tuple[tuple[tuple[str, str], ...], ...],
    stage: str | None,
    variable_files: tuple[str, ...],
    config_file: Path | None,
    color: str,
) -> None:
    """Build the ZIP of every Python function that a template under PATH declares, by default the current folder.

    The same input gives the same bytes, whoever builds them and where. Exits with 1 when a quota is passed, and with 3
    when something cannot be built.
    """
    config = configured(
        (path,),
        config_file,
        parameter_overrides=parameter_overrides,
        stage=stage,
        variable_files=variable_files,
    )
    with Progress(sys.stderr) as progress:
        packaging = lambdalint.package(
            path, config, functions=functions, out=out, plan_only=plan_only, progress=progress
        )
    view = view_of(sys.stdout, color)
    write(render(packaging, view), view)
    ctx.exit(packaging.check.exit_code(config.fail_on))
