"""What Terraform's data source ``external`` reads: one flat object of strings.

Source: https://registry.terraform.io/providers/hashicorp/external/latest/docs/data-sources/external
"""

import json

from lambdalint.reporters.packages.document import Packaging
from lambdalint.reporters.packages.values import flat
from lambdalint.reporters.view import View


def render(packaging: Packaging, view: View) -> str:
    """Each fact about each package that was written, by name."""
    return json.dumps(flat(packaging), indent=2) + "\n"
