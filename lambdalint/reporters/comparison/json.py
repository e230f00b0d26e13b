"""For machines: a contract, published as ``schema.json`` beside this file."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from lambdalint.reporters.comparison.document import Comparison
from lambdalint.reporters.view import View

VERSION: Final = 1


def render(comparison: Comparison, view: View) -> str:
    """The whole comparison; it is all ASCII, so that it survives every terminal and shell."""
    return json.dumps(document(comparison), indent=2) + "\n"


def document(comparison: Comparison) -> Mapping[str, Any]:
    """The whole comparison as plain data."""
    return {
        "version": VERSION,
        "equal": comparison.is_equal,
        "identical": comparison.is_identical,
        **{("distributions" if name == "parts" else name): value for name, value in asdict(comparison).items()},
    }
