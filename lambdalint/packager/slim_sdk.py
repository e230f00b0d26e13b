"""botocore without the models of services that no code makes a client of.

Which clients are made is read off the calls in the code that the handler leads to.  Where a single one does not say its
service, nothing is left out.  Who asks for another service all the same gets botocore's own ``UnknownServiceError``,
whose list of services names the reason: a folder beside the models that are kept carries it, and no code is changed.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

from lambdalint.packager.contents import Contents
from lambdalint.packager.plan import SOURCE
from lambdalint.packager.reached import Reading

_DATA: Final = "botocore/data/"
#: What botocore itself makes clients of, for credentials.
_OWN_SERVICES: Final = frozenset(("sts", "sso", "sso-oidc", "signin"))
_SDK: Final = frozenset(("boto3", "botocore", "s3transfer", "awscrt"))
_MAKERS: Final = frozenset(("client", "resource", "create_client", "create_resource"))
_MAKES: Final = re.compile(rb"\b(?:client|resource|create_client|create_resource)\b")
_GUARD: Final = f"{_DATA}others-left-out-by-lambdalint-package---slim-sdk/1/service-2.json"
_REASON: Final = "the model of a service that no code makes a client of"


def slim(contents: Contents, reading: Reading, handler: str | None) -> str | None:
    """Leave out models; what became of it, in words, ``None`` where there is no botocore."""
    models: dict[str, list[str]] = {}
    for path, entry in contents.entries.items():
        if path.startswith(_DATA) and path.count("/") > 2 and entry.origin != SOURCE:
            models.setdefault(path.split("/")[2], []).append(path)
    if not models:
        return None
    found = reading.reached(handler)
    paths = sorted(path for path in found.deferred.union(found.init) if path.endswith(".py"))
    paths = [path for path in paths if path.partition("/")[0] not in _SDK]
    services: set[str] = set()
    for path in paths:
        text = contents.entries[path].member.read()
        is_own = contents.entries[path].origin == SOURCE
        if not _MAKES.search(text) or not (is_own or b"boto" in text):
            continue
        for service, line in _services(text):
            if service is None:
                return (
                    f"no model of the SDK is left out: {path}:{line} makes a client whose service only shows as it runs"
                )
            services.add(service)
    used = services & models.keys()
    if not used:
        return "no model of the SDK is left out: no code says which clients it makes"
    useless = [path for service, listed in models.items() if service not in used | _OWN_SERVICES for path in listed]
    origin = contents.entries[useless[0]].origin if useless else None
    if origin is None:
        return None
    won = sum(contents.entries[path].member.size for path in useless)
    contents.remove(dict.fromkeys(useless, _REASON))
    contents.add(_GUARD, b"{}\n", origin)
    return f"the SDK knows {', '.join(sorted(used | _OWN_SERVICES))} alone, which wins {won / 1_000_000:.1f} MB"


def _services(text: bytes) -> Iterator[tuple[str | None, int]]:
    """The services that clients are made of, with their lines; ``None`` where one may be any."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield None, 1
        return
    makers = _imported_makers(tree)
    constants = _constants(tree)
    called: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) as func) if name in _MAKERS:
                called.add(id(func))
                yield from _argument(node, constants)
            case ast.Call(func=ast.Name(id=name) as func) if name in makers:
                called.add(id(func))
                yield from _argument(node, constants)
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=name), *_]) if name in _MAKERS:
                yield None, node.lineno
            case ast.Attribute(value=ast.Name(id="boto3"), attr=name) if name in _MAKERS and id(node) not in called:
                yield None, node.lineno
            case ast.Name(id=name, ctx=ast.Load()) if name in makers and id(node) not in called:
                yield None, node.lineno


def _argument(call: ast.Call, constants: dict[str, str]) -> Iterator[tuple[str | None, int]]:
    named = [each.value for each in call.keywords if each.arg == "service_name"]
    if not call.args and not named:
        # Of a method without arguments nobody makes a client; with ``**`` one may.
        if any(each.arg is None for each in call.keywords):
            yield None, call.lineno
        return
    for service in _texts(call.args[0] if call.args else named[0], constants):
        yield service, call.lineno


def _texts(value: ast.expr, constants: dict[str, str]) -> Iterable[str | None]:
    match value:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Name(id=name) if name in constants:
            return [constants[name]]
        case ast.IfExp(body=body, orelse=other):
            return [*_texts(body, constants), *_texts(other, constants)]
        case _:
            return [None]


def _imported_makers(tree: ast.Module) -> set[str]:
    """The names under which ``boto3.client`` and the like are imported."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("boto3", "boto3.session")
        for alias in node.names
        if alias.name in _MAKERS
    }


def _constants(tree: ast.Module) -> dict[str, str]:
    """Names of the module that are given a text, once and nothing else."""
    bound = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    bound += [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]
    found = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))) if bound.count(name) == 1:
                found[name] = text
    return found
