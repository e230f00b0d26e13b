"""The few colours of the terminal that we use, by what they mean."""

from dataclasses import dataclass
from typing import Final

from lambdalint.model.finding import Severity

_RESET: Final = "\x1b[0m"
_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"
_BOLD_RED: Final = "\x1b[1;31m"
_BOLD_GREEN: Final = "\x1b[1;32m"
_BOLD_YELLOW: Final = "\x1b[1;33m"
_BOLD_BLUE: Final = "\x1b[1;34m"
_BOLD_CYAN: Final = "\x1b[1;36m"

_OF_SEVERITY: Final = {Severity.ERROR: _BOLD_RED, Severity.WARNING: _BOLD_YELLOW, Severity.INFO: _BOLD_CYAN}


@dataclass(frozen=True, slots=True)
class Style:
    """Paints text, or leaves it as it is when colours are off."""

    on: bool

    def severity(self, severity: Severity, text: str) -> str:
        return self._painted(_OF_SEVERITY[severity], text)

    def strong(self, text: str) -> str:
        return self._painted(_BOLD, text)

    def faint(self, text: str) -> str:
        return self._painted(_DIM, text)

    def gutter(self, text: str) -> str:
        return self._painted(_BOLD_BLUE, text)

    def hint(self, text: str) -> str:
        return self._painted(_BOLD_CYAN, text)

    def bad(self, text: str) -> str:
        return self._painted(_BOLD_RED, text)

    def good(self, text: str) -> str:
        return self._painted(_BOLD_GREEN, text)

    def _painted(self, code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if self.on and text else text
