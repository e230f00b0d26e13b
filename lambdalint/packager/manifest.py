"""What is in a package and where it came from, as the JSON that lies beside it.

Nothing in it depends on the machine, the user or the time, so the same plan gives the same manifest.
"""

import base64
import json
import posixpath
from dataclasses import asdict
from typing import Any, Final

from lambdalint.packager.plan import Plan

VERSION: Final = 1

#: What is a list of files.
_LISTS: Final = ("removed", "changed", "entries")


def manifest(plan: Plan, *, sha256: bytes | None, packed_bytes: int | None) -> dict[str, Any]:
    """The manifest of what is written from *plan*, with its digest and size, ``None`` where it is no single file."""
    return {
        "version": VERSION,
        "name": plan.name,
        "kind": plan.kind.value,
        "runtime": plan.target.runtime,
        "architecture": plan.target.architecture,
        "handler": plan.handler,
        "sha256": sha256.hex() if sha256 else None,
        "sha256_base64": base64.b64encode(sha256).decode() if sha256 else None,
        "tree_sha256": plan.tree_sha256,
        "packed_bytes": packed_bytes,
        "unpacked_bytes": plan.unpacked_bytes,
        "compressor": plan.compressor,
        "source_date_epoch": plan.epoch,
        "bytecode_compiler": plan.compiler and f"CPython {plan.compiler}",
        "inputs": [{"path": _seen_from_template(given.path, plan), "sha256": given.sha256} for given in plan.inputs],
        "distributions": [asdict(distribution) for distribution in plan.distributions],
        "notes": list(plan.notes),
        "removed": _losses(plan, removed=True),
        "changed": _losses(plan, removed=False),
        "entries": [
            {
                "path": entry.path,
                "size": entry.member.size,
                "packed": len(entry.member.packed),
                "sha256": entry.member.sha256,
                "mode": f"{entry.mode:04o}",
                "origin": entry.origin,
            }
            for entry in plan.entries
        ],
    }


def _seen_from_template(path: str, plan: Plan) -> str:
    """*path* from the folder of the template: another root is only where somebody was when they asked."""
    return path if plan.source is None else posixpath.relpath(path, posixpath.dirname(plan.source.path) or ".")


def _losses(plan: Plan, *, removed: bool) -> list[dict[str, Any]]:
    """What was left out, or made shorter, of what distributions and the project have."""
    return [
        {"path": loss.path, "origin": origin, "bytes": loss.won_bytes, "reason": loss.reason}
        for origin, losses in sorted(plan.losses.items())
        for loss in sorted(losses, key=lambda loss: loss.path)
        if loss.is_removed is removed
    ]


def rendered(document: dict[str, Any]) -> bytes:
    """The manifest as it is written: readable, one file a line."""
    rest = {key: value for key, value in document.items() if key not in _LISTS}
    text = json.dumps(rest, indent=2, ensure_ascii=False)[:-2]
    for name in _LISTS:
        rows = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in document[name])
        text += f',\n  "{name}": [\n{rows}\n  ]' if rows else f',\n  "{name}": []'
    return f"{text}\n}}\n".encode("utf-8", "surrogateescape")
