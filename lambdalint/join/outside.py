"""What flows into a template from outside it: its parameters' values, other stacks, other files."""

from lambdalint.join.inputs import Said
from lambdalint.model.document import Node
from lambdalint.model.places import Span
from lambdalint.model.values import Property


class Outside:
    """What surrounds one template; this one stands for nothing at all.

    *scope* goes before the names of the template's resources wherever they are referred to, so that stacks inside one
    another keep theirs apart.  What is worth a word goes to *said*.
    """

    scope: str = ""

    def __init__(self) -> None:
        self.said = Said()

    def given(self, parameter: str) -> Property | None:
        """What a parameter, or a pseudo parameter, is set to; ``None`` when the template decides."""
        return None

    def output(self, stack: str, output: str) -> Property | None:
        """What an output of a nested stack is; ``None`` when that stack is not in the project."""
        return None

    def included(self, location: str, at: Span) -> Node | None:
        """The content of a file that ``AWS::Include`` names; ``None`` when it is not in the project."""
        return None
