"""A result as a reader wants it: one file per format."""

from importlib import import_module
from typing import Final

from lambdalint.engine.result import Result
from lambdalint.reporters.view import View

#: The formats that a check can be reported in; each is a module of this package with a ``render``.
FORMATS: Final = ("text", "concise", "json", "github", "markdown")


def render(name: str, result: Result, view: View) -> str:
    """*result* in the format called *name*; only that format's module is loaded."""
    report: str = import_module(f"lambdalint.reporters.{name}").render(result, view)
    return report
