"""Which dialect a file is the root of, and who reads it.

A reader is imported when a file asks for it: a project without Terraform loads no parser for it.
"""

from collections.abc import Iterator
from typing import Final

from lambdalint.join import plan_files
from lambdalint.join.cloudformation import Declared
from lambdalint.join.inputs import Inputs, Said
from lambdalint.model.template import Dialect
from lambdalint.readers.tree import Mounted, Tree

#: The folder that ``cdk synth`` fills.
CDK_OUTPUT: Final = "cdk.out"
TERRAFORM_SUFFIXES: Final = (".tf", ".tofu", ".tf.json", ".tofu.json")

_SERVERLESS_SUFFIXES: Final = (".yml", ".yaml", ".json", ".ts", ".js")


def root_dialect(tree: Tree, path: str) -> Dialect | None:
    """The dialect that the file at *path* is a root of, by its name and then by a look at it.

    ``None`` is said of plain CloudFormation too: what is in a document decides about that.
    """
    folder, _, name = path.rpartition("/")
    if name.endswith(TERRAFORM_SUFFIXES):
        return Dialect.TERRAFORM
    if name.startswith("serverless") and name.endswith(_SERVERLESS_SUFFIXES):
        from lambdalint.join import serverless

        return Dialect.SERVERLESS if serverless.claims(tree, path) else None
    if name in ("manifest.json", "cdk.json"):
        from lambdalint.join import cdk

        return Dialect.CDK if cdk.claims(tree, path) else None
    if name == "config.json" and folder.rpartition("/")[2] == ".chalice":
        from lambdalint.join import chalice

        return Dialect.CHALICE if chalice.claims(tree, path) else None
    if name.startswith("zappa_settings."):
        from lambdalint.join import zappa

        return Dialect.ZAPPA if zappa.claims(tree, path) else None
    if name.endswith(".json"):
        return Dialect.TERRAFORM if plan_files.claims(tree, path) else None
    return None


def declare_root(dialect: Dialect, tree: Mounted, path: str, inputs: Inputs, said: Said) -> Iterator[Declared]:
    """All that the root at *path* declares; for Terraform a folder, or the file of a plan.

    Raises:
        UnreadableInput: nothing of it can be read.
    """
    if dialect is Dialect.SERVERLESS:
        from lambdalint.join.serverless import declare_serverless

        return declare_serverless(tree, path, inputs, said)
    if dialect is Dialect.CDK:
        from lambdalint.join.cdk import declare_cdk

        return declare_cdk(tree, path, inputs, said)
    if dialect is Dialect.CHALICE:
        from lambdalint.join.chalice import declare_chalice

        return declare_chalice(tree, path, inputs, said)
    if dialect is Dialect.ZAPPA:
        from lambdalint.join.zappa import declare_zappa

        return declare_zappa(tree, path, inputs, said)
    if tree.is_file(path):
        from lambdalint.join.terraform_plan import declare_plan

        return declare_plan(tree, path, inputs, said)
    from lambdalint.join.terraform import declare_terraform

    return declare_terraform(tree, path, inputs, said)
