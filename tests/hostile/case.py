"""What a broken artifact is, and what is to be said about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.by_hand import Item, healthy, packed

#: Files of the project by path, or what fills the folder of the code on the disk.
Made = bytes | Callable[[Path], bytes]

APP = b"def handler(event, context):\n    return event\n"
FUNCTION = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: {code}
      Handler: {handler}
      Runtime: {runtime}
      MemorySize: 256
      Timeout: 30
      Architectures: [x86_64]
"""
LAYERED = """\
      Layers: [!Ref Shared]
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layer.zip
      CompatibleRuntimes: [python3.13]
      CompatibleArchitectures: [x86_64]
"""


@dataclass(frozen=True)
class Case:
    """*make* gives the bytes of the archive, with a folder to work in; *expected* are the names of what is found.

    Where nothing is expected, nothing is asked but that there is an answer, in little time and memory.  *twin* is like
    it and healthy.  *layer* says that it is the archive of a layer, *folder* that *make* fills a folder instead.
    """

    name: str
    make: Made
    expected: tuple[str, ...] = ()
    twin: Made = healthy
    runtime: str = "python3.13"
    handler: str = "app.handler"
    layer: bool = False
    folder: bool = False

    @property
    def artifact(self) -> str:
        """Where it is in the project."""
        return "src" if self.folder else "layer.zip" if self.layer else "bundle.zip"

    def write(self, project: Path, made: Made) -> None:
        """The whole project, with *made* as its artifact."""
        template = FUNCTION.format(
            code="src/" if self.layer or self.folder else "bundle.zip", handler=self.handler, runtime=self.runtime
        )
        (project / "template.yaml").write_text(template + (LAYERED if self.layer else ""))
        if self.layer or self.folder:
            (project / "src").mkdir()
            (project / "src" / "app.py").write_bytes(APP)
        if self.folder:
            assert callable(made)
            made(project / "src")
            return
        work = project.parent / f"{project.name}.work"
        work.mkdir()
        (project / self.artifact).write_bytes(made(work) if callable(made) else made)


def of_files(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of *files* beside the handler's module."""
    return packed([Item("app.py", APP), *(Item(name, content) for name, content in files.items())])
