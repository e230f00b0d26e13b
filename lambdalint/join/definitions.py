"""The integrations and authorizers in an OpenAPI definition of an API.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lambdalint.join.properties import properties_of, text_of
from lambdalint.model.places import Span
from lambdalint.model.values import Known, Properties, Property

_INTEGRATION = "x-amazon-apigateway-integration"
_AUTHORIZER = "x-amazon-apigateway-authorizer"


@dataclass(frozen=True, slots=True)
class Integration:
    """What one method of one path is connected to; *method* is in lower case.

    *proxy* says whether the response goes through as it is, ``None`` where that is unknown.
    """

    path: str
    method: str
    uri: Property | None
    settings: Properties
    span: Span
    proxy: bool | None
    payload_version: str | None


@dataclass(frozen=True, slots=True)
class Authorizer:
    """A function that decides who may call the API."""

    name: str
    uri: Property
    span: Span


def integrations(body: Property | None) -> Iterator[Integration]:
    """The integrations of a definition, with those that a condition may choose."""
    for path, methods in _entries(properties_of(body).get("paths")):
        for method, operation in _entries(methods):
            found = dict(_entries(operation)).get(_INTEGRATION)
            settings = dict(_entries(found))
            if found is None or not settings:
                continue
            kind = text_of(settings.get("type"))
            version = settings.get("payloadFormatVersion")
            yield Integration(
                path,
                method.lower(),
                settings.get("uri"),
                settings,
                found.span,
                None if kind is None else kind.lower() == "aws_proxy",
                str(version.value) if isinstance(version, Known) else None,
            )


def authorizers(body: Property | None) -> Iterator[Authorizer]:
    """The authorizers of a definition that are functions."""
    definition = properties_of(body)
    schemes = properties_of(definition.get("components")).get("securitySchemes")
    for listed in (definition.get("securityDefinitions"), schemes):
        for name, scheme in _entries(listed):
            authorizer = properties_of(properties_of(scheme).get(_AUTHORIZER))
            if "authorizerUri" in authorizer:
                yield Authorizer(name, authorizer["authorizerUri"], scheme.span)


def _entries(value: Property | None) -> Iterator[tuple[str, Property]]:
    """The entries of *value*, and of what a condition may put in its place."""
    if isinstance(value, Known):
        yield from properties_of(value).items()
    elif value is not None:
        for choice in value.choices:
            if choice is not None:
                yield from _entries(choice)
