"""Where what we say goes: a terminal, a pipe or a file."""

import os
import shutil
import sys
from pathlib import Path
from typing import IO, Any, Final, Self

import click

from lambdalint.errors import UsageError
from lambdalint.readers.disk import is_folder
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import cut, visible

#: Erases the line to its end.
_ERASE: Final = "\x1b[K"


def colour_of(stream: IO[Any], wish: str = "auto") -> bool:
    """Whether to colour what goes to *stream*: as wished, else as ``NO_COLOR`` or ``FORCE_COLOR`` say, else if it can.

    Source: https://no-color.org and https://force-color.org
    """
    if wish != "auto":
        return wish == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def view_of(stream: IO[Any], colour: str = "auto") -> View:
    """What *stream* can show."""
    width = shutil.get_terminal_size().columns if stream.isatty() else None
    return View(colour=colour_of(stream, colour), width=width, folder=_repository_folder())


def view_of_file(colour: str = "auto") -> View:
    """What a file can hold: no colours, unless they are wished for."""
    return View(colour=colour == "always", folder=_repository_folder())


def write(text: str, view: View) -> None:
    """Print *text* as it is."""
    try:
        click.echo(text, nl=False, color=view.colour)
    except BrokenPipeError:
        # Whoever reads, as `head` does, has seen enough; the exit code still says how it went.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str, colour: str = "auto") -> None:
    """Print *text* for whoever watches, where what is printed is read by a program."""
    click.echo(text, nl=False, err=True, color=colour_of(sys.stderr, colour))


def write_file(path: Path, text: str) -> None:
    """Make *path* hold *text*.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        hint = None if is_folder(path.parent) else f"there is no folder {str(path.parent)!r}"
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint=hint) from error


class Progress:
    """Says what is going on in one line of a terminal, written over and over and gone in the end; elsewhere nothing."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._shows = stream.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._show("")

    def __call__(self, message: str) -> None:
        """Show *message* instead of the one before."""
        self._show(cut(visible(message), shutil.get_terminal_size().columns - 1))

    def _show(self, line: str) -> None:
        if self._shows:
            self._stream.write(f"\r{_ERASE}{line}")
            self._stream.flush()


def _repository_folder() -> str:
    """The working directory seen from the checkout of a GitHub job; empty when there is none, or it is the same."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if not workspace or not Path.cwd().is_relative_to(Path(workspace).resolve()):
        return ""
    folder = Path.cwd().relative_to(Path(workspace).resolve()).as_posix()
    return "" if folder == "." else folder
