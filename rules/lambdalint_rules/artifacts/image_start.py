"""Who runs an image, and what starts in it: the template goes before what the image says itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from lambdalint.aws.images import is_of_aws, python_entrypoint, runtime_client, server_programs, tag_of
from lambdalint.rule import Function, Image, Instruction, Known, Project, Span, Unknown


@dataclass(frozen=True, slots=True)
class Words:
    """What an entry point or a command is: its *words*, and the instruction or place that states them.

    *is_shell* says that a shell gets them as one text.
    """

    words: tuple[str, ...]
    at: Span | None = None
    instruction: Instruction | None = None
    is_shell: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """What an image starts with; ``None`` where that is not known."""

    entrypoint: Words | None
    command: Words | None

    @property
    def words(self) -> tuple[str, ...] | None:
        """All that is run; ``None`` where a part is unknown, or a shell decides."""
        if self.entrypoint is None or self.command is None or self.entrypoint.is_shell or self.command.is_shell:
            return None
        return (*self.entrypoint.words, *self.command.words)

    @property
    def runs_python_runtime(self) -> bool:
        """Whether the runtime of AWS for Python, or its client, takes the command for a handler."""
        if self.entrypoint is None:
            return False
        words = self.entrypoint.words
        return words == (python_entrypoint(),) or (bool(words) and words[-1] == runtime_client())

    @property
    def server(self) -> str | None:
        """The web server that is started."""
        return next((word for word in (self.words or ())[:3] if word.rpartition("/")[2] in server_programs()), None)


def function_of(image: Image, project: Project) -> Function | None:
    """The function that runs *image*."""
    return next((each for each in project.functions if runs(each, image)), None)


def runs(function: Function, image: Image) -> bool:
    """Whether *function* runs *image*: functions of several templates may have one name."""
    if image.function != function.name:
        return False
    return image.source is None or function.code is None or function.code.span == image.source


def start_of(image: Image, function: Function | None) -> Start:
    """What *image* starts with where *function* runs it."""
    return Start(_part(image, function, "EntryPoint"), _part(image, function, "Command"))


def _part(image: Image, function: Function | None, key: str) -> Words | None:
    stated = function.resource.get("ImageConfig", key) if function is not None and function.template else None
    match stated:
        case Unknown():
            return None
        case Known(tuple(items), span) if items:
            words = [item.value for item in items if isinstance(item, Known) and isinstance(item.value, str)]
            return Words(tuple(words), span) if len(words) == len(items) else None
        case Known(str(text), span) if text:
            return Words((text,), span)
    return _own(image, key)


def _own(image: Image, key: str) -> Words | None:
    if image.recipe is None:
        return _of_config(image, key)
    recipe = image.recipe
    instruction = recipe.entrypoint if key == "EntryPoint" else recipe.command
    if instruction is not None:
        if not instruction.is_exec:
            return Words(("/bin/sh", "-c", instruction.text), instruction.span, instruction, is_shell=True)
        return Words(tuple(word.text for word in instruction.words), instruction.span, instruction)
    if recipe.base is None:
        return None
    tag = tag_of(recipe.base)
    if key == "EntryPoint" and is_of_aws(recipe.base):
        return Words((python_entrypoint(),)) if recipe.entrypoint is None and _is_python(recipe.base, tag) else None
    return Words(()) if is_of_aws(recipe.base) or "/" not in recipe.base else None


def _is_python(base: str, tag: object) -> bool:
    name = base.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return name.endswith("python") and (tag is not None or "@" in base)


def _of_config(image: Image, key: str) -> Words | None:
    if image.config is None:
        return None
    words = image.config.entrypoint if key == "EntryPoint" else image.config.command
    words = words or ()
    is_shell = _starts_shell(words)
    return Words(words, None, None, is_shell)


def _starts_shell(words: Iterable[str]) -> bool:
    first = tuple(words)[:2]
    return len(first) == 2 and first[0].rpartition("/")[2] in ("sh", "bash", "ash") and first[1] == "-c"
