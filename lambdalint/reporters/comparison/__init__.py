"""How two artifacts differ, as a reader wants it: one file per format."""

from importlib import import_module
from typing import Final

from lambdalint.reporters.comparison.document import Comparison
from lambdalint.reporters.view import View

#: Each is a module of this package with a ``render``.
FORMATS: Final = ("text", "json", "markdown")


def render(name: str, comparison: Comparison, view: View) -> str:
    """*comparison* in the format called *name*; only that format's module is loaded."""
    report: str = import_module(f"lambdalint.reporters.comparison.{name}").render(comparison, view)
    return report
