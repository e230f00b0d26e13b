"""What a Terraform configuration declares, evaluated, in Terraform's own names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdalint.model.places import Span
from lambdalint.model.values import Properties, Property, Unknown


class EncodedText(str):
    """Text that ``jsonencode`` made; *structure* is what it was made of, with its places."""

    __slots__ = ("structure",)

    structure: Property

    def __new__(cls, text: str, structure: Property) -> "EncodedText":
        made = super().__new__(cls, text)
        made.structure = structure
        return made


class FileText(str):
    """The text of the file at *path* in the tree."""

    __slots__ = ("path",)

    path: str

    def __new__(cls, text: str, path: str) -> "FileText":
        made = super().__new__(cls, text)
        made.path = path
        return made


@dataclass(frozen=True, slots=True)
class Encoded(Unknown):
    """What ``jsonencode`` makes of a *structure* some of which is not known."""

    structure: Property | None = None


@dataclass(frozen=True, slots=True)
class Pieces(Unknown):
    """Text some *parts* of which are not known."""

    parts: tuple[Property, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class TerraformProvider:
    """One ``provider`` block: *name* is the provider's (``aws``), *alias* tells several of them apart.

    *default_tags* are the tags that every resource gets that can have some.
    """

    name: str
    alias: str | None
    settings: Properties
    span: Span
    region: Property | None = None
    default_tags: Property | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TerraformResource:
    """One instance of a ``resource`` or ``data`` block.

    *address* is Terraform's: ``module.api.aws_sqs_queue.jobs["eu"]``, ``data.`` before the type of a data source.
    Where the instances are not known, one stands for all of them and its address ends in ``[each.key]`` or
    ``[count.index]``.  *name* is the label, without instance and module.

    *attributes* hold arguments and nested blocks; the blocks of one type are a tuple of mappings, even when there is
    one.  What is ``null`` is absent.  A reference is ``Unknown`` and refers to the address of an instance, by
    Terraform's name of the attribute (``arn``), a path where it lies deeper (``vpc_config[0].vpc_id``); an argument of
    another resource that is a number, a truth value or a collection is read through.

    *uses* say where each argument stands in the block, while its value may be stated elsewhere.  *condition* is the
    expression that decides whether there is such an instance; ``None`` when there is one.  *folder* is the folder of
    the module that the block stands in, *module* that module's address, empty for the root.  *span* is the label,
    *extent* the whole block.  *ignored* are the arguments whose changes are left alone, ``all`` for every one
    (``ignore_changes``).  Paths in values are relative to the folder of the root module, wherever they stand.
    """

    address: str
    type: str
    name: str
    attributes: Properties
    span: Span
    extent: Span
    mode: str = "managed"
    module: str = ""
    folder: str = ""
    condition: str | None = None
    provider: TerraformProvider | None = None
    depends_on: tuple[str, ...] = ()
    uses: Mapping[str, Span] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class TerraformModuleCall:
    """A call of a module that is not in the project: from a registry, a repository, or an unknown place.

    Its outputs are ``Unknown`` and refer to *address* by the output's name.
    """

    address: str
    source: Property | None
    arguments: Properties
    span: Span
    extent: Span
    module: str = ""
    folder: str = ""
    condition: str | None = None
    provider: TerraformProvider | None = None
    uses: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class TerraformProject:
    """A root module with the local modules that it calls.

    *children* are the folders that were read as modules of this root, *files* all files that were looked at.
    *folder* is the root module's own.
    """

    folder: str
    resources: tuple[TerraformResource, ...] = ()
    module_calls: tuple[TerraformModuleCall, ...] = ()
    children: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    providers: tuple[TerraformProvider, ...] = ()
    outputs: Mapping[str, Property] = field(default_factory=dict)
