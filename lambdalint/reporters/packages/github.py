"""Outputs of a step of GitHub Actions, to be appended to the file that ``GITHUB_OUTPUT`` names.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

import hashlib

from lambdalint.reporters.packages.document import Packaging
from lambdalint.reporters.packages.values import flat
from lambdalint.reporters.view import View


def render(packaging: Packaging, view: View) -> str:
    """An output for each fact about each package that was written."""
    return "".join(_output(name, value) for name, value in flat(packaging).items())


def _output(name: str, value: str) -> str:
    if value.isprintable():
        return f"{name}={value}\n"
    # Between two lines that it does not hold, whatever it is.
    end = hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{name}<<{end}\n{value}\n{end}\n"
