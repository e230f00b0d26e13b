"""``lambdalint package``."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import click

import lambdalint
from lambdalint.cli import complain
from lambdalint.cli.options import ExistingPath, OneOf, colour, config_file, configured, overrides
from lambdalint.cli.output import Progress, say, view_of, view_of_file, write, write_file
from lambdalint.config import BYTECODE, KINDS, LAYERS, SDIST, SDK, Config
from lambdalint.errors import LambdalintError, UsageError
from lambdalint.readers.image.names import seen_from
from lambdalint.reporters.packages import BARE, FORMATS, render
from lambdalint.reporters.packages.document import Packaging


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
@click.option(
    "--kind",
    type=OneOf(KINDS),
    help="The form of all packages; dir is the plain files.  [default: the template's own, zip or image]",
)
@click.option(
    "--base",
    metavar="IMAGE",
    help="What images rest on: oci:PATH[:TAG], docker-archive:PATH or HOST/NAME@DIGEST.  [default: what the Dockerfile "
    "says, or AWS's own for the runtime]",
)
@click.option(
    "--to",
    metavar="PLACE",
    help="Where an image goes: oci, a folder; docker-archive, a file; or HOST/NAME:TAG, a registry.  [default: oci]",
)
@click.option("--plan", "plan_only", is_flag=True, help="Show what would be packaged without writing anything.")
@click.option(
    "--manifest",
    type=ExistingPath(),
    metavar="FILE",
    help="The lock, requirements or project file that says what is needed, instead of those beside the code.",
)
@click.option(
    "--extra", "extras", multiple=True, metavar="NAME", help="An extra of the function's project; repeatable."
)
@click.option("--group", "groups", multiple=True, metavar="NAME", help="A dependency group of it; repeatable.")
@click.option(
    "--sdist",
    type=OneOf(SDIST),
    help="Build what has no wheel that fits, which runs its code: pure Python, native code for a machine like this "
    "one, or for another one by zig.  [default: deny]",
)
@click.option(
    "--venv",
    type=ExistingPath(),
    metavar="DIR",
    help="Take distributions from this virtual environment, or folder that they are installed into.",
)
@click.option(
    "--bytecode",
    type=OneOf(BYTECODE),
    help="Compile what the handler's start leads to, all modules, or none.  [default: closure]",
)
@click.option(
    "--layers",
    type=OneOf(LAYERS),
    help="Leave to each function what it needs, or put what several need into layers.  [default: own]",
)
@click.option(
    "--sdk",
    type=OneOf(SDK),
    help="Bundle the AWS SDK if it is required, leave it to the runtime where that one is sure to do, or have one in "
    "the package in any case.  [default: bundle]",
)
@click.option(
    "--slim-sdk/--no-slim-sdk",
    default=None,
    help="Leave out the SDK's models of services that no code makes a client of.",
)
@click.option(
    "--reachable-source/--all-source",
    default=None,
    help="Leave out modules of the project that the handler does not lead to.",
)
@click.option("--strip/--no-strip", default=None, help="Cut what no loader reads off native files.  [default: strip]")
@click.option(
    "--trim/--no-trim", default=None, help="Leave out distributions' tests that nothing leads to.  [default: trim]"
)
@click.option(
    "--sbom/--no-sbom",
    default=None,
    help="Write a bill of materials beside each package, as NAME.cdx.json, in the form of CycloneDX 1.6.",
)
@click.option("--output-format", type=OneOf(FORMATS), default="text", show_default=True, help="How to show the result.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="Write it there instead of printing."
)
@click.option(
    "--emit-template/--no-emit-template",
    default=None,
    help="Write templates that name the packages: for CloudFormation and SAM beside these, for Terraform and the "
    "Serverless Framework beside the project's own.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Build all once more under other circumstances, and say of each package whether it is the same.",
)
@click.option("--watch", is_flag=True, help="Package again what changes, until Ctrl-C.")
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
    kind: str | None,
    base: str | None,
    to: str | None,
    plan_only: bool,
    manifest: Path | None,
    extras: tuple[str, ...],
    groups: tuple[str, ...],
    sdist: str | None,
    venv: Path | None,
    bytecode: str | None,
    layers: str | None,
    sdk: str | None,
    slim_sdk: bool | None,
    reachable_source: bool | None,
    strip: bool | None,
    trim: bool | None,
    emit_template: bool | None,
    sbom: bool | None,
    output_format: str,
    output: Path | None,
    verify: bool,
    watch: bool,
    parameter_overrides: tuple[tuple[tuple[str, str], ...], ...],
    stage: str | None,
    variable_files: tuple[str, ...],
    config_file: Path | None,
    color: str,
) -> None:
    """Build every Python function and layer that a template under PATH declares, by default the current folder.

    The same input gives the same bytes, whoever builds them and where. Exits with 1 when a quota is passed or --verify
    finds a difference, and with 3 when something cannot be built.
    """

    def settings() -> Config:
        config = configured(
            (path,),
            config_file,
            parameter_overrides=parameter_overrides,
            stage=stage,
            variable_files=variable_files,
        )
        package = config.package
        return replace(
            config,
            package=replace(
                package,
                manifest=str(manifest.resolve()) if manifest else package.manifest,
                venv=str(venv.absolute()) if venv else package.venv,
                extras=(*package.extras, *extras),
                groups=(*package.groups, *groups),
                sdist=sdist or package.sdist,
                kind=kind or package.kind,
                base=seen_from(base, Path.cwd()) if base else package.base,
                to=to or package.to,
                bytecode=bytecode or package.bytecode,
                layers=layers or package.layers,
                sdk=sdk or package.sdk,
                slim_sdk=package.slim_sdk if slim_sdk is None else slim_sdk,
                reachable_source=package.reachable_source if reachable_source is None else reachable_source,
                strip=package.strip if strip is None else strip,
                trim=package.trim if trim is None else trim,
                emit_template=package.emit_template if emit_template is None else emit_template,
                sbom=package.sbom if sbom is None else sbom,
            ),
        )

    if verify and (plan_only or watch):
        raise UsageError(
            f"--verify compares what is written, which {'--plan' if plan_only else '--watch'} does not leave there",
            hint="leave one of them out",
        )
    if watch:
        if plan_only:
            raise UsageError("--watch writes packages, and --plan writes none", hint="leave one of them out")
        _watch(path, settings, functions=functions, out=out, output_format=output_format, output=output, color=color)
    config = settings()
    with Progress(sys.stderr) as progress:
        packaging = lambdalint.package(
            path, config, functions=functions, out=out, plan_only=plan_only, progress=progress
        )
        if verify:
            from lambdalint.verification import verified

            packaging = verified(packaging, path, config, functions=functions, out=out, progress=progress)
    if output_format in BARE:
        say(render("text", packaging, view_of(sys.stderr, color)), color)
    _report(packaging, output_format, output, color)
    ctx.exit(packaging.exit_code(config.fail_on))


def _report(packaging: Packaging, output_format: str, output: Path | None, color: str) -> None:
    if output:
        write_file(output, render(output_format, packaging, view_of_file(color)))
    else:
        view = view_of(sys.stdout, color)
        write(render(output_format, packaging, view), view)


def _watch(
    path: Path,
    settings: Callable[[], Config],
    *,
    functions: tuple[str, ...],
    out: Path,
    output_format: str,
    output: Path | None,
    color: str,
) -> NoReturn:
    """Package, and again whenever something changes, until somebody interrupts it.

    People read what is new; what is for programs is written each time as a whole.
    """
    from lambdalint.reporters.packages import again
    from lambdalint.watching import packagings

    def failed(error: LambdalintError) -> None:
        progress("")
        complain(error.message, error.hint, error.exit_code)

    for_people = output_format == "text" and output is None
    view = view_of(sys.stdout if for_people else sys.stderr, color)
    aside = (output,) if output else ()
    last: Packaging | None = None
    with Progress(sys.stderr) as progress:
        for packaging in packagings(
            path, settings, functions=functions, out=out, progress=progress, failed=failed, aside=aside
        ):
            progress("")
            now = datetime.now().time()
            text = again.render(packaging, last, view, now) if last else render("text", packaging, view)
            if for_people:
                write(text, view)
            else:
                _report(packaging, output_format, output, color)
                say(text, color)
            if last is None:
                say("watching for changes; Ctrl-C ends it\n", color)
            last = packaging
    raise AssertionError("nobody ends it but by an exception")
