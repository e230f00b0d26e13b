"""``lambdalint boot``."""

import sys
from pathlib import Path

import click

from lambdalint.cli.options import (
    ImageName,
    OneOf,
    PathOrImage,
    colour,
    config_file,
    configured,
    running,
    runs_on,
    variable,
)
from lambdalint.cli.output import view_of, view_of_file, write, write_file
from lambdalint.errors import ExitCode
from lambdalint.reporters.boot import FORMATS, render


@click.command("boot")
@click.argument("artifact", type=PathOrImage())
@running
@click.option(
    "--event",
    "events",
    multiple=True,
    metavar="NAME|FILE",
    help="Invoke it with this event: a kind of trigger such as sqs, or a file with JSON; repeatable.",
)
@click.option(
    "--env",
    "variables",
    type=variable,
    multiple=True,
    metavar="NAME=VALUE",
    help="A variable of the function's environment; repeatable.",
)
@click.option("--timeout", type=click.IntRange(min=1, max=900), metavar="S", help="For each event.  [default: 30]")
@click.option(
    "--memory",
    type=click.IntRange(min=128, max=10240),
    metavar="MB",
    help="What the function has; it is stopped when it takes more.",
)
@click.option("--output-format", type=OneOf(FORMATS), default="text", show_default=True, help="How to show it.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Write it there instead of printing."
)
@click.option("--no-cache", is_flag=True, help="Neither use nor write the cache.")
@config_file
@colour
@click.pass_context
def command(
    ctx: click.Context,
    *,
    artifact: Path | ImageName,
    runtime: str | None,
    architecture: str | None,
    handler: str | None,
    layers: tuple[Path, ...],
    events: tuple[str, ...],
    variables: tuple[tuple[str, str], ...],
    timeout: int | None,
    memory: int | None,
    output_format: str,
    output: Path | None,
    no_cache: bool,
    config_file: Path | None,
    color: str,
) -> None:
    """Start the function in ARTIFACT under AWS's own runtime client, and measure it.

    ARTIFACT is a ZIP, a folder, or an image: an OCI layout, an archive of one, oci:PATH:TAG, docker-archive:PATH:TAG,
    or HOST/NAME:TAG of a registry. An image starts as it says itself, in a container of crun or a root of its own;
    --handler takes the place of its command.

    Its code runs, away from your files and credentials as far as this machine can keep it from them; the report says
    how far. Without --event it is only initialised. Runtime, architecture and handler are taken from the manifest that
    `lambdalint package` wrote, where no option says them.

    Exits with 0 when it comes up, answers and keeps the budgets of the configuration, with 1 when it does not, and
    with 3 when it cannot be started here at all.
    """
    from lambdalint.booting import TIMEOUT_S, boot

    found = boot(
        artifact.name if isinstance(artifact, ImageName) else artifact,
        configured(() if isinstance(artifact, ImageName) else (artifact,), config_file),
        running=runs_on(runtime, architecture, handler, layers),
        events=events,
        environment=dict(variables),
        timeout_s=timeout or TIMEOUT_S,
        memory_mb=memory,
        cache=not no_cache,
    )
    if output:
        write_file(output, render(output_format, found, view_of_file(color)))
    else:
        view = view_of(sys.stdout, color)
        write(render(output_format, found, view), view)
    ctx.exit(ExitCode.CLEAN if found.is_healthy else ExitCode.FINDINGS)
