"""What was packaged, as a reader wants it: one file per format."""

from importlib import import_module
from typing import Final

from lambdalint.reporters.packages.document import Packaging
from lambdalint.reporters.view import View

#: Each is a module of this package with a ``render``.
FORMATS: Final = ("text", "json", "terraform", "cloudformation", "github")
#: Those that hold nothing but what was packaged; the rest has to be said elsewhere.
BARE: Final = ("terraform", "cloudformation", "github")


def render(name: str, packaging: Packaging, view: View) -> str:
    """*packaging* in the format called *name*; only that format's module is loaded."""
    report: str = import_module(f"lambdalint.reporters.packages.{name}").render(packaging, view)
    return report
