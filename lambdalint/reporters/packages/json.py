"""For machines: a contract, published as ``schema.json`` beside this file."""

import json
from dataclasses import asdict
from typing import Any, Final

from lambdalint.reporters.comparison.json import document as document_of_comparison
from lambdalint.reporters.json import document as document_of_check
from lambdalint.reporters.packages.document import Package, Packaging, Verification
from lambdalint.reporters.view import View

VERSION: Final = 1


def render(packaging: Packaging, view: View) -> str:
    """All that was done; it is all ASCII, so that it survives every terminal and shell."""
    return json.dumps(document(packaging), indent=2) + "\n"


def document(packaging: Packaging) -> dict[str, Any]:
    """All that was done as plain data."""
    check = document_of_check(packaging.check)
    return {
        "version": VERSION,
        "packages": [_package(package) for package in packaging.packages],
        "skipped": [{"name": name, "reason": reason} for name, reason in packaging.skipped],
        "templates": [
            {"path": each.path, "state": "written" if each.written else "withheld", "notes": list(each.asides)}
            for each in packaging.templates
        ],
        "findings": check["findings"],
        "errors": check["errors"],
        "notes": check["notes"],
        "seconds": round(packaging.seconds, 3),
    }


def _package(package: Package) -> dict[str, Any]:
    written = package.sha256 is not None
    return {
        "name": package.name,
        "kind": package.kind,
        "state": "written" if written else "refused" if package.refused else "planned",
        "path": package.path,
        "manifest": package.manifest if written else None,
        "sbom": package.sbom,
        "runtime": package.runtime,
        "architecture": package.architecture,
        "handler": package.handler,
        "sha256": package.sha256 if package.is_file else None,
        "sha256_base64": package.sha256_base64 if package.is_file else None,
        "tree_sha256": package.tree_sha256,
        "image": {"digest": package.image_digest, "uri": package.image_uri} if package.kind == "image" else None,
        "files": package.files,
        "packed_bytes": None if package.kind == "dir" else package.packed_bytes,
        "unpacked_bytes": package.unpacked_bytes,
        "functions": list(package.functions),
        "parts": [asdict(part) for part in package.parts],
        "notes": list(package.asides),
        "verification": _verification(package.verification) if package.verification else None,
    }


def _verification(found: Verification) -> dict[str, Any]:
    return {
        "identical": found.is_identical,
        "comparison": document_of_comparison(found.comparison) if found.comparison else None,
        "differences": list(found.differences),
    }
