"""The files of one Terraform module, and the values that its variables are given from outside.

Source: https://developer.hashicorp.com/terraform/language/files
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lambdalint.errors import UnreadableInput
from lambdalint.join.emitted import LAYERS, OVERRIDES
from lambdalint.join.inputs import Inputs, Said
from lambdalint.join.terraform_values import HiddenError, Work, WrongError, number_in, text_in, truth_in
from lambdalint.model.document import Mapping as Document
from lambdalint.model.document import Sequence as DocumentList
from lambdalint.model.hcl import (
    Attribute,
    Block,
    Body,
    Call,
    Expression,
    ListOf,
    Literal,
    ObjectOf,
    Traversal,
    Variable,
)
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Property, Unknown
from lambdalint.readers.hcl import MAX_BYTES, read_expression, read_hcl
from lambdalint.readers.hcl_json import json_attributes, json_body
from lambdalint.readers.json import read_json
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree

#: Extensions of a configuration's files, those of OpenTofu first: they stand in for Terraform's of the same name.
SUFFIXES: Final = (".tofu", ".tofu.json", ".tf", ".tf.json")


@dataclass(slots=True)
class Source:
    """What the files of one folder declare, by name."""

    folder: str
    variables: dict[str, Block] = field(default_factory=dict)
    locals: dict[str, Attribute] = field(default_factory=dict)
    resources: dict[str, Block] = field(default_factory=dict)
    modules: dict[str, Block] = field(default_factory=dict)
    outputs: dict[str, Block] = field(default_factory=dict)
    providers: list[Block] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


class Sources:
    """Reads modules, each folder once."""

    def __init__(self, tree: Tree, said: Said) -> None:
        self._tree, self._said = tree, said
        self._read: dict[str, Source] = {}
        self.files: list[str] = []

    def of(self, folder: str) -> Source:
        """The module in *folder*; it is empty when there is none."""
        if folder not in self._read:
            self._read[folder] = self._source(folder)
        return self._read[folder]

    def body(self, path: str) -> Body:
        """What a file says; what cannot be read is said and left out."""
        self.files.append(path)
        failures = self._said.failures
        try:
            if self._tree.size(path) > MAX_BYTES:
                raise UnreadableInput(f"the file is larger than {MAX_BYTES // 1024 // 1024} MB", path=path)
            text = decoded(self._tree.read(path), path)
            if not path.endswith(".json"):
                body, broken = read_hcl(text, path)
                failures += broken
                return body
            document = read_json(text, path)
            if not isinstance(document, Document | DocumentList):
                raise UnreadableInput("this is no Terraform: it is not an object", path=path)
            return (json_attributes if ".tfvars" in path else json_body)(document, failures)
        except UnreadableInput as failure:
            failures.append(failure)
            return Body({}, ())

    def _source(self, folder: str) -> Source:
        source = Source(folder)
        names = _configuration(self._tree.names(folder))
        overrides = [name for name in names if _is_override(name)]
        for name in (*(name for name in names if name not in overrides), *overrides):
            path = f"{folder}/{name}" if folder else name
            if self._tree.is_file(path):
                source.files.append(path)
                for block in self.body(path).blocks:
                    _place(block, source, overrides=name in overrides)
        return source


def is_configuration(name: str) -> bool:
    """Whether a file of this *name* is part of a module."""
    return name.endswith(SUFFIXES) and not name.startswith((".", "#")) and not name.endswith("~")


def _configuration(names: tuple[str, ...]) -> list[str]:
    present = set(names)
    kept = []
    for name in names:
        stem, _, rest = name.rpartition(".tf")
        if (
            is_configuration(name)
            and name not in (OVERRIDES, LAYERS)
            and not (rest in ("", ".json") and stem and f"{stem}.tofu{rest}" in present)
        ):
            kept.append(name)
    return kept


def _is_override(name: str) -> bool:
    stem = name.partition(".")[0]
    return stem == "override" or stem.endswith("_override")


def _place(block: Block, source: Source, *, overrides: bool) -> None:
    labels = block.labels
    kind = block.type
    if kind == "locals":
        source.locals.update(block.body.attributes)
    elif kind == "provider" and len(labels) == 1:
        source.providers.append(block)
    elif kind in ("resource", "data") and len(labels) == 2:
        name = ".".join((("data", *labels)) if kind == "data" else labels)
        source.resources[name] = _merged(source.resources.get(name), block, overrides)
    elif kind in ("variable", "module", "output") and len(labels) == 1:
        table = {"variable": source.variables, "module": source.modules, "output": source.outputs}[kind]
        table[labels[0]] = _merged(table.get(labels[0]), block, overrides)


def _merged(base: Block | None, block: Block, overrides: bool) -> Block:
    """*block*, or in a file of overrides the *base* with what *block* says put over it."""
    if base is None or not overrides:
        return block
    types = {_block_type(inner) for inner in block.body.blocks}
    kept = tuple(inner for inner in base.body.blocks if _block_type(inner) not in types)
    body = Body({**base.body.attributes, **block.body.attributes}, kept + block.body.blocks)
    return Block(base.type, base.labels, body, base.span, base.extent)


def _block_type(block: Block) -> str:
    return block.labels[0] if block.type == "dynamic" and block.labels else block.type


def given_expressions(sources: Sources, tree: Tree, folder: str, inputs: Inputs) -> Mapping[str, Expression]:
    """What the variables of the root module are set to from outside, the weakest first overridden by the strongest.

    The environment, ``terraform.tfvars``, ``*.auto.tfvars``, then the files and the values of the command line.
    """
    given: dict[str, Expression] = {}
    place = Span.whole(folder or ".")
    for name, value in inputs.environment.items():
        if name.startswith("TF_VAR_"):
            given[name.removeprefix("TF_VAR_")] = Literal(value, place)
    for path in (*_automatic(tree, folder), *inputs.variable_files):
        for name, attribute in sources.body(path).attributes.items():
            given[name] = attribute.expression
    given.update({name: Literal(value, place) for name, value in inputs.parameters.items()})
    return given


def _automatic(tree: Tree, folder: str) -> Iterator[str]:
    names = tree.names(folder)
    automatic = [name for name in names if name.endswith((".auto.tfvars", ".auto.tfvars.json"))]
    for name in ("terraform.tfvars", "terraform.tfvars.json", *automatic):
        if name in names:
            yield f"{folder}/{name}" if folder else name


def spelled_out(value: str, constraint: Expression | None, span: Span) -> Expression:
    """What text from the environment or the command line means for a variable of type *constraint*.

    Text is text; for a collection it is an expression.
    """
    if constraint is None or (isinstance(constraint, Variable | Literal) and _name(constraint) in _SCALARS):
        return Literal(value, span)
    try:
        return read_expression(value, span.path)
    except UnreadableInput:
        return Literal(value, span)


_SCALARS: Final = ("string", "number", "bool", "any")


def _name(constraint: Expression) -> str:
    if isinstance(constraint, Variable):
        return constraint.name
    return str(constraint.value) if isinstance(constraint, Literal) else ""


def constraint_of(variable: Block) -> Expression | None:
    """The type that a variable must have; JSON, and Terraform before 0.12, write it as text."""
    attribute = variable.body.attributes.get("type")
    if attribute is None:
        return None
    written = attribute.expression
    if isinstance(written, Literal) and isinstance(written.value, str) and "(" in written.value:
        try:
            return read_expression(written.value, written.span.path)
        except UnreadableInput:
            return None
    return written


def converted(value: Property, constraint: Expression | None, work: Work, level: int = 0) -> Property:
    """*value* as the type *constraint* has it; as it is where it does not fit."""
    if constraint is None or isinstance(value, Unknown) or value.value is None or level > 40:
        return value
    if isinstance(constraint, Call):
        return _collection(value, constraint, work, level)
    convert = {"string": text_in, "number": number_in, "bool": truth_in}.get(_name(constraint))
    if convert is None:
        return value
    try:
        made = convert(value)
    except (HiddenError, WrongError):
        return value
    same = type(made) is type(value.value) or (isinstance(made, str) and isinstance(value.value, str))
    return value if same else Known(made, value.span, value.stated, value.parameter)


def _collection(value: "Known[object]", constraint: Call, work: Work, level: int) -> Property:
    inner = constraint.arguments[0] if constraint.arguments else None
    found = value.value
    made: Known[object]
    if constraint.name == "object" and isinstance(inner, ObjectOf) and isinstance(found, dict):
        made = work.mapped(dict(_members(found, inner, value.span, work, level)), value.span)
    elif constraint.name == "map" and isinstance(found, dict):
        made = work.mapped({key: converted(item, inner, work, level + 1) for key, item in found.items()}, value.span)
    elif constraint.name in ("list", "set") and isinstance(found, tuple):
        made = work.listed([converted(item, inner, work, level + 1) for item in found], value.span)
    else:
        return value
    return Known(made.value, value.span, value.stated, value.parameter)


def _members(
    found: dict[str, Property], constraint: ObjectOf, span: Span, work: Work, level: int
) -> Iterator[tuple[str, Property]]:
    """The attributes that an object must have; what is optional has its default, or is ``null``."""
    for key, inner in constraint.items:
        name = _name(key)
        default: Expression | None = None
        if isinstance(inner, Call) and inner.name == "optional" and inner.arguments:
            default = inner.arguments[1] if len(inner.arguments) > 1 else None
            inner = inner.arguments[0]
        item = found.get(name)
        if item is None or (isinstance(item, Known) and item.value is None and default is not None):
            item = _constant(default, span, work)
        yield name, converted(item, inner, work, level + 1)


def _constant(expression: Expression | None, span: Span, work: Work) -> Property:
    """A default in a type; Terraform wants it to be constant."""
    if expression is None:
        return Known(None, span)
    if isinstance(expression, Literal):
        return Known(expression.value, expression.span)
    if isinstance(expression, ListOf):
        return work.listed([_constant(item, span, work) for item in expression.items], expression.span)
    if isinstance(expression, ObjectOf):
        items = {_name(key): _constant(item, span, work) for key, item in expression.items}
        return work.mapped(items, expression.span)
    return Unknown("optional()", expression.span)


def address_in(expression: Expression) -> str:
    """The address that a ``depends_on`` or ``provider`` names: ``aws_sqs_queue.jobs``; empty when it is none."""
    if isinstance(expression, Literal):
        return str(expression.value)
    if isinstance(expression, Variable):
        return expression.name
    if isinstance(expression, Traversal) and isinstance(expression.start, Variable):
        names = [step for step in expression.steps if isinstance(step, str)]
        return ".".join((expression.start.name, *names))
    return ""
