"""What a project wants of its functions, beyond what AWS asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

DEFAULT_GROWTH: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the configuration says to rules.

    *layer_accounts* are those whose layers are trusted, *published_layers* the project's own layers that are for
    everybody.  *sizes* are unpacked bytes by the name of a package, from which it may grow by the share *max_growth*.
    """

    layer_accounts: tuple[str, ...] = ()
    published_layers: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    max_growth: float = DEFAULT_GROWTH
