"""Templates that name what was built, so that it can be deployed with the tools that deploy the project anyway."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from lambdalint.emission.declarations import Declaration, Emission, Emitted, LayerPackage
from lambdalint.errors import LambdalintError, Refused
from lambdalint.join.dialects import TERRAFORM_SUFFIXES
from lambdalint.join.emitted import LAYERS, MARK, OVERRIDES, SERVICE
from lambdalint.model.template import Dialect
from lambdalint.packager.write import whole
from lambdalint.readers.tree import Folder

_STACKS: Final = (Dialect.SAM, Dialect.CLOUDFORMATION)
#: What the others are told instead; ``{}`` is the package.
_HINTS: Final = {
    Dialect.CDK: "write `code=Code.from_asset({!r})` in the application, which makes the template anew",
    Dialect.TERRAFORM: "a plan is what was decided already: give the folder of the configuration",
}


def emission(tree: Folder, declarations: Sequence[Declaration], layers: Sequence[LayerPackage], out: Path) -> Emission:
    """What to write so that what was built of *declarations* is deployed; *out* is the absolute folder of the packages.

    *layers* are declared as well, and had by the functions that they are for.  Templates of CloudFormation and SAM go
    there; for Terraform there is a file of overrides beside the configuration, and for the Serverless Framework another
    service beside the one that is there.
    """
    from lambdalint.emission.cloudformation import emitted_templates
    from lambdalint.emission.serverless import emitted_services
    from lambdalint.emission.terraform import emitted_overrides

    stacks = [each for each in declarations if each.dialect in _STACKS]
    modules = [each for each in declarations if each.span.path.endswith(TERRAFORM_SUFFIXES)]
    services = [each for each in declarations if each.dialect is Dialect.SERVERLESS]
    others = [each for each in declarations if each not in (*stacks, *modules, *services)]
    parts = (
        emitted_templates(tree, stacks, layers, out),
        emitted_overrides(tree, modules, layers),
        emitted_services(tree, services, layers),
    )
    return Emission(
        tuple(file for part in parts for file in part.files),
        (*(failure for part in parts for failure in part.failures), *_unsaid(others)),
    )


def write(emission: Emission, packages: Collection[Path]) -> Emission:
    """Write the files of *emission*, and give what was written; *packages* are what was written before.

    A file that somebody else wrote is left alone.
    """
    files: list[Emitted] = []
    failures = [*emission.failures]
    for each in emission.files:
        try:
            if each.content is not None:
                _write(each.path, each.content, packages)
            files.append(each)
        except Refused as error:
            failures.append((each.path.name, error))
    return Emission(tuple(files), tuple(failures))


def _write(path: Path, content: bytes, packages: Collection[Path]) -> None:
    if any(place in packages for place in (path, *path.parents)):
        raise Refused(f"{path} is the place of a package, and of a template that names it", hint="give another --out")
    if path.exists() and not _is_ours(path):
        raise Refused(f"{path} is there, and lambdalint did not write it", hint="give another --out")
    with whole(path) as (scratch,):
        scratch.write_bytes(content)


def _is_ours(path: Path) -> bool:
    """Whether we wrote what is at *path*: no folder, and no file that cannot be read."""
    if path.is_dir():
        return False
    if path.name in (OVERRIDES, LAYERS) or path.name.startswith(f"{SERVICE}."):
        return True
    try:
        return MARK[-1].encode() in path.read_bytes()
    except OSError:
        return False


def _unsaid(declarations: Sequence[Declaration]) -> Iterator[tuple[str, LambdalintError]]:
    """Why nothing is written for the templates of *declarations*."""
    seen = set()
    for each in declarations:
        if each.built is not None and each.root not in seen:
            seen.add(each.root)
            hint = _HINTS.get(each.dialect)
            yield (
                each.root,
                Refused(
                    f"{each.root} is for a tool that takes no template but its own, so that none is written",
                    hint=hint and hint.format(each.built.path.name),
                ),
            )
