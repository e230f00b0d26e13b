"""What ``lambdalint package --emit-template`` writes: it declares nothing but what the templates it is made of do."""

from typing import Final

from lambdalint.model.document import Mapping, Node, Scalar
from lambdalint.readers.tree import Tree, joined

#: Where a template says what it is made of: a path as seen from its folder.
MARK: Final = ("Metadata", "lambdalint", "emitted-from")

#: Beside the configuration of a Terraform module: the file of overrides, and that of layers which it does not declare.
OVERRIDES: Final = "lambdalint_override.tf.json"
LAYERS: Final = "lambdalint_layers.tf.json"

#: The file of a service of the Serverless Framework, without what says in which language it is.
SERVICE: Final = "serverless.lambdalint"


def is_emitted(document: Mapping, path: str, tree: Tree) -> bool:
    """Whether the template *document* at *path* is made of another one, which is there."""
    node: Node | None = document
    for key in MARK:
        node = node.items.get(key) if isinstance(node, Mapping) else None
    source = joined(path.rpartition("/")[0], node.text) if isinstance(node, Scalar) else None
    return source is not None and source != path and tree.is_file(source)
