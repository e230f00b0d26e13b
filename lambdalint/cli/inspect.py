"""``lambdalint inspect``."""

import sys
from datetime import date
from pathlib import Path

import click

from lambdalint.cli.options import ExistingPath, OneOf, colour, config_file, configured, day, running, runs_on
from lambdalint.cli.output import view_of, view_of_file, write, write_file
from lambdalint.reporters.inspection import FORMATS, render


@click.command("inspect")
@click.argument("artifact", type=ExistingPath())
@click.option("--output-format", type=OneOf(FORMATS), default="text", show_default=True, help="How to show it.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Write it there instead of printing."
)
@running
@click.option(
    "--boot-report",
    type=ExistingPath(),
    metavar="FILE",
    help="Show the import times of this report, by `lambdalint boot` as JSON or by `python -X importtime`.",
)
@click.option("--today", type=day, metavar="DATE", help="Judge dated facts, such as deprecations, as of this day.")
@config_file
@colour
@click.pass_context
def command(
    ctx: click.Context,
    *,
    artifact: Path,
    output_format: str,
    output: Path | None,
    runtime: str | None,
    architecture: str | None,
    handler: str | None,
    layers: tuple[Path, ...],
    boot_report: Path | None,
    today: date | None,
    config_file: Path | None,
    color: str,
) -> None:
    """Show what ARTIFACT is made of: a ZIP, or the folder of an unpacked function or layer.

    That is sizes by distribution and file, the share of the quotas, native code, bytecode, what importing the handler
    takes, and why things are there; then what the rules find. Exits as `lambdalint check` does.
    """
    from lambdalint.facts.import_reports import measured_frames
    from lambdalint.inspection import inspected

    config = configured((artifact,), config_file)
    frames = measured_frames(boot_report.read_bytes(), str(boot_report)) if boot_report else None
    found = inspected(
        artifact,
        config,
        running=runs_on(runtime, architecture, handler, layers),
        today=today,
        frames=frames,
    )
    if output:
        write_file(output, render(output_format, found, view_of_file(color)))
    else:
        view = view_of(sys.stdout, color)
        write(render(output_format, found, view), view)
    ctx.exit(found.check.exit_code(config.fail_on))
