"""For machines: a contract, published as ``schema.json`` beside this file."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from lambdalint.facts.import_frames import totals_ms
from lambdalint.reporters.inspection.document import Inspection
from lambdalint.reporters.json import document as check_document
from lambdalint.reporters.view import View

VERSION: Final = 1


def render(inspection: Inspection, view: View) -> str:
    """The whole inspection; it is all ASCII, so that it survives every terminal and shell."""
    return json.dumps(document(inspection), indent=2) + "\n"


def document(inspection: Inspection) -> Mapping[str, Any]:
    """The whole inspection as plain data."""
    titles = [part.title for part in inspection.parts]
    return {
        "version": VERSION,
        "artifact": {
            "path": inspection.path,
            "kind": inspection.kind,
            "name": inspection.name,
            "layer": inspection.layer,
            "runtime": inspection.runtime,
            "architecture": inspection.architecture,
            "handler": inspection.handler,
            "unpacked_bytes": inspection.unpacked_bytes,
            "packed_bytes": inspection.packed_bytes,
            "archive_bytes": inspection.archive_bytes,
            "sha256": inspection.sha256,
            "code_sha256": inspection.code_sha256,
        },
        "quotas": [asdict(quota) | {"share": round(quota.share, 4)} for quota in inspection.quotas],
        "distributions": [asdict(part) for part in inspection.parts],
        "files": [asdict(file) | {"part": titles[file.part]} for file in inspection.files],
        "natives": [asdict(native) | {"part": titles[native.part]} for native in inspection.natives],
        "bytecode": asdict(inspection.bytecode),
        "imports": _imports(inspection),
        "check": check_document(inspection.check),
    }


def _imports(inspection: Inspection) -> Mapping[str, Any] | None:
    times = inspection.imports
    if times is None:
        return None
    totals = totals_ms(times.frames)
    return {
        "measured": times.measured,
        "total_ms": round(sum(total for total, frame in zip(totals, times.frames, strict=True) if frame.parent < 0), 3),
        "frames": [
            asdict(frame) | {"total_ms": round(total, 3)} for frame, total in zip(times.frames, totals, strict=True)
        ],
    }
