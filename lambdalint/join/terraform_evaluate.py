"""Terraform: a root module with its local modules, evaluated as far as the project alone allows."""

from lambdalint.join.inputs import Inputs, Said
from lambdalint.model.terraform import TerraformProject
from lambdalint.readers.tree import Tree


def evaluate(tree: Tree, folder: str, inputs: Inputs, said: Said) -> TerraformProject:
    """What the root module in *folder* declares; what cannot be read, and bounds that were hit, go to *said*."""
    return TerraformProject(folder)
