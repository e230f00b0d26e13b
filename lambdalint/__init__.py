"""lambdalint understands a Lambda function whole: its code, its template and its artifact.

``check`` finds what will break, leak, stall or cost; ``fix`` mends what it can of it; ``package`` builds what runs.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambdalint.api import Fixes, check, fix, package
    from lambdalint.config import Config
    from lambdalint.engine.result import Result
    from lambdalint.errors import LambdalintError
    from lambdalint.model.finding import Finding

__version__ = "0.1.0"

__all__ = ["Config", "Finding", "Fixes", "LambdalintError", "Result", "__version__", "check", "fix", "package"]

_HOMES = {
    "Config": "lambdalint.config",
    "Finding": "lambdalint.model.finding",
    "Fixes": "lambdalint.api",
    "LambdalintError": "lambdalint.errors",
    "Result": "lambdalint.engine.result",
    "check": "lambdalint.api",
    "fix": "lambdalint.api",
    "package": "lambdalint.api",
}


def __getattr__(name: str) -> Any:
    """The public names, imported when they are asked for: ``lambdalint --version`` needs none of them."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
