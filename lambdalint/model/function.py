"""A Lambda function as its template, code and artifact together make it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from lambdalint.model.artifact import Artifact
from lambdalint.model.image import Recipe
from lambdalint.model.network import Network
from lambdalint.model.places import Span
from lambdalint.model.role import Role
from lambdalint.model.template import Dialect, Resource
from lambdalint.model.values import Property, Unknown, Value


class CodeKind(Enum):
    """In what form a template points at code."""

    FOLDER = "folder"
    FILE = "file"
    ZIP = "zip"
    INLINE = "inline"
    REMOTE = "remote"  # in S3, or a registry
    IMAGE = "image"
    MISSING = "missing"  # a local path at which nothing is


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """How an image is built of files of the project: all paths are of the tree.

    *target* names a stage; *arguments* are those given to the build, without those that nobody knows.
    """

    context: str
    dockerfile: str
    target: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Container:
    """What a Dockerfile says about the image of a function.

    *base* is the image that the last stage rests on, *base_span* where it is named.  *python* is the version in a base
    image of AWS, ``None`` for others.  *is_complete* says that every module in the task's folder is known.
    *variables* are those of the environment that the image sets, ``None`` for a value that is not known, and ``None``
    altogether where the base may set others.  *recipe* is the Dockerfile itself, for rules about images.
    """

    build: ImageBuild
    base: str | None
    base_span: Span
    python: str | None = None
    is_complete: bool = True
    variables: Mapping[str, str | None] | None = None
    recipe: Recipe | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """Where the function's code is.

    *path* is the folder, file or archive in the project, ``None`` for remote code.  *root* is the folder from which the
    handler string resolves, ``None`` where there is none to look at.  *span* is where the template says so.

    *via_s3* says that it reaches Lambda through a bucket, as local code of CloudFormation does.  *left_out* are
    patterns of paths below the folder that are not packaged, ``**`` standing for any folders.  *picked* says that what
    is packaged of the folder, or added to it, is decided by something that was not looked at.  *more_roots* are further
    folders from which modules are imported, after *root*.  *build* says how an image is made.  *installs* says that
    requirements are installed when the folder is packaged, or may be.  *prefix* is the folder of the package, without a
    slash at its end, that everything goes into; only layers have one.
    """

    kind: CodeKind
    span: Span
    path: str | None = None
    root: str | None = None
    via_s3: bool = True
    left_out: tuple[str, ...] = ()
    picked: bool = False
    more_roots: tuple[str, ...] = ()
    build: ImageBuild | None = None
    installs: bool = False
    prefix: str = ""


class Evidence(Enum):
    """How a function was found, the surest way first."""

    TEMPLATE = "template"
    CONFIGURATION = "configuration"
    FRAMEWORK = "framework"  # a library that is there for Lambda's sake takes part in it
    SIGNATURE = "signature"  # it takes an event and a context, by name


class Handling(Enum):
    """What became of looking for the handler."""

    RESOLVED = "resolved"
    NO_MODULE = "no such module"
    NO_SYMBOL = "no such name in the module"
    NOT_CALLABLE = "the name is bound to something that cannot be called"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Handler:
    """The Python callable that a handler string names.

    *path* is the module's file and *symbol* the name looked up in it.  *scope_path* and *scope* are the file and the
    qualified name of the ``def`` that runs, after re-exports and wrappers, where that is known.  *names* are the
    module's callables, for a hint.  *reason* says why it is unjudged.
    """

    state: Handling
    path: str | None = None
    symbol: str | None = None
    scope_path: str | None = None
    scope: str | None = None
    names: tuple[str, ...] = ()
    reason: str = ""


class Invocation(Enum):
    """How a trigger calls a function."""

    SYNC = "sync"
    ASYNC = "async"
    POLLED = "polled"


class TriggerKind(Enum):
    """What invokes a function; the value is the name in reports."""

    REST_API = "rest-api"
    HTTP_API = "http-api"
    WEBSOCKET_API = "websocket-api"
    FUNCTION_URL = "function-url"
    ALB = "alb"
    S3 = "s3"
    SNS = "sns"
    EVENTBRIDGE = "eventbridge"
    SCHEDULE = "schedule"
    LOGS = "logs"
    IOT = "iot"
    ALEXA = "alexa"
    COGNITO = "cognito"
    SQS = "sqs"
    KINESIS = "kinesis"
    DYNAMODB = "dynamodb"
    MSK = "msk"
    KAFKA = "kafka"
    MQ = "mq"
    DOCUMENTDB = "documentdb"
    AUTHORIZER = "authorizer"
    CUSTOM_RESOURCE = "custom-resource"
    OTHER = "other"

    @property
    def invocation(self) -> Invocation:
        """How this kind calls a function."""
        return _INVOCATION.get(self, Invocation.ASYNC)


_INVOCATION = {
    **dict.fromkeys(
        (
            TriggerKind.REST_API,
            TriggerKind.HTTP_API,
            TriggerKind.WEBSOCKET_API,
            TriggerKind.FUNCTION_URL,
            TriggerKind.ALB,
            TriggerKind.ALEXA,
            TriggerKind.COGNITO,
            TriggerKind.AUTHORIZER,
        ),
        Invocation.SYNC,
    ),
    **dict.fromkeys(
        (
            TriggerKind.SQS,
            TriggerKind.KINESIS,
            TriggerKind.DYNAMODB,
            TriggerKind.MSK,
            TriggerKind.KAFKA,
            TriggerKind.MQ,
            TriggerKind.DOCUMENTDB,
        ),
        Invocation.POLLED,
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Trigger:
    """One thing that invokes one function.

    *source* is the resource that sends the events where the project declares it (the queue, the bucket, the API).
    *settings* hold what an event source mapping says, by CloudFormation's property names.
    *payload_version* is ``"1.0"`` or ``"2.0"`` for HTTP APIs and function URLs, *proxy* whether the response goes
    through a Lambda proxy integration; ``None`` where that is unknown or means nothing.
    """

    kind: TriggerKind
    name: str
    function: str
    span: Span
    source: Resource | None = None
    settings: Mapping[str, Property] = field(default_factory=dict)
    payload_version: str | None = None
    proxy: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Permission:
    """A statement that lets somebody invoke a function; settings by CloudFormation's property names."""

    function: str | None
    span: Span
    settings: Mapping[str, Property]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A layer that the project declares.

    *root* is the folder whose content, or whose ``python/``, is imported; ``None`` when it is not in the project.
    """

    name: str
    span: Span
    code: Code
    compatible_runtimes: tuple[str, ...] = ()
    compatible_architectures: tuple[str, ...] = ()
    artifact: Artifact | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Function:
    """A function with everything known about it.

    Settings are ``Known``, ``Unknown`` or ``None`` (absent); a default of the service is filled in as
    ``Known(default, span of the resource, stated=False)``.

    *span* is the logical name in the template.  *layers* are values as written, *local_layers* those of them that the
    project declares, and *layers_complete* says that there are no others.  *role* is ``Unknown`` where the project does
    not declare it.  *modules* are the project's own modules that
    importing the handler can load: dotted name, as Python would name it, to path.  *handler_path* is short for the
    resolved handler's file.

    *evidence* says how the function was found.  Where no template declares it, *template* is ``None``, *span* is the
    handler's place, and every setting that nobody states is ``Unknown``.  *region* is where the function is deployed,
    as far as the project itself says that.  *container* is known of an image whose Dockerfile is in the project; its
    command is then the *handler*.
    """

    name: str
    span: Span
    template: str | None
    dialect: Dialect
    resource: Resource
    image: bool = False
    runtime: Value[str] | None = None
    handler: Value[str] | None = None
    memory_mb: Value[int] | None = None
    timeout_s: Value[int] | None = None
    ephemeral_mb: Value[int] | None = None
    architectures: Value[tuple[Value[str], ...]] | None = None
    env: Value[Mapping[str, Value[Any]]] | None = None
    layers: Value[tuple[Value[str], ...]] | None = None
    file_mounts: tuple[str, ...] = ()
    network: Network | Unknown | None = None
    role: Role | Unknown | None = None
    code: Code | None = None
    target: Handler = field(default_factory=lambda: Handler(Handling.UNJUDGED))
    handler_path: str | None = None
    modules: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    triggers_complete: bool = True
    permissions: tuple[Permission, ...] = ()
    artifact: Artifact | None = None
    local_layers: tuple[Layer, ...] = ()
    layers_complete: bool = True
    evidence: Evidence = Evidence.TEMPLATE
    region: Value[str] | None = None
    container: Container | None = None
