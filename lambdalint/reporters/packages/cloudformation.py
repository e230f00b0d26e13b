"""A file of parameters, as ``aws cloudformation create-stack`` takes it, and ``deploy`` of version 2.

Source: https://docs.aws.amazon.com/cli/latest/reference/cloudformation/deploy.html, --parameter-overrides
"""

import json

from lambdalint.reporters.packages.document import Packaging
from lambdalint.reporters.packages.values import parameters
from lambdalint.reporters.view import View


def render(packaging: Packaging, view: View) -> str:
    """A parameter for each fact about each package that was written."""
    rows = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters(packaging).items()]
    return json.dumps(rows, indent=2) + "\n"
