"""A template and the resources that it declares, whatever its language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from lambdalint.model.places import Span
from lambdalint.model.values import Known, Properties, Property


class Dialect(Enum):
    """The language a template is written in."""

    CLOUDFORMATION = "cloudformation"
    SAM = "sam"
    TERRAFORM = "terraform"
    SERVERLESS = "serverless"
    CDK = "cdk"
    CHALICE = "chalice"
    ZAPPA = "zappa"
    NONE = "none"  # no template declares the function


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One declared thing.

    *span* is its logical name in the template, *extent* all that is written about it, *condition* the name of the
    condition it depends on.  *properties* are evaluated as far as the template alone allows.

    *label* is what a person wrote where a transform made the resource (an event of a function, say), and *span* its
    place; it is ``None`` for what stands in the template itself.
    """

    name: str
    type: str
    properties: Properties
    span: Span
    extent: Span
    condition: str | None = None
    metadata: Properties = field(default_factory=dict)
    label: str | None = None

    def get(self, *keys: str) -> Property | None:
        """The property at the path *keys*; ``None`` when it is absent.

        An unknown value on the way is the answer: what lies below it is unknown too.
        """
        found: Property | None = None
        properties: Properties = self.properties
        for key in keys:
            found = properties.get(key)
            if not isinstance(found, Known):
                return found
            properties = found.value if isinstance(found.value, Mapping) else {}
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A template file and its resources by logical name; *metadata* is what it says about itself."""

    path: str
    dialect: Dialect
    resources: Mapping[str, Resource]
    metadata: Properties = field(default_factory=dict)
