"""How long clients wait by default, and where their constructors take a timeout: a table held against the libraries."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

#: What ``default_s`` is in the table where a client waits for ever.
_NEVER = "never"


@dataclass(frozen=True, slots=True)
class Client:
    """What calling *name* makes waits *default_s* seconds for the other side, ``None`` for ever.

    *keyword* and *position* say where it takes another bound, of which *per_second* make a second; both are ``None``
    where it takes none.  *connects*: the call itself waits already, if it has the *address* to wait for, which, with
    *text*, may hold all settings.  *retries* names the argument for the attempts after the first, *further* how many
    there are without it.
    """

    name: str
    keyword: str | None
    position: int | None
    per_second: int
    default_s: float | None
    connects: bool
    address: tuple[int, str] | None
    text: bool
    socket_default: bool
    retries: str | None
    further: int
    library: str | None
    #: Whether other releases have another default.
    varies: bool


def client(name: str) -> Client | None:
    """The client that calling *name* makes; ``None`` when it is not in the table."""
    return clients().get(name)


def library_default_s(library: str) -> float | None:
    """How long a call of that library in :mod:`~lambdalint.facts.http_calls` waits; ``None`` for ever."""
    return next(each.default_s for each in clients().values() if each.library == library)


@cache
def clients() -> Mapping[str, Client]:
    """All of them, by each of their names."""
    import tomli

    rows = tomli.loads((files("lambdalint.facts") / "clients.toml").read_text(encoding="utf-8"))
    return {
        called: Client(
            name,
            row.get("keyword"),
            row.get("position"),
            1000 if row.get("unit") == "ms" else 1,
            None if row["default_s"] == _NEVER else float(row["default_s"]),
            row["connects"],
            tuple(row["address"]) if "address" in row else None,
            row.get("text", False),
            row.get("socket_default", False),
            row.get("retries"),
            row.get("retries_default", 0),
            row.get("library"),
            row.get("varies", False),
        )
        for name, row in rows.items()
        for called in (name, *row.get("also", ()))
    }
