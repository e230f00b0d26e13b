"""What the code of a function reaches for over the network: services of AWS, and hosts of the internet."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from lambdalint.facts.client_timeouts import CONFIGS
from lambdalint.facts.expressions import CallOf, Collection, Env, Expression, Joined, Literal, Name, text, text_prefix
from lambdalint.facts.guards import GuardKind
from lambdalint.facts.http_calls import Address, HttpCall, http_call
from lambdalint.facts.path_calls import PathCall, PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.project_names import ProjectNames
from lambdalint.facts.symbols import Symbols
from lambdalint.model.finding import Related
from lambdalint.model.function import Function
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Value

_CLIENT: Final = re.compile(
    r"(?:boto3|aioboto3|botocore|aiobotocore)(?:\.[\w.]+\(\))?\.(?P<kind>client|resource)\((?P<service>[a-z0-9-]+)\)\.(?P<rest>.+)"
)
_MAKERS: Final = re.compile(r"(?:boto3|aioboto3|botocore|aiobotocore)\b.*\.(?:client|resource|create_client)")

#: Methods of clients and resources that send nothing.  Those of an event system or of the exceptions do not either.
_OFFLINE: Final = frozenset(
    (
        "batch_writer",
        "can_paginate",
        "close",
        "generate_db_auth_token",
        "generate_db_connect_admin_auth_token",
        "generate_db_connect_auth_token",
        "generate_presigned_post",
        "generate_presigned_url",
        "get_available_subresources",
        "get_paginator",
        "get_waiter",
    )
)

#: Functions of Powertools that ask a service by themselves.
_ASKING: Final[Mapping[str, tuple[str, str]]] = {
    f"aws_lambda_powertools.utilities.parameters.{function}": need
    for function, need in {
        "get_secret": ("secretsmanager", "get_secret_value"),
        "set_secret": ("secretsmanager", "put_secret_value"),
        "get_parameter": ("ssm", "get_parameter"),
        "get_parameters": ("ssm", "get_parameters_by_path"),
        "get_parameters_by_name": ("ssm", "get_parameters"),
        "set_parameter": ("ssm", "put_parameter"),
        "get_app_config": ("appconfigdata", "get_latest_configuration"),
    }.items()
}

_URL: Final = re.compile(r"(?:https?|wss?)://(?:[^/?#@\s]*@)?(?P<host>[^/?#:@\s]+)(?P<end>[/?#:]|$)", re.IGNORECASE)
_NAME: Final = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")

#: Names that only a private network resolves, by RFC 6761, RFC 6762, RFC 8375, or by custom.
_PRIVATE_NAMES: Final = (
    ".internal",
    ".local",
    ".localhost",
    ".localdomain",
    ".lan",
    ".corp",
    ".home",
    ".intra",
    ".intranet",
    ".private",
    ".home.arpa",
    ".consul",
    ".test",
    ".invalid",
    ".example",
)
_AWS_NAMES: Final = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws", ".vpce.amazonaws.com")
_PUBLIC_AWS_NAMES: Final = re.compile(r"checkip\.amazonaws\.com|[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com")


@dataclass(frozen=True, slots=True)
class ServiceNeed:
    """A call of *operation* on the boto3 client or resource *client*; *way* leads to it from the handler."""

    client: str
    operation: str
    span: Span
    way: tuple[Related, ...] = ()


@dataclass(frozen=True, slots=True)
class HostNeed:
    """A call of *by* to a public *host*; *variable* is where the template gives the address."""

    host: str
    by: str
    span: Span
    way: tuple[Related, ...] = ()
    variable: Span | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """The services and hosts that the code calls, each at the first place that does, in the order of the places.

    Constructing a client, presigning and making tokens need no network.  A service that is given an ``endpoint_url``
    anywhere is left out, all are where a ``Config`` names a proxy, and so is every host that is private, or not known
    from code and template.
    """

    services: tuple[ServiceNeed, ...]
    hosts: tuple[HostNeed, ...]

    @classmethod
    def of(cls, function: Function, calls: PathCalls, symbols: PerModule[Symbols]) -> "Needs":
        certain = [call for call in calls.calls if not any(guard.kind is GuardKind.ENV for guard in call.call.guards)]
        texts = _Texts(function, ProjectNames(function.modules, symbols), symbols)
        services: dict[str, ServiceNeed] = {}
        for (client, operation), call in _services(function, certain, calls):
            if client not in services:
                services[client] = ServiceNeed(client, operation, call.call.span, calls.way(call))
        hosts: dict[str, HostNeed] = {}
        for host, variable, call in _hosts(certain, texts):
            if host not in hosts:
                hosts[host] = HostNeed(host, call.name or "", call.call.span, calls.way(call), variable)
        return cls(tuple(services.values()), tuple(hosts.values()))


def service_call(name: str) -> tuple[str, str] | None:
    """The boto3 client and the operation that a call of the qualified *name* asks; ``None`` when it sends nothing."""
    if name in _ASKING:
        return _ASKING[name]
    match = _CLIENT.fullmatch(name)
    if match is None:
        return None
    parts = [part.partition("(")[0] for part in match["rest"].split(".")]
    if parts[0] == "meta":
        if parts[1:2] != ["client"]:
            return None
        parts = parts[2:]
    method = parts[-1] if parts else ""
    if not method or not method[0].islower() or method in _OFFLINE or "exceptions" in parts or "events" in parts[:-1]:
        return None
    return match["service"], method


def _services(
    function: Function, certain: list[PathCall], calls: PathCalls
) -> Iterator[tuple[tuple[str, str], PathCall]]:
    if not isinstance(function.env, Known) or any(name.startswith("AWS_ENDPOINT_URL") for name in function.env.value):
        return
    elsewhere = {_made(call) for call in calls.calls if _is_made_elsewhere(call)}
    if None in elsewhere or any(call.name in CONFIGS and "proxies" in call.call.keywords for call in calls.calls):
        return
    for call in certain:
        need = service_call(call.name) if call.name else None
        if need and need[0] not in elsewhere:
            yield need, call


def _is_made_elsewhere(call: PathCall) -> bool:
    if call.name is None or not _MAKERS.fullmatch(call.name):
        return False
    endpoint = call.call.keywords.get("endpoint_url")
    return (endpoint is not None and endpoint != Literal(None)) or "**" in call.call.keywords


def _made(call: PathCall) -> str | None:
    name = call.call.argument(0, "service_name")
    return name.value if isinstance(name, Literal) and isinstance(name.value, str) else None


def _hosts(certain: list[PathCall], texts: "_Texts") -> Iterator[tuple[str, Span | None, PathCall]]:
    for call in certain:
        known = http_call(call.name) if call.name else None
        if known is None or "proxies" in call.call.keywords or "proxy" in call.call.keywords:
            continue
        address = call.call.argument(known.position, known.keyword)
        if address is None:
            continue
        found, variable = texts.host(call.path, address, known)
        if found and known.opener == "socket.socket" and not _NAME.fullmatch(found):
            continue  # a datagram socket is connected to some address to learn the own one, and sends nothing
        if found and is_public(found):
            yield found, variable, call


def is_public(host: str) -> bool:
    """Whether *host*, in lower case, is surely a name or address of the internet.

    Names of AWS are not, but for API Gateway: most of them are services, which have endpoints.
    """
    try:
        return ip_address(host).is_global
    except ValueError:
        pass
    if not _NAME.fullmatch(host) or host.endswith(_PRIVATE_NAMES):
        return False
    return _PUBLIC_AWS_NAMES.fullmatch(host) is not None or not host.endswith(_AWS_NAMES)


class _Texts:
    """Reads addresses: constants of other modules and variables of the template filled in."""

    def __init__(self, function: Function, names: ProjectNames, symbols: PerModule[Symbols]) -> None:
        self._env: Mapping[str, Value[Any]] | None = function.env.value if isinstance(function.env, Known) else None
        self._container = function.container
        self._names = names
        self._symbols = symbols
        self._variable: Span | None = None

    def host(self, path: str, address: Expression, known: HttpCall) -> tuple[str | None, Span | None]:
        """The host that *address*, as it stands in the module at *path*, surely names; and the variable it is from."""
        self._variable = None
        if known.address is Address.PAIR:
            first = address.get(0) if isinstance(address, Collection) else None
            if first is None:
                return None, None
            address = first
        filled = self._filled(path, address, 0)
        if known.address is Address.URL:
            start = text_prefix(filled)
            match = _URL.match(start)
            if match is None or (not match["end"] and text(filled) is None):
                return None, None
            found: str | None = match["host"]
        else:
            found = text(filled)
        return (found.lower().rstrip(".") if found else None), self._variable

    def _filled(self, path: str, expression: Expression, depth: int) -> Expression:
        if depth > 8:
            return expression
        match expression:
            case Joined(parts):
                return Joined(tuple(self._filled(path, part, depth + 1) for part in parts))
            case CallOf("urllib.request.Request" | "urllib.parse.urljoin" as callee, args, keywords):
                base = args[0] if args else keywords.get("url")
                if base is None:
                    return expression
                filled = self._filled(path, base, depth + 1)
                return Joined((filled, Literal("/"), expression)) if callee.endswith("urljoin") else filled
            case Env(name, default):
                return self._variable_value(name, default, expression)
            case Name(name):
                return self._constant(path, name, expression, depth)
            case _:
                return expression

    def _variable_value(self, name: str, default: Expression | None, expression: Expression) -> Expression:
        if self._env is None:
            return expression
        value = self._env.get(name)
        if value is None:
            image = self._container
            by_image = image is not None and (image.variables is None or name in image.variables)
            return default if default is not None and not by_image else expression
        if isinstance(value, Known) and isinstance(value.value, str):
            self._variable = value.span
            return Literal(value.value)
        return expression

    def _constant(self, path: str, name: str, expression: Expression, depth: int) -> Expression:
        absolute = self._names.absolute(path, name)
        module, _, constant = (absolute or "").rpartition(".")
        found = self._names.module(module)
        symbols = None if found is None else self._symbols.get(found)
        value = None if symbols is None else symbols.values.get(constant)
        return expression if value is None or found is None else self._filled(found, value, depth + 1)
