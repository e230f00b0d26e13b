"""Which values Lambda's runtime client cannot turn into JSON.

The client serialises what a handler returns with simplejson: ``Decimal``, named tuples and whatever else has
``_asdict``, text and bytes in UTF-8, and subclasses of ``str``, ``int``, ``float``, ``dict``, ``list`` and ``tuple``
are fine; every other object is refused.  NaN and infinities are written as they are, which no JSON parser takes.

Source: https://github.com/aws/aws-lambda-python-runtime-interface-client, awslambdaric/lambda_runtime_marshaller.py
"""

import builtins
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from lambdalint.facts.expressions import NONE, CallOf, Collection, Either, Expression, Literal, Name, Opaque
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.project_names import ProjectNames
from lambdalint.facts.returns import Returns
from lambdalint.facts.symbols import Class, Symbols
from lambdalint.model.function import Function
from lambdalint.model.places import Span

#: What calling a qualified name gives.
RESULTS: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            "datetime.datetime",
            *(
                f"datetime.datetime.{method}"
                for method in (
                    "now",
                    "utcnow",
                    "today",
                    "fromtimestamp",
                    "utcfromtimestamp",
                    "fromisoformat",
                    "strptime",
                )
            ),
            "datetime.datetime.combine",
        ),
        "a datetime",
    ),
    **dict.fromkeys(
        ("datetime.date", "datetime.date.today", "datetime.date.fromisoformat", "datetime.date.fromtimestamp"), "a date"
    ),
    **dict.fromkeys(("datetime.time", "datetime.time.fromisoformat"), "a time"),
    "datetime.timedelta": "a timedelta",
    **dict.fromkeys(("uuid.UUID", "uuid.uuid1", "uuid.uuid3", "uuid.uuid4", "uuid.uuid5"), "a UUID"),
    "set": "a set",
    "frozenset": "a frozenset",
    "range": "a range",
    "map": "a map",
    "filter": "a filter",
    "zip": "a zip",
    "enumerate": "an enumerate",
    "reversed": "a reversed iterator",
    "iter": "an iterator",
    "object": "a plain object",
    "bytearray": "a bytearray",
    "memoryview": "a memoryview",
    "complex": "a complex number",
    **dict.fromkeys(("pathlib.Path", "pathlib.PurePath", "pathlib.PurePosixPath", "pathlib.PosixPath"), "a Path"),
    "re.compile": "a compiled pattern",
    "io.StringIO": "a StringIO",
    "io.BytesIO": "a BytesIO",
    "collections.deque": "a deque",
    "types.MappingProxyType": "a mappingproxy",
    "types.SimpleNamespace": "a SimpleNamespace",
    "dict.keys": "a dict view",
    "dict.values": "a dict view",
    "dict.items": "a dict view",
    **{
        name: "an exception"
        for name in dir(builtins)
        if isinstance(getattr(builtins, name), type) and issubclass(getattr(builtins, name), BaseException)
    },
}

#: Methods whose result is such a value again; others of these objects give text or numbers, or are not known.
_METHODS: Final[dict[str, dict[str, str]]] = {
    "a datetime": {
        "replace": "a datetime",
        "astimezone": "a datetime",
        "date": "a date",
        "time": "a time",
        "timetz": "a time",
        "utcoffset": "a timedelta",
    },
    "a date": {"replace": "a date"},
    "a set": dict.fromkeys(("union", "intersection", "difference", "symmetric_difference", "copy"), "a set"),
    "a Path": {"resolve": "a Path", "absolute": "a Path", "joinpath": "a Path"},
}
_ATTRIBUTES: Final = {"a Path": {"parent": "a Path"}}

#: What a thing with a qualified name is.
NAMES: Final[dict[str, str]] = {
    "os.environ": "os.environ, which is no dict",
    "datetime.timezone.utc": "a time zone",
    "datetime.UTC": "a time zone",
}

#: What the syntax of an expression gives.
KINDS: Final = {"generator": "a generator", "set": "a set"}

#: Values that are written as what is no JSON.
NOT_NUMBERS: Final = {
    **dict.fromkeys(("math.nan", "numpy.nan", "numpy.NaN", "cmath.nan"), "NaN"),
    **dict.fromkeys(("math.inf", "numpy.inf", "numpy.Inf"), "Infinity"),
}

#: Bases whose instances are serialised as the base is, or may be.
_ENUMS: Final = ("enum.Enum", "enum.Flag")
_OPAQUE_BASES: Final = ("object", "pydantic.BaseModel", "abc.ABC")
_SERIALISED_BY: Final = ("_asdict", "__getattr__", "__new__")
_MAX_DEPTH: Final = 12
_MAX_STEPS: Final = 2000


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value inside another: *keys* lead to it from the outside in, ``None`` for an element.

    *what* names it with its article; *invalid* says that it goes out, but as invalid JSON; *as_key* that it is the key
    of a dict.  *at* is the ``return`` of another
    function that it comes out of.
    """

    what: str
    keys: tuple[str | None, ...] = ()
    invalid: bool = False
    as_key: bool = False
    at: Span | None = None


class JsonValues:
    """Tells what of a value cannot become JSON, with names followed through the modules of a function."""

    def __init__(self, function: Function, symbols: PerModule[Symbols], returns: PerModule[Returns]) -> None:
        self._symbols = symbols
        self._returns = returns
        self._steps = 0
        self._names = ProjectNames(function.modules, symbols)

    def misfits(self, value: Expression, path: str) -> Iterator[Misfit]:
        """What of *value*, as described in the module at *path*, cannot; nothing where that is not certain."""
        self._steps = 0
        yield from self._misfits(value, path, (), 0)

    def _misfits(self, value: Expression, path: str, keys: tuple[str | None, ...], depth: int) -> Iterator[Misfit]:
        # Functions that return what others return fan out.
        self._steps += 1
        if depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            return
        match value:
            case Collection("dict", items, names, complete):
                if not complete and all(isinstance(key, Literal) for key in names):
                    return  # other code has it in hand as well, and may replace what is in it
                for key in dict.fromkeys(names):
                    what = self._key(key, path)
                    if what is not None:
                        yield Misfit(what, keys, as_key=True)
                # Of one key written twice the last value stays; one that is not known may be any.
                last: dict[Literal | int, Expression] = {}
                for place, (key, item) in enumerate(zip(names, items, strict=True)):
                    if isinstance(key, Literal):
                        last[key] = item
                    else:
                        last = {place: item}
                for at, item in last.items():
                    name = at.value if isinstance(at, Literal) and isinstance(at.value, str) else None
                    yield from self._misfits(item, path, (*keys, name), depth + 1)
            case Collection("list" | "tuple", items):
                for item in items:
                    yield from self._misfits(item, path, (*keys, None), depth + 1)
            case Either(options):
                # Names are not followed through time: what it was first may be replaced before it is returned.
                found = [list(self._misfits(option, path, keys, depth + 1)) for option in options if option != NONE]
                if found and all(found):
                    yield found[0][0]
            case CallOf(str(name)) if (called := self._called(name, path)) is not None:
                yield from self._returned(value, path, *called, keys, depth)
            case _:
                number = _not_a_number(value)
                if number is not None:
                    yield Misfit(number, keys, invalid=True)
                    return
                what = self._what(value, path)
                if what is not None:
                    yield Misfit(what, keys)

    def _called(self, name: str, path: str) -> tuple[str, str] | None:
        """The file and scope of the project's function that *name* is."""
        found = self._names.resolve(path, name)
        if found is None or found.path is None or not found.scope or found.is_class or found.is_instance:
            return None
        return found.path, found.scope

    def _returned(
        self,
        call: CallOf,
        caller: str,
        path: str,
        scope: str,
        keys: tuple[str | None, ...],
        depth: int,
    ) -> Iterator[Misfit]:
        """What a function of the project gives back, with the arguments of *call* filled in."""
        symbols, returns = self._symbols.get(path), self._returns.get(path)
        definition = None if symbols is None else symbols.definitions.get(scope)
        if definition is None or returns is None or not definition.keeps_signature:
            return
        if definition.is_deferred:
            yield Misfit("a coroutine" if definition.is_async else "a generator", keys)
            return
        # The names in an argument are those of the module that it stands in.
        given = {}
        if caller == path and not definition.is_method:
            given = {**dict(zip(definition.parameters, call.args, strict=False)), **call.keywords}
        for each in returns.get(scope):
            for misfit in self._misfits(each.filled(given), path, keys, depth + 1):
                yield replace(misfit, at=misfit.at or each.span)

    def _key(self, key: Expression, path: str) -> str | None:
        """What a key is, where simplejson takes no such key."""
        match key:
            case Collection("tuple"):
                return "a tuple"
            case CallOf("decimal.Decimal"):
                return "a Decimal"
            case _:
                return self._what(key, path)

    def _what(self, value: Expression, path: str) -> str | None:
        match value:
            case Collection("set") | Literal(complex()):
                return "a set" if isinstance(value, Collection) else "a complex number"
            case Opaque(_, kind):
                return KINDS.get(kind)
            case CallOf(str(name)):
                return self._result(name, path)
            case Name(name):
                return NAMES.get(name) or _attribute(name) or self._member(name, path)
            case _:
                return None

    def _result(self, name: str, path: str) -> str | None:
        """What calling *name* gives."""
        found = self._names.resolve(path, name)
        if found is None:
            return None
        if found.path is not None:
            return self._instance(found.path, found.scope, 0) if found.is_class else None
        if found.name.endswith(("Error", "Exception")):
            return "an exception"
        return RESULTS.get(found.name) or _method(found.name)

    def _instance(self, path: str, scope: str | None, depth: int) -> str | None:
        """What an instance of a project's class is, when nothing serialises it."""
        owner = self._names.class_at(path, scope or "")
        if owner is None or depth > _MAX_DEPTH or not self._is_opaque(path, owner, 0):
            return None
        name = owner.scope.rpartition(".")[2]
        return f"an instance of {name}"

    def _is_opaque(self, path: str, owner: Class, depth: int) -> bool:
        if owner.metaclass is not None or any(
            name in owner.methods or name in owner.attributes for name in _SERIALISED_BY
        ):
            return False
        if any(name not in ("dataclasses.dataclass", "functools.total_ordering") for name in owner.decorators):
            return False
        for base in owner.bases:
            found = None if base is None else self._names.resolve(path, base)
            if found is None or depth > _MAX_DEPTH:
                return False
            if found.path is not None and found.is_class:
                inner = self._names.class_at(found.path, found.scope or "")
                if inner is None or not self._is_opaque(found.path, inner, depth + 1):
                    return False
            elif found.name not in _OPAQUE_BASES and RESULTS.get(found.name) != "an exception":
                return False
        return True

    def _member(self, name: str, path: str) -> str | None:
        """Whether *name* is a member of a project's enumeration that is neither text nor a number."""
        of, _, member = name.rpartition(".")
        found = self._names.resolve(path, of) if of else None
        if found is None or found.path is None or not found.is_class:
            return None
        owner = self._names.class_at(found.path, found.scope or "")
        if owner is None or owner.bases not in tuple((base,) for base in _ENUMS) or member not in owner.attributes:
            return None
        if any(method in owner.methods for method in _SERIALISED_BY):
            return None
        return f"{owner.scope.rpartition('.')[2]}.{member}, a plain Enum,"


def _method(name: str) -> str | None:
    """What a method of an object gives: ``datetime.datetime.now().date``."""
    of, _, method = name.rpartition(".")
    if not of.endswith("()"):
        return None
    owner = RESULTS.get(of[:-2]) or _method(of[:-2])
    return _METHODS.get(owner, {}).get(method) if owner else None


def _attribute(name: str) -> str | None:
    of, _, attribute = name.rpartition(".")
    owner = RESULTS.get(of[:-2]) if of.endswith("()") else None
    return _ATTRIBUTES.get(owner, {}).get(attribute) if owner else None


def _not_a_number(value: Expression) -> str | None:
    match value:
        case Name(name):
            return NOT_NUMBERS.get(name)
        case Literal(float(number)) if not math.isfinite(number):
            return "NaN" if math.isnan(number) else "Infinity"
        case CallOf("float", (Literal(str(text)),)) if text.strip().lower().lstrip("+-") in ("nan", "inf", "infinity"):
            return "NaN" if "nan" in text.lower() else "Infinity"
        case _:
            return None
