"""Which words of an interface that asks for a report stand anywhere in a module."""

from dataclasses import dataclass
from typing import Final

from lambdalint.model.source import Source

#: Operations that report, and the steps of a rotation.
_WORDS: Final = (
    "put_job_success_result",
    "put_job_failure_result",
    "put_evaluations",
    "write_get_object_response",
    "put_lifecycle_event_hook_execution_status",
    "createSecret",
    "setSecret",
    "testSecret",
    "finishSecret",
)


@dataclass(frozen=True, slots=True)
class JobReports:
    """The words that a module mentions, however it comes to use them."""

    mentioned: frozenset[str] = frozenset()

    @classmethod
    def of(cls, source: Source) -> "JobReports":
        return cls(frozenset(word for word in _WORDS if word in source.text))
