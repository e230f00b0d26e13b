"""``lambdalint diff``."""

import sys
from pathlib import Path

import click

from lambdalint.cli.options import ExistingPath, OneOf, colour
from lambdalint.cli.output import view_of, view_of_file, write, write_file
from lambdalint.errors import ExitCode
from lambdalint.reporters.comparison import FORMATS, render


@click.command("diff")
@click.argument("old", type=ExistingPath())
@click.argument("new", type=ExistingPath())
@click.option("--output-format", type=OneOf(FORMATS), default="text", show_default=True, help="How to show it.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Write it there instead of printing."
)
@colour
@click.pass_context
def command(ctx: click.Context, *, old: Path, new: Path, output_format: str, output: Path | None, color: str) -> None:
    """Show what is different between two artifacts, each a ZIP or a folder, and why their bytes differ.

    Exits with 0 when both unpack to the same files with the same permissions and links, with 1 when they do not, and
    with 3 when one of them cannot be read.
    """
    from lambdalint.comparison import compared

    found = compared(old, new)
    if output:
        write_file(output, render(output_format, found, view_of_file(color)))
    else:
        view = view_of(sys.stdout, color)
        write(render(output_format, found, view), view)
    ctx.exit(ExitCode.CLEAN if found.is_equal else ExitCode.FINDINGS)
