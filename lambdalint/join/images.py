"""What an image contains and runs, as far as the Dockerfile of the project says."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import islice, pairwise
from posixpath import normpath
from typing import Final

from lambdalint.aws.images import (
    BaseImage,
    base_environment,
    base_image,
    harmless_commands,
    installers,
    runtime_client,
    web_adapter,
)
from lambdalint.errors import UnreadableInput
from lambdalint.join.properties import items_of, text_of
from lambdalint.model.dockerfile import Dockerfile, Instruction, Stage, Word
from lambdalint.model.function import Code, Container, Function, ImageBuild
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Property, Unknown, Value
from lambdalint.readers.dockerfile import assigned, expanded, read_dockerfile, unquoted, with_arguments
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Tree, joined

_MAX_STAGES: Final = 50
_MAX_FILES: Final = 2_000
#: Names in folders of the context that are held against what is copied.
_MAX_LOOKS: Final = 100_000
_PACKAGES_OF_LAYERS: Final = "/opt/python"
_COMMANDS: Final = re.compile(r"&&|\|\||[;|\n]")


@dataclass(frozen=True, slots=True)
class _Placed:
    """A file or folder of the build's context, ``None`` where nobody knows what, and its path in the image."""

    source: str | None
    target: str


@dataclass(slots=True)
class _State:
    """An image while it is built."""

    base: str | None = None
    base_span: Span | None = None
    folder: str = "/"
    variables: dict[str, str | None] = field(default_factory=dict)
    entrypoint: Instruction | None = None
    command: Instruction | None = None
    placed: list[_Placed] = field(default_factory=list)
    is_complete: bool = True


def build_at(
    tree: Tree,
    folder: str,
    context: str,
    file: str = "Dockerfile",
    target: str | None = None,
    arguments: Mapping[str, str] | None = None,
) -> ImageBuild | None:
    """The build with *context* seen from *folder*, and the Dockerfile *file* from there; ``None``: it is not here."""
    where = joined(folder, context)
    path = None if where is None else joined(where, file)
    if where is None or path is None or not tree.is_file(path):
        return None
    return ImageBuild(where, path, target, arguments or {})


def with_image(function: Function, tree: Tree, failures: list[UnreadableInput]) -> Function:
    """*function* with what its Dockerfile says: the handler that the image calls, and where it is imported from."""
    build = function.code.build if function.code else None
    if function.code is None or build is None:
        return function
    try:
        dockerfile = read_dockerfile(decoded(tree.read(build.dockerfile), build.dockerfile), build.dockerfile)
    except UnreadableInput as failure:
        failures.append(failure)
        return function
    dockerfile = with_arguments(dockerfile, build.arguments)
    stage = dockerfile.stages[-1] if build.target is None else dockerfile.stage(build.target)
    if stage is None:
        return function
    state = _Builder(tree, dockerfile, build).state(stage, 0)
    known = base_image(state.base) if state.base else None
    roots, is_complete = _roots(state, known.task_root if known else state.folder)
    container = Container(
        build,
        state.base,
        state.base_span or stage.start.span,
        known.version if known and known.family == "python" else None,
        is_complete,
        state.variables if known or _is_official(state.base) else None,
    )
    handler = _handler(function, state, known)
    if handler is None or any(each.target == web_adapter() for each in state.placed):
        return replace(function, container=container)
    code = replace(function.code, root=roots[0], more_roots=roots[1:], picked=True) if roots else function.code
    return replace(function, handler=handler, code=code, container=container)


def _handler(function: Function, state: _State, base: BaseImage | None) -> Value[str] | None:
    """The handler that the image's command names; ``None`` when something else than a runtime for Python starts."""
    entrypoint = _overridden(function.resource.get("ImageConfig", "EntryPoint"), state.entrypoint)
    command = _overridden(function.resource.get("ImageConfig", "Command"), state.command)
    if isinstance(entrypoint, Unknown) or isinstance(command, Unknown):
        return None
    started = [str(word.value) for word in entrypoint]
    words = [*entrypoint, *command]
    client = next((at for at, word in enumerate(words) if word.value == runtime_client()), None)
    if client is not None:
        return words[client + 1] if len(words) > client + 1 else None
    if base is not None and base.family == "python" and (not started or started == [base.entrypoint]) and command:
        return command[0]
    return None


def _overridden(stated: Property | None, instruction: Instruction | None) -> list[Known[str]] | Unknown:
    """The words that are run: those that the template states, or else those of the Dockerfile in its exec form."""
    if isinstance(stated, Unknown):
        return stated
    if stated is not None and items_of(stated):
        words = [item for item in items_of(stated) if isinstance(item, Known) and text_of(item) is not None]
        return words if len(words) == len(items_of(stated)) else Unknown("the command", stated.span)
    if instruction is None:
        return []
    if not instruction.is_exec:
        return Unknown("a command of the shell", instruction.span)
    return [_inside(word) for word in instruction.words]


def _inside(word: Word) -> Known[str]:
    return Known(word.text, word.span)


def _roots(state: _State, task_root: str) -> tuple[tuple[str, ...], bool]:
    """The folders of the context that lie, whole or in part, at *task_root* of the image; later ones go first.

    With them whether that is all that is there.
    """
    found: list[str] = []
    is_complete = state.is_complete
    for each in reversed(state.placed):
        for root in (task_root, _PACKAGES_OF_LAYERS):
            if each.source is not None and (each.target == root or each.target.startswith(f"{root.rstrip('/')}/")):
                inner = each.target.removeprefix(root).strip("/")
                if not inner:
                    found.append(each.source)
                elif f"/{each.source}".endswith(f"/{inner}"):
                    found.append(each.source.removesuffix(inner).rstrip("/"))
                else:
                    is_complete = False
    return tuple(dict.fromkeys(found)), is_complete


class _Builder:
    def __init__(self, tree: Tree, dockerfile: Dockerfile, build: ImageBuild) -> None:
        self.tree = tree
        self.dockerfile = dockerfile
        self.build = build
        self._built: dict[int, _State] = {}
        self._looks = 0

    def state(self, stage: Stage, depth: int) -> _State:
        """The image after all instructions of *stage*."""
        if stage.number not in self._built:
            self._built[stage.number] = self._run(stage, depth)
        built = self._built[stage.number]
        return replace(built, variables=dict(built.variables), placed=list(built.placed))

    def _run(self, stage: Stage, depth: int) -> _State:
        state = self._start(stage, depth)
        arguments = dict(state.variables)
        for instruction in stage.instructions:
            self._step(state, arguments, instruction, stage, depth)
            if len(state.placed) > _MAX_FILES:
                del state.placed[_MAX_FILES:]
                state.is_complete = False
        return state

    def _start(self, stage: Stage, depth: int) -> _State:
        below = None if stage.base is None else self.dockerfile.stage(stage.base, before=stage.number)
        if below is not None and depth < _MAX_STAGES:
            return self.state(below, depth + 1)
        words = stage.start.words
        state = _State(stage.base, words[0].span if words else stage.start.span)
        known = base_image(stage.base) if stage.base else None
        if known is not None:
            state.folder = known.task_root
            state.variables.update(base_environment())
        elif stage.base != "scratch":
            # Whoever made that image may have put modules anywhere.
            state.is_complete = _is_official(stage.base)
        return state

    def _step(
        self,
        state: _State,
        arguments: dict[str, str | None],
        instruction: Instruction,
        stage: Stage,
        depth: int,
    ) -> None:
        match instruction.keyword:
            case "ARG":
                for name, value in assigned(instruction, arguments).items():
                    given = self.build.arguments.get(name, value)
                    arguments[name] = self.dockerfile.arguments.get(name) if given is None else given
            case "ENV":
                found = assigned(instruction, arguments)
                state.variables.update(found)
                arguments.update(found)
            case "WORKDIR":
                where = expanded(unquoted(instruction.text), arguments)
                state.is_complete = state.is_complete and where is not None
                state.folder = _path(state.folder, where) if where is not None else state.folder
            case "ENTRYPOINT":
                # An entrypoint of its own makes nothing of the command below it.
                state.entrypoint, state.command = instruction, None
            case "CMD":
                state.command = instruction
            case "COPY" | "ADD":
                self._copy(state, arguments, instruction, stage, depth)
            case "RUN":
                state.is_complete = state.is_complete and _is_harmless(instruction)

    def _copy(
        self,
        state: _State,
        arguments: Mapping[str, str | None],
        instruction: Instruction,
        stage: Stage,
        depth: int,
    ) -> None:
        words = [expanded(unquoted(word.text), arguments) for word in instruction.words]
        if len(words) < 2 or words[-1] is None or None in words or instruction.heredocs:
            state.is_complete = False
            return
        *sources, target = (word for word in words if word is not None)
        where = _path(state.folder, target)
        into = target.endswith(("/", "/.")) or len(sources) > 1 or _is_folder(state, where)
        origin = instruction.flags.get("from")
        if origin is None:
            found = list(islice((each for one in sources for each in self._sources(one, where, into)), _MAX_FILES))
            state.placed += found
            state.is_complete = state.is_complete and bool(found)
            return
        earlier = self.dockerfile.stage(expanded(origin, arguments) or "", before=stage.number)
        if earlier is None or depth >= _MAX_STAGES:
            outside = [_Placed(None, f"{where}/{source.rpartition('/')[2]}" if into else where) for source in sources]
            state.placed += outside
            state.is_complete = state.is_complete and all(each.target.startswith("/opt/") for each in outside)
            return
        below = self.state(earlier, depth + 1)
        state.is_complete = state.is_complete and below.is_complete
        for source in sources:
            inside = _path(below.folder if source.startswith(".") else "/", source)
            state.placed += islice(_moved(below.placed, inside, where), _MAX_FILES)
            if len(state.placed) > _MAX_FILES:
                return

    def _sources(self, source: str, where: str, into: bool) -> Iterator[_Placed]:
        """The files and folders that *source* names, each with its path in the image; the content of folders moves."""
        if "://" in source or source.startswith("git@"):
            return
        for path in self._matching(source.lstrip("/") or "."):
            if self.tree.is_folder(path):
                yield _Placed(path, where)
            else:
                name = path.rpartition("/")[2]
                yield _Placed(path, f"{where.rstrip('/')}/{name}" if into or "*" in source else where)

    def _matching(self, source: str) -> Iterator[str]:
        self._looks += 1
        if self._looks > _MAX_LOOKS:
            return
        folder, _, pattern = source.rpartition("/")
        inside = joined(self.build.context, folder or ".")
        if inside is None:
            return
        if not any(mark in pattern for mark in "*?["):
            path = joined(self.build.context, source)
            if path is not None and (self.tree.is_file(path) or self.tree.is_folder(path)):
                yield path
            return
        for name in self.tree.names(inside):
            self._looks += 1
            if self._looks > _MAX_LOOKS:
                return
            if fnmatchcase(name, pattern):
                yield f"{inside}/{name}" if inside else name


def _is_official(base: str | None) -> bool:
    """Whether the image is one of Docker's own, which bring an interpreter and no modules of a project."""
    return base is not None and "/" not in base


def _is_folder(state: _State, path: str) -> bool:
    """Whether *path* is known to be a folder of the image, so that a file that goes there keeps its name."""
    known = (state.folder, "/opt", "/tmp", *base_environment().values())  # noqa: S108
    return path in known or any(each.target.startswith(f"{path.rstrip('/')}/") for each in state.placed)


def _moved(placed: list[_Placed], source: str, where: str) -> Iterator[_Placed]:
    """What lies at or below *source* of another stage, at its place below *where*."""
    for each in placed:
        if each.target == source:
            yield replace(each, target=where)
        elif each.target.startswith(f"{source.rstrip('/')}/"):
            yield replace(each, target=_path(where, each.target.removeprefix(source).lstrip("/")))
        elif source.startswith(f"{each.target.rstrip('/')}/") and each.source is not None:
            inner = source.removeprefix(each.target).strip("/")
            yield _Placed(f"{each.source}/{inner}" if each.source else inner, where)


def _is_harmless(instruction: Instruction) -> bool:
    """Whether what a ``RUN`` does puts no module of the project's anywhere."""
    if instruction.heredocs:
        return False
    text = " ".join(word.text for word in instruction.words) if instruction.is_exec else instruction.text
    return all(_is_harmless_command(part.split()) for part in _COMMANDS.split(text) if part.strip())


def _is_harmless_command(words: list[str]) -> bool:
    while words and "=" in words[0]:
        words = words[1:]
    if not words:
        return True
    name = words[0].rpartition("/")[2]
    if name.startswith("python") and words[1:2] == ["-m"]:
        words, name = words[2:], words[2] if len(words) > 2 else ""
    if name in installers():
        return not any(_is_local(before, word) for before, word in pairwise(words))
    return name in harmless_commands()


def _is_local(before: str, word: str) -> bool:
    """Whether an argument of pip names a distribution that is built here, or comes from a repository."""
    if before in ("-t", "--target", "-r", "--requirement", "-c", "--constraint", "--prefix", "--root"):
        return False
    return before in ("-e", "--editable") or word.startswith((".", "/", "git+", "file:", "$"))


def _path(folder: str, path: str) -> str:
    """*path* as seen from *folder*, both of the image."""
    return normpath(path if path.startswith("/") else f"{folder.rstrip('/')}/{path}").replace("//", "/")


def image_code(code: Code, build: ImageBuild | None) -> Code:
    """*code* as built by *build*, if it is known how."""
    return code if build is None else replace(code, path=build.context, build=build)
