"""Overrides for Terraform: what was built, in place of what a module's own files say of its packages.

Source: https://developer.hashicorp.com/terraform/language/files/override
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lambdalint.aws.limits import limit
from lambdalint.emission.declarations import (
    Built,
    Declaration,
    Emission,
    Emitted,
    LayerPackage,
    by_root,
    without_packages,
)
from lambdalint.emission.local import seen_from
from lambdalint.engine.text import Text
from lambdalint.errors import LambdalintError, Refused
from lambdalint.join.emitted import LAYERS, OVERRIDES
from lambdalint.join.inputs import Said
from lambdalint.join.terraform_modules import Sources
from lambdalint.model.hcl import Block
from lambdalint.packager.plan import Kind
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Folder

_NOTE: Final = (
    "Written by lambdalint package --emit-template, for what it packaged. Without this file the configuration holds "
    "as it is."
)
_LAYER: Final = "aws_lambda_layer_version"
_RESOURCES: Final = ("aws_lambda_function", _LAYER)
#: Other ways to say where a package is; they are taken back where they are said.
_ELSEWHERE: Final = frozenset(("image_uri", "s3_bucket", "s3_existing_package", "s3_key", "s3_object_version"))

#: What is packaged by a call of the community's module.
_OF_CALL: Final = re.compile(r"\.aws_lambda_(?:function|layer_version)\.this\[0\]$")
_INSTANCE: Final = re.compile(r'(?P<block>.*?)(?:\["(?P<key>(?:[^"\\]|\\.)*)"\]|\[(?P<index>\d+)\])?', re.DOTALL)


def emitted_overrides(tree: Folder, declarations: Iterable[Declaration], layers: Sequence[LayerPackage]) -> Emission:
    """A file of overrides for each module that declares something which was built.

    Overrides can declare nothing new: *layers* are declared in a file of their own.
    """
    files: list[Emitted] = []
    failures: list[tuple[str, LambdalintError]] = []
    for root, own in by_root(declarations).items():
        lost = [each for each in own if each.is_lost]
        if lost:
            files.append(without_packages(tree.root / _folder(lost[0].span.path) / OVERRIDES, lost))
            continue
        folders = dict.fromkeys(_folder(each.span.path) for each in own if each.built is not None)
        try:
            files += [file for folder in folders for file in _Module(tree, folder, layers).emitted(own)]
        except LambdalintError as error:
            failures.append((root, error))
    return Emission(tuple(files), tuple(failures))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


class _Module:
    """The module in *folder*, with those of *layers* that its functions have."""

    def __init__(self, tree: Folder, folder: str, layers: Sequence[LayerPackage]) -> None:
        self._tree, self._folder, self._layers = tree, folder, layers
        self._place = tree.root / folder
        self._declared: dict[str, Mapping[str, object]] = {}

    def emitted(self, declarations: Iterable[Declaration]) -> Iterator[Emitted]:
        """Its files.

        Raises:
            Refused: what was built cannot be said in them.
        """
        here = [each for each in declarations if _folder(each.span.path) == self._folder]
        places: dict[tuple[str, int, int], list[Declaration]] = {}
        for each in here:
            places.setdefault((each.span.path, each.span.line, each.span.column), []).append(each)
        sources = Sources(self._tree, Said())
        blocks = {
            (path, block.span.line, block.span.column): block
            for path in dict.fromkeys(each.span.path for each in here)
            for block in sources.body(path).blocks
        }
        written: dict[str, Any] = {}
        for place, there in places.items():
            if not any(each.built for each in there):
                continue
            block = blocks.get(place)
            if block is None or not block.labels or (block.type == "resource" and block.labels[0] not in _RESOURCES):
                raise Refused(
                    f"{place[0]}:{place[1]} is no block that can be overridden", hint="give the configuration"
                )
            holder = written.setdefault(block.type, {})
            for label in block.labels[:-1]:
                holder = holder.setdefault(label, {})
            holder[block.labels[-1]] = {**_arguments(block, there, self._place), **self._with_layers(block, there)}
        yield Emitted(self._place / OVERRIDES, _document(written), tuple(note for each in here if (note := each.note)))
        if self._declared or (self._place / LAYERS).exists():
            # Without layers, what is there from before is made void.
            resources = {"resource": {_LAYER: self._declared}} if self._declared else {}
            yield Emitted(self._place / LAYERS, _document(resources))

    def _with_layers(self, block: Block, declarations: Sequence[Declaration]) -> Mapping[str, object]:
        """The list of layers of *block* with those for *declarations*, its instances; nothing where there are none.

        Raises:
            Refused: they are for some of them only, or of another provider than the layers would be.
        """
        names = {each.name for each in declarations}
        own = [layer for layer in self._layers if names & {*layer.functions}]
        for layer in own:
            if not names <= {*layer.functions}:
                raise Refused(f"{layer.name} is for some of {', '.join(sorted(names))}, which are declared as one")
            if not {"provider", "providers"}.isdisjoint(block.body.attributes):
                raise Refused(
                    f"{block.span.path}:{block.span.line} has a provider of its own, which a shared layer has not",
                    hint="leave out --layers shared",
                )
            path = _path(layer.path, self._place)
            self._declared[_identifier(layer)] = {
                "layer_name": layer.name,
                "filename": path,
                "source_code_hash": _template(f"filebase64sha256({_quoted(path)})"),
                "compatible_runtimes": layer.runtimes,
                "compatible_architectures": layer.architectures,
            }
        if not own:
            return {}
        added = f"[{', '.join(f'{_LAYER}.{_identifier(layer)}.arn' for layer in own)}]"
        stated = block.body.attributes.get("layers")
        if stated is None:
            return {"layers": _template(added)}
        path = block.span.path
        text = Text(path, decoded(self._tree.read(path), path)).at(stated.expression.span)
        return {"layers": _template(f"concat({text}, {added})")}


def _document(content: Mapping[str, object]) -> bytes:
    return (json.dumps({"//": _NOTE, **content}, indent=2, ensure_ascii=False) + "\n").encode()


def _identifier(layer: LayerPackage) -> str:
    return re.sub(r"\W", "_", layer.name)


def _arguments(block: Block, declarations: Sequence[Declaration], folder: Path) -> Mapping[str, object]:
    """What *block*, which is what *declarations* are instances of, is to say of their packages."""
    names = ", ".join(each.name for each in declarations)
    built = [each.built for each in declarations if each.built is not None]
    if len(built) < len(declarations):
        raise Refused(f"{block.span.path}:{block.span.line} declares {names}, and some of them are not packaged")
    for each in declarations:
        _check(each)
    is_image = built[0].kind is Kind.IMAGE
    texts = [_quoted(each.image_uri or "" if is_image else _path(each.path, folder)) for each in built]
    value = _value(declarations, built, texts)
    if value is None:
        raise Refused(
            f"{block.span.path}:{block.span.line} declares {names}, whose packages differ: an override names one",
            hint="declare them where the module is called",
        )
    arguments: dict[str, object] = dict.fromkeys(block.body.attributes.keys() & _ELSEWHERE)
    if block.type == "module":
        arguments["create_package"] = False
        arguments["image_uri" if is_image else "local_existing_package"] = _template(value)
        if "store_on_s3" in block.body.attributes:
            arguments["store_on_s3"] = False
    elif is_image:
        arguments["image_uri"] = _template(value)
    else:
        arguments["filename"] = _template(value)
        arguments["source_code_hash"] = _template(f"filebase64sha256({value})")
    return dict(sorted(arguments.items()))


def _check(declaration: Declaration) -> None:
    """Do nothing for what Terraform can upload.

    Raises:
        Refused: it cannot.
    """
    built = declaration.built
    assert built is not None
    if (built.kind is Kind.IMAGE) is not declaration.is_image:
        raise Refused(f"{declaration.name} is declared as one of archive and image, and packaged as the other")
    if built.kind is Kind.IMAGE and built.image_uri is None:
        raise Refused(
            f"the image of {declaration.name} is in {built.path.name}, from where Terraform deploys none",
            hint="give --to HOST/NAME:TAG, the registry that it is to run from",
        )
    if built.kind is Kind.DIR:
        raise Refused(f"{built.path.name} is a folder, and Terraform uploads archives", hint="give --kind zip")
    if built.packed_bytes > limit("artifact", "upload", "max_bytes") and built.kind is not Kind.IMAGE:
        most = limit("artifact", "upload", "max_bytes") // 1024 // 1024
        raise Refused(
            f"{built.path.name} has {built.packed_bytes / 1024 / 1024:.1f} MB, and Lambda takes {most} MB without S3",
            hint="upload it by an aws_s3_object, and name that",
        )


def _value(declarations: Sequence[Declaration], built: Sequence[Built], texts: Sequence[str]) -> str | None:
    """The expression for what the instances of a block have; ``None`` when there is none that a module can state."""
    if len({each.sha256 for each in built}) == 1:
        return texts[0]
    instances = [_INSTANCE.fullmatch(_OF_CALL.sub("", each.name)) for each in declarations]
    blocks = {match["block"] for match in instances if match}
    if len(blocks) != 1:
        return None
    keys = [match["key"] for match in instances if match]
    if None not in keys:
        pairs = ", ".join(f'"{_literal(key)}" = {text}' for key, text in sorted(zip(keys, texts, strict=True)))
        return f"{{{pairs}}}[each.key]"
    indexes = [match["index"] for match in instances if match]
    ordered = sorted((int(index), text) for index, text in zip(indexes, texts, strict=True) if index is not None)
    if [index for index, _ in ordered] != list(range(len(texts))):
        return None
    return f"[{', '.join(text for _, text in ordered)}][count.index]"


def _path(place: Path, folder: Path) -> str:
    """The path of a package as a template, wherever Terraform runs."""
    return "${path.module}/" + _literal(seen_from(place, folder))


def _literal(text: str) -> str:
    """*text* as a template that says nothing else."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _quoted(template: str) -> str:
    """*template* as an expression."""
    return json.dumps(template, ensure_ascii=False)


def _template(expression: str) -> str:
    """*expression* as a string of Terraform's JSON."""
    return str(json.loads(expression)) if expression.startswith('"') else f"${{{expression}}}"
