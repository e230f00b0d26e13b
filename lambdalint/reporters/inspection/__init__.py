"""What an artifact is made of, as a reader wants it: one file per format."""

from importlib import import_module
from typing import Final

from lambdalint.reporters.inspection.document import Inspection
from lambdalint.reporters.view import View

#: Each is a module of this package with a ``render``.
FORMATS: Final = ("text", "json", "html")


def render(name: str, inspection: Inspection, view: View) -> str:
    """*inspection* in the format called *name*; only that format's module is loaded."""
    report: str = import_module(f"lambdalint.reporters.inspection.{name}").render(inspection, view)
    return report
