"""The command line: arguments in, one call, a report out."""

import io
import os
import sys
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from lambdalint import __version__
from lambdalint.errors import ExitCode, LambdalintError, UsageError

#: Every command, each in a module of its own name that is loaded when the command is used.
COMMANDS: Final = {
    "check": "Check the Lambda functions found under paths.",
    "package": "Build the artifacts that a template declares.",
    "inspect": "Show what an artifact is made of.",
    "diff": "Compare two artifacts.",
    "boot": "Start an artifact under AWS's own runtime client, and measure it.",
    "rules": "List the rules.",
    "rule": "Explain a rule.",
}

INTERRUPTED: Final = 130


class Commands(click.Group):
    """Loads what is used, and says what went wrong in one line and what to do in another."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"lambdalint.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in COMMANDS:
            # Costs more to load than all that --version needs.
            from difflib import get_close_matches

            close = get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"the commands are {', '.join(COMMANDS)}"
            raise UsageError(f"there is no command {name!r}", hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # What the terminal's encoding lacks is shown as an escape rather than raising.
                stream.reconfigure(errors="backslashreplace")
        try:
            _stand_somewhere()
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except LambdalintError as error:
            code = complain(error.message, error.hint, error.exit_code)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            code = ExitCode.USAGE
        except click.ClickException as error:
            code = complain(*_reworded(error), ExitCode.USAGE)
        except click.Abort:
            code = INTERRUPTED
            _leave()
        except Exception as error:  # a bug of ours: the reader gets a report to send, not a traceback
            if os.environ.get("LAMBDALINT_TRACEBACK"):
                raise
            hint = "please report it, with what LAMBDALINT_TRACEBACK=1 lambdalint … shows"
            code = complain(f"lambdalint itself failed: {error!r}", hint, ExitCode.INCOMPLETE)
        sys.exit(code or 0)


@click.group(
    "lambdalint",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="lambdalint %(version)s")
def main() -> None:
    """Check AWS Lambda functions whole, code, template and artifact, and package them without Docker."""


def _leave() -> None:
    """Go at once, where threads are left that Python would wait for; all that is to be tidied up is by now."""
    threading = sys.modules.get("threading")
    if threading and any(not each.daemon for each in threading.enumerate() if each is not threading.main_thread()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)


def _stand_somewhere() -> None:
    """Raise what there is to say when the current folder was deleted: no path can be made absolute then."""
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        raise UsageError("the current folder is gone", hint="change to another one") from None


def complain(message: str, hint: str | None, code: int) -> int:
    """Say what went wrong and what to do about it; the answer is *code*."""
    # Imported here, so that --version and --help do without.
    from lambdalint.cli.output import colour_of
    from lambdalint.reporters.style import Style
    from lambdalint.reporters.visible import visible

    style = Style(colour_of(sys.stderr))
    click.echo(f"{style.bad('error:')} {style.strong(visible(message))}", err=True, color=style.on)
    if hint:
        click.echo(f"{style.hint('hint:')} {visible(hint)}", err=True, color=style.on)
    return code


def _reworded(error: click.ClickException) -> tuple[str, str | None]:
    """What click has to say, in our manner: message and hint."""
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "lambdalint"
    hint = f"`{command} --help` shows what it takes"
    if isinstance(error, click.NoSuchOption):
        if error.possibilities:
            hint = f"did you mean {min(error.possibilities, key=len)!r}?"
        return f"there is no option {error.option_name!r}", hint
    message = error.format_message().rstrip(".")
    return message[:1].lower() + message[1:], hint
