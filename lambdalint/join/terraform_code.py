"""Where the code is that a Terraform function or layer uploads.

Source: https://registry.terraform.io/providers/hashicorp/archive/latest/docs/data-sources/file
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from lambdalint.join.properties import items_of, properties_of, reference_of, references, text_of
from lambdalint.join.terraform_text import structure_of
from lambdalint.model.function import Code, CodeKind, ImageBuild
from lambdalint.model.places import Span
from lambdalint.model.terraform import FileText, TerraformModuleCall, TerraformResource
from lambdalint.model.values import Known, Properties, Property, Unknown
from lambdalint.readers.tree import MemoryTree, Mounted, joined

ARCHIVE: Final = "archive_file"

_ARCHIVES: Final = (".zip", ".jar")
_IMAGES: Final = ("docker_image", "docker_registry_image")
_MAX_HOPS: Final = 4

#: The community's module that builds an image, and what its inputs are called in the block that does it.
#: Source: https://registry.terraform.io/modules/terraform-aws-modules/lambda/aws/latest/submodules/docker-build
_DOCKER_BUILD: Final = "//modules/docker-build"
_BUILDS: Final = {
    "source_path": "context",
    "docker_file_path": "dockerfile",
    "build_args": "build_args",
    "build_target": "target",
}
_OBJECTS: Final = ("aws_s3_object", "aws_s3_bucket_object")


class Uploads:
    """Finds code in *tree*; paths in *resources* are relative to *folder*, that of the root module.

    What an archive is made of besides files is mounted below *place*, the path of a file.
    """

    def __init__(
        self,
        tree: Mounted,
        folder: str,
        resources: Iterable[TerraformResource],
        place: str,
        calls: Iterable[TerraformModuleCall] = (),
    ) -> None:
        self._tree = tree
        self._folder = folder
        self._place = place
        self._resources = {each.address: each for each in resources}
        self._calls = {each.address: each for each in calls}
        self._archives: dict[str, TerraformResource] = {}
        self._objects: list[TerraformResource] = []
        for each in self._resources.values():
            if each.type == ARCHIVE and (path := self.path(each.attributes.get("output_path"))):
                self._archives.setdefault(path, each)
            elif each.type in _OBJECTS:
                self._objects.append(each)

    def of(self, resource: TerraformResource) -> Code | None:
        """The code of *resource*; ``None`` when it is unknown where it is."""
        attributes = resource.attributes
        if (image := attributes.get("image_uri")) is not None:
            return self.image(image)
        if (stated := attributes.get("filename")) is not None:
            code = self.at(stated)
            return replace(code, via_s3=False) if code else None
        key = attributes.get("s3_key")
        where = attributes.get("s3_bucket") or key
        if where is None:
            return None
        for uploaded in self._uploaded(attributes):
            source = uploaded.attributes.get("source")
            code = self.at(source) if source is not None else None
            if code is not None:
                return code
        return Code(CodeKind.REMOTE, where.span)

    def image(self, stated: Property) -> Code:
        """The image that *stated* names, with its build where a resource or the community's module does that."""
        from lambdalint.join.images import build_at, image_code

        code = Code(CodeKind.IMAGE, stated.span)
        settings = self._build(stated, 0)
        if settings is None:
            return code
        context, file = self.path(settings.get("context")), text_of(settings.get("dockerfile")) or "Dockerfile"
        if context is None:
            return code
        given = properties_of(settings.get("build_args"))
        arguments = {name: text for name, value in given.items() if (text := text_of(value)) is not None}
        target = text_of(settings.get("target"))
        build = build_at(self._tree, context, ".", file, target, arguments)
        if build is None and (own := self.path(settings.get("dockerfile"))) and self._tree.is_file(own):
            build = ImageBuild(context, own, target, arguments)
        return image_code(code, build)

    def _build(self, stated: Property, hops: int) -> Properties | None:
        """The arguments of the build block that makes the image which *stated* refers to."""
        for name in sorted({reference.resource for reference in references(stated)}):
            call, resource = self._calls.get(name), self._resources.get(name)
            if call is not None and builds_image(call):
                return {theirs: call.arguments[ours] for ours, theirs in _BUILDS.items() if ours in call.arguments}
            if resource is None or resource.type not in _IMAGES:
                continue
            for block in items_of(resource.attributes.get("build")):
                return properties_of(block)
            inner = resource.attributes.get("name")
            found = self._build(inner, hops + 1) if inner is not None and hops < _MAX_HOPS else None
            if found is not None:
                return found
        return None

    def at(self, stated: Property) -> Code | None:
        """The code in the archive that *stated* names, or refers to."""
        maker = self._maker(stated)
        if maker is not None and maker.type == ARCHIVE:
            return self._packed(maker)
        if maker is not None and maker.type == "external":
            # How a copy of the community's Lambda module in the project tells its script what to pack.
            source = properties_of(maker.attributes.get("query")).get("source_path")
            return None if source is None else self.of_source_path(structure_of(source) or source)
        path = self.path(stated)
        if path is None:
            return None
        if path in self._archives:
            return self._packed(self._archives[path])
        return self.local(path, stated.span)

    def local(self, path: str, span: Span) -> Code:
        """The code at *path* of the tree."""
        if self._tree.is_folder(path):
            return Code(CodeKind.FOLDER, span, path, path)
        if not self._tree.is_file(path):
            return Code(CodeKind.MISSING, span, path)
        if path.lower().endswith(_ARCHIVES):
            return Code(CodeKind.ZIP, span, path, path)
        return Code(CodeKind.FILE, span, path, path.rpartition("/")[0])

    def path(self, stated: Property | None) -> str | None:
        """The path in the tree that *stated* names; ``None`` when that is unknown or outside."""
        text = text_of(stated)
        return joined(self._folder, text) if text else None

    def _maker(self, stated: Property) -> TerraformResource | None:
        """The data source whose output *stated* refers to, in every world that a condition makes."""
        found = {reference.resource for reference in references(stated)} if isinstance(stated, Unknown) else set()
        return self._resources.get(found.pop()) if len(found) == 1 else None

    def of_source_path(self, source: Property, *, layer: bool = False) -> Code | None:
        """What ``source_path`` of the community's Lambda module says: a path, or paths with patterns and commands.

        Only a *layer* may lie in a folder of its package.
        """
        items = items_of(source)
        if len(items) != 1:
            # Of several, the first is where the handler mostly is.
            code = next((found for item in items if (found := self.of_source_path(item, layer=layer))), None)
            return replace(code, picked=True) if code and code.kind is CodeKind.FOLDER else None
        (item,) = items
        settings = properties_of(item)
        stated = settings.get("path") if settings else item
        path = self.path(stated)
        prefix = (text_of(settings["prefix_in_zip"]) or "").strip("/") if is_said(settings, "prefix_in_zip") else None
        if stated is None or path is None or prefix == "" or (prefix and not layer):
            return None
        picked = is_said(settings, "patterns") or is_said(settings, "commands")
        return replace(self.local(path, stated.span), picked=picked, prefix=prefix or "")

    def _uploaded(self, attributes: Properties) -> Iterator[TerraformResource]:
        """The objects of the project that may be the one in the bucket."""
        key = attributes.get("s3_key")
        for name in ("s3_key", "s3_bucket", "s3_object_version"):
            reference = reference_of(attributes.get(name))
            found = self._resources.get(reference.resource) if reference else None
            if found is not None and found.type in _OBJECTS:
                yield found
        if text_of(key) is not None:
            yield from (each for each in self._objects if text_of(each.attributes.get("key")) == text_of(key))

    def _packed(self, archive: TerraformResource) -> Code | None:
        """What *archive* packs."""
        attributes = archive.attributes
        if (folder := attributes.get("source_dir")) is not None:
            path = self.path(folder)
            if path is None:
                return None
            code = self.local(path, folder.span)
            excludes = attributes.get("excludes")
            left_out = tuple(text for item in items_of(excludes) if (text := text_of(item)))
            hidden = excludes is not None and (isinstance(excludes, Unknown) or len(left_out) < len(items_of(excludes)))
            # What it has to wait for may install into the folder: a null_resource that runs pip, say.
            return replace(code, left_out=left_out, picked=hidden, installs=bool(archive.depends_on))
        if (file := attributes.get("source_file")) is not None:
            path = self.path(file)
            if path is None:
                return None
            if self._tree.is_file(path):
                return Code(CodeKind.FILE, file.span, path, path.rpartition("/")[0])
            return Code(CodeKind.MISSING, file.span, path)
        return self._written(archive)

    def _written(self, archive: TerraformResource) -> Code | None:
        """An archive of what stands in blocks of the configuration; whole files of the project among it are shown."""
        files: dict[str, Property] = {}
        sources = archive.attributes.get("source")
        if isinstance(sources, Unknown):
            return None
        blocks = [properties_of(item) for item in items_of(sources)]
        content = archive.attributes.get("source_content")
        if content is not None:
            blocks.append({"content": content, "filename": archive.attributes.get("source_content_filename", content)})
        for block in blocks:
            name, text = text_of(block.get("filename")), block.get("content")
            if name is None or text is None or joined("", name) is None:
                return None
            files[joined("", name) or name] = text
        if not files:
            return None
        span = next(iter(files.values())).span
        if (folder := _common_folder(files)) is not None:
            if len(files) == 1:
                (path,) = (f"{folder}/{name}".lstrip("/") for name in files)
                return Code(CodeKind.FILE, span, path, folder)
            return Code(CodeKind.FOLDER, span, folder, folder, picked=True)
        known = {name: str(text.value) for name, text in files.items() if isinstance(text, Known)}
        if any(name.endswith(".py") for name in files.keys() - known):
            return None
        root = f"{self._place}#{archive.address}"
        self._tree.mount(root, MemoryTree(known))
        if list(files) == list(known) and len(files) == 1 and "/" not in next(iter(files)):
            return Code(CodeKind.INLINE, span, f"{root}/{next(iter(files))}", root)
        return Code(CodeKind.FOLDER, span, root, root, picked=len(known) < len(files))


def builds_image(call: TerraformModuleCall) -> bool:
    """Whether the module called is the community's that builds an image."""
    return (text_of(call.source) or "").partition("?")[0].endswith(_DOCKER_BUILD)


def is_said(inputs: Properties, name: str) -> bool:
    """Whether the input *name* is given, and is not one of the things that modules take for nothing."""
    value = inputs.get(name)
    return value is not None and not (isinstance(value, Known) and (value.value is None or value.value in ("", (), {})))


def _common_folder(files: Mapping[str, Property]) -> str | None:
    """The folder of the project from which all of *files* are taken under their own names."""
    folders = set()
    for name, content in files.items():
        text = content.value if isinstance(content, Known) else None
        if not isinstance(text, FileText) or not f"/{text.path}".endswith(f"/{name}"):
            return None
        folders.add(text.path.removesuffix(name).rstrip("/"))
    return folders.pop() if len(folders) == 1 else None
