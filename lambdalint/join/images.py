"""What an image contains and runs, as far as the Dockerfile of the project says."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import islice, pairwise
from posixpath import normpath
from typing import Final

from lambdalint.aws.images import (
    BaseImage,
    base_environment,
    base_image,
    client_words,
    declarations,
    harmless_commands,
    installers,
    is_of_aws,
    runtime_client,
    web_adapter,
)
from lambdalint.errors import UnreadableInput
from lambdalint.join.properties import items_of, text_of
from lambdalint.model.dockerfile import Dockerfile, Instruction, Stage, Word
from lambdalint.model.function import Code, Container, Function, ImageBuild
from lambdalint.model.image import BuildStep, Image, ImageKind, Recipe
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Property, Unknown, Value
from lambdalint.readers.dockerfile import assigned, expanded, read_dockerfile, unquoted, with_arguments
from lambdalint.readers.text import decoded
from lambdalint.readers.tree import Mounted, Tree, joined

_MAX_STAGES: Final = 50
_MAX_FILES: Final = 2_000
#: Names in folders of the context that are held against what is copied.
_MAX_LOOKS: Final = 100_000
#: A file that says what is installed has seldom more bytes; locks of large projects do.
_MAX_DECLARATION: Final = 8 * 1024 * 1024
#: A command of the build that runs something of the project's, or fetched, which may install anything.
_RUNS_OWN: Final = re.compile(r"(?:^|[\s;&|])(?:\.{0,2}/[\w./-]*\.(?:sh|py)|make|(?:ba)?sh\s+[\w./-]+)(?=$|[\s;&|])")
_COMPOSE: Final = "*compose*.y*ml"
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
    platform: str | None = None
    is_folder_known: bool = True
    settings: list[tuple[str, Word]] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
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
    builder = _Builder(tree, dockerfile, build)
    state = builder.state(stage, 0)
    known = base_image(state.base) if state.base else None
    roots, is_complete = _roots(state, known.task_root if known else state.folder)
    container = Container(
        build,
        state.base,
        state.base_span or stage.start.span,
        known.version if known and known.family == "python" else None,
        is_complete,
        state.variables if known or _is_official(state.base) else None,
        _recipe(builder, stage, state, known),
    )
    handler = _handler(function, state, known)
    if handler is None or any(each.target == web_adapter() for each in state.placed):
        return replace(function, container=container)
    code = replace(function.code, root=roots[0], more_roots=roots[1:], picked=True) if roots else function.code
    return replace(function, handler=handler, code=code, container=container)


def joined_image(function: Function, tree: Mounted, failures: list[UnreadableInput]) -> tuple[Function, Image | None]:
    """*function* with what its image says: the Dockerfile of the project, or an archive in it; with that image."""
    if function.code and function.code.build:
        from lambdalint.join.image_steps import build_steps

        steps = build_steps(tree, function.code.build)
        function = with_image(function, tree, failures)
        return function, _described(function, steps)
    from lambdalint.join.packed_images import local_image, with_code

    try:
        image = local_image(tree, function, _architecture(function))
    except UnreadableInput as failure:
        failures.append(failure)
        return function, None
    return (function, None) if image is None else (with_code(function, image, tree), image)


def _described(function: Function, steps: tuple[BuildStep, ...]) -> Image | None:
    """The image that *function* runs, as its Dockerfile describes it."""
    if function.container is None or function.container.recipe is None or function.code is None:
        return None
    return Image(
        path=function.container.build.dockerfile,
        kind=ImageKind.DOCKERFILE,
        function=function.name,
        architecture=_architecture(function),
        recipe=function.container.recipe,
        steps=steps,
        source=function.code.span,
    )


def _architecture(function: Function) -> str | None:
    """The one architecture of the function; the default where none is stated, ``None`` where it is hidden."""
    match function.architectures:
        case None:
            return "x86_64"
        case Known((Known(str() as name),)):
            return name
        case _:
            return None


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
        return replace(
            built,
            variables=dict(built.variables),
            placed=list(built.placed),
            settings=list(built.settings),
            stages=list(built.stages),
        )

    def _run(self, stage: Stage, depth: int) -> _State:
        state = self._start(stage, depth)
        state.stages.append(stage)
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
        if stage.platform is not None:
            state.platform = expanded(unquoted(stage.platform), self.dockerfile.arguments)
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
                state.settings += _settings(instruction)
            case "WORKDIR":
                where = expanded(unquoted(instruction.text), arguments)
                state.is_folder_known = where is not None and (state.is_folder_known or where.startswith("/"))
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

    def has_client(self, stage: Stage, state: _State) -> bool:
        """Whether the image may hold something that answers the Runtime API."""
        if state.base is None or is_of_aws(state.base) or not _is_official(state.base):
            return True
        words = client_words()
        for each in (*state.stages, *self._built_from(state.stages)):
            for instruction in (each.start, *each.instructions):
                documents = "".join(document.content for document in instruction.heredocs)
                text = f"{' '.join(instruction.flags.values())} {instruction.text} {documents}".lower()
                if any(word in text for word in words) or (instruction.keyword == "RUN" and _RUNS_OWN.search(text)):
                    return True
                if instruction.keyword in ("COPY", "ADD") and "from" in instruction.flags:
                    origin = expanded(instruction.flags["from"], self.dockerfile.arguments)
                    if origin is None or self.dockerfile.stage(origin, before=each.number) is None:
                        return True  # whatever that image brings
        return any(any(word in text for word in words) for text in self._declarations(state))

    def is_composed(self) -> bool:
        """Whether a file of Compose is in the context, or in a folder around it."""
        parts = self.build.context.split("/") if self.build.context else []
        folders = ("/".join(parts[:depth]) for depth in range(len(parts) + 1))
        return any(fnmatchcase(name, _COMPOSE) for folder in folders for name in self.tree.names(folder))

    def _built_from(self, stages: Iterable[Stage]) -> Iterator[Stage]:
        """All earlier stages: what is copied out of them may be anything that they hold."""
        last = max((stage.number for stage in stages), default=0)
        own = {stage.number for stage in stages}
        return (stage for stage in self.dockerfile.stages[:last] if stage.number not in own)

    def _declarations(self, state: _State) -> Iterator[str]:
        """The texts of the files that say what is installed, in the context and in the folders that are copied."""
        folders = {self.build.context, *(each.source for each in state.placed if each.source is not None)}
        files = {path for path in folders if not self.tree.is_folder(path)}
        folders = {path for path in folders if self.tree.is_folder(path)} | {path.rpartition("/")[0] for path in files}
        for folder in sorted(folders):
            for name in self.tree.names(folder):
                path = f"{folder}/{name}" if folder else name
                wanted = any(fnmatchcase(name, pattern) for pattern in declarations())
                if (wanted or path in files) and self.tree.is_file(path) and self.tree.size(path) <= _MAX_DECLARATION:
                    yield self.tree.read(path).decode(errors="replace").lower()

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


def _settings(instruction: Instruction) -> Iterator[tuple[str, Word]]:
    """The variables that an ``ENV`` sets, with their values as they are written."""
    words = instruction.words
    if words and "=" not in words[0].text:
        if len(words) > 1:
            yield words[0].text, Word(" ".join(word.text for word in words[1:]), words[1].span)
        return
    for word in words:
        name, equals, value = word.text.partition("=")
        if equals:
            yield name, Word(value, word.span)


def _recipe(builder: "_Builder", stage: Stage, state: _State, base: BaseImage | None) -> Recipe:
    modules = [each.target for each in state.placed if each.source is not None and each.target.endswith(".py")]
    for each in state.placed:
        if each.source is not None and builder.tree.is_folder(each.source):
            names = builder.tree.names(each.source)[:_MAX_FILES]
            modules += [f"{each.target.rstrip('/')}/{name}" for name in names if name.endswith(".py")]
    return Recipe(
        builder.dockerfile,
        tuple(state.stages),
        state.base,
        state.base_span or stage.start.span,
        state.platform,
        tuple(state.settings),
        state.folder if state.is_folder_known else None,
        state.entrypoint,
        state.command,
        tuple(dict.fromkeys(modules)),
        base is not None or builder.has_client(stage, state),
        builder.is_composed(),
    )


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
