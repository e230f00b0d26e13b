"""For people in a browser: one page that needs nothing else, with a treemap, a flame graph of imports and the findings.

Everything that an artifact says is escaped, here or by ``textContent``, and the page may run only its own script.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from typing import Final

from lambdalint.engine.result import Result
from lambdalint.facts.import_frames import totals_ms
from lambdalint.model.finding import Finding, Severity
from lambdalint.reporters.inspection.document import Inspection, Native, Part, Quota
from lambdalint.reporters.inspection.text import NEARLY, bytecode_state, system_needs
from lambdalint.reporters.view import View
from lambdalint.reporters.visible import visible
from lambdalint.reporters.wording import conclusion, counted, listed, place, severities, size, untold_failures

_KINDS: Final = ("python", "native", "bytecode", "data", "metadata")
_REACHED: Final = {None: 0, "init": 1, "later": 2, "never": 3}
#: Rows of a table; more are read by nobody.
_ROWS: Final = 300


def render(inspection: Inspection, view: View) -> str:
    """The whole page."""
    style, script = _resource("page.css"), _resource("page.js")
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    title = f"{visible(inspection.path)} · lambdalint"
    body = "\n".join((*_header(inspection), *_cards(inspection), *_sections(inspection)))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
<footer>made by lambdalint</footer>
</main>
<script type="application/json" id="data">{_data(inspection)}</script>
<script>{script}</script>
</body>
</html>
"""


def _resource(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """How a policy names the one inline element that holds *text*."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _text(text: object) -> str:
    return escape(visible(str(text)))


def _data(inspection: Inspection) -> str:
    """What the script draws, in a form that cannot end the element it stands in."""
    indices = {file.path: index for index, file in enumerate(inspection.files)}
    times = inspection.imports
    document = {
        "name": visible(inspection.name),
        "packed": inspection.packed_bytes is not None,
        "kinds": _KINDS,
        "parts": [visible(part.title) for part in inspection.parts],
        "files": [
            [
                visible(file.path),
                file.size,
                file.packed_bytes or 0,
                file.part,
                _KINDS.index(file.kind),
                _REACHED[file.reached],
                indices.get(file.imported_by or "", -1),
            ]
            for file in inspection.files
        ],
        "frames": [[visible(each.name), each.parent, each.self_ms] for each in times.frames] if times else [],
    }
    text = json.dumps(document, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _header(inspection: Inspection) -> Iterator[str]:
    chips = [inspection.runtime, inspection.architecture, inspection.handler]
    about = "".join(f'<li class="chip"><b>{_text(each)}</b></li>' for each in chips if each)
    if inspection.code_sha256:
        about += f'<li class="chip">CodeSha256 <b class="mono">{_text(inspection.code_sha256)}</b></li>'
    kind = "Layer" if inspection.layer else "Function"
    heading = f'<p class="eyebrow">{kind}</p><h1>{_text(inspection.path)}</h1>'
    yield f'<header>{heading}<ul class="about">{about}</ul></header>'


def _cards(inspection: Inspection) -> Iterator[str]:
    yield '<div class="cards">'
    yield from map(_quota, inspection.quotas)
    distributions = sum(part.version is not None for part in inspection.parts)
    yield _card("files", f"{len(inspection.files):,}", f"of {counted(distributions, 'distribution')}")
    alien = sum(native.runs is False for native in inspection.natives)
    if inspection.natives:
        needs = system_needs(inspection)
        note = f"{alien:,} cannot be loaded" if alien else f"needs {needs[0]}" if needs else ""
        yield _card("native files", f"{len(inspection.natives):,}", note, "bad" if alien else "")
    bytecode = inspection.bytecode
    if bytecode.sources:
        ready, all_of_them = bytecode.usable or 0, bytecode.sources
        if bytecode.init_usable is not None and bytecode.init_sources:
            ready, all_of_them = bytecode.init_usable, bytecode.init_sources
        elif bytecode.usable is None:
            ready = min(bytecode.files, bytecode.sources)
        share = ready / all_of_them
        yield _card(
            "bytecode at init" if bytecode.init_usable is not None else "bytecode",
            f"{share:.0%}",
            bytecode_state(bytecode),
            "warn" if share < NEARLY else "",
        )
    if inspection.imports:
        frames = inspection.imports.frames
        whole = sum(total for total, each in zip(totals_ms(frames), frames, strict=True) if each.parent < 0)
        how = "measured" if inspection.imports.measured else "estimated, with one vCPU"
        yield _card("imports at init", f"{whole:,.0f} ms", f"{counted(len(frames), 'module')}, {how}")
    summary = inspection.check.summary
    tone = "bad" if summary.errors else "warn" if summary.warnings else "" if summary.infos else "good"
    found = len(inspection.check.findings)
    yield _card("findings", f"{found:,}" if found else "none", severities(inspection.check), tone)
    yield "</div>"


def _card(label: str, value: str, note: str = "", tone: str = "") -> str:
    return (
        f'<div class="card"><p class="label">{_text(label)}</p>'
        f'<p class="value {tone}">{_text(value)}</p><p class="note">{_text(note)}</p></div>'
    )


def _quota(quota: Quota) -> str:
    tone = "bad" if quota.share > 1 else "warn" if quota.share >= NEARLY else ""
    note = f"{quota.share:.0%} of {size(quota.max_bytes)}"
    return (
        f'<div class="card"><p class="label">{_text(quota.name)}</p>'
        f'<p class="value {tone}">{size(quota.used_bytes)}</p>'
        f'{_bar(quota.share, tone)}<p class="note">{note}</p></div>'
    )


def _bar(share: float, tone: str = "") -> str:
    width = round(min(max(share, 0.0), 1.0) * 100, 2)
    return (
        f'<svg class="bar {tone}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width}" height="6"/></svg>'
    )


def _sections(inspection: Inspection) -> Iterator[str]:
    yield _treemap(inspection)
    if inspection.imports:
        yield _flame(inspection.imports.measured)
    yield _findings(inspection.check)
    yield _section("Distributions", _table(_PART_HEADS, (_part(each, inspection) for each in inspection.parts[:_ROWS])))
    if inspection.natives:
        rows = (_native(each, inspection) for each in inspection.natives[:_ROWS])
        needs = system_needs(inspection)
        aside = f"needs {listed(needs)}" if needs else ""
        yield _section("Native code", _table(_NATIVE_HEADS, rows), aside)


def _section(title: str, content: str, aside: str = "", tools: str = "") -> str:
    beside = f'<p class="aside">{_text(aside)}</p>' if aside else ""
    tools = f'<div class="tools">{tools}</div>' if tools else ""
    return f'<section><div class="head"><h2>{_text(title)}</h2>{beside}{tools}</div>{content}</section>'


def _treemap(inspection: Inspection) -> str:
    tools = ""
    if any(file.reached for file in inspection.files):
        tools += _switch("treemap-colour", "Colour", (("kind", "by kind"), ("reached", "by imports")))
    if inspection.packed_bytes is not None:
        tools += _switch("treemap-measure", "Size", (("0", "unpacked"), ("1", "packed")))
    content = (
        '<nav class="crumbs" id="treemap-crumbs" aria-label="Where the map is"></nav>'
        '<div class="stage" id="treemap" role="group" aria-label="Map of the artifact: Enter goes into a folder, '
        'Escape out of it, arrows go on"></div>'
        '<p class="legend" id="treemap-legend"></p><p class="detail" id="treemap-detail" role="status"></p>'
        "<noscript>The map is drawn by a script; the tables below need none.</noscript>"
    )
    return _section("What it is made of", content, "", tools)


def _switch(name: str, label: str, choices: Iterable[tuple[str, str]]) -> str:
    buttons = "".join(
        f'<button type="button" value="{value}" aria-pressed="{str(not index).lower()}">{text}</button>'
        for index, (value, text) in enumerate(choices)
    )
    return f'<div class="switch" id="{name}" role="group" aria-label="{label}">{buttons}</div>'


def _flame(measured: bool) -> str:
    aside = "measured by a boot" if measured else "estimated from sizes and a table of measured packages"
    content = (
        '<div class="stage" id="flame" role="group" aria-label="Import times: Enter goes into a module, Escape out of '
        'it, arrows go on"></div><p class="detail" id="flame-detail" role="status"></p>'
    )
    return _section("What importing the handler takes", content, aside)


def _table(heads: Iterable[tuple[str, str]], rows: Iterable[str], look: str = "") -> str:
    head = "".join(f'<th scope="col" class="{name}">{_text(text)}</th>' for text, name in heads)
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="scroll" tabindex="0"><table class="{look}">{body}</table></div>'


_PART_HEADS: Final = (
    ("Distribution", ""),
    ("Unpacked", "number"),
    ("", "share"),
    ("Packed", "number"),
    ("Files", "number"),
    ("Why it is there", ""),
)


def _part(part: Part, inspection: Inspection) -> str:
    share = part.unpacked_bytes / inspection.unpacked_bytes if inspection.unpacked_bytes else 0.0
    packed = "" if part.packed_bytes is None else size(part.packed_bytes)
    reasons = [f"required by {', '.join(map(_text, part.required_by))}"] if part.required_by else []
    if part.imported_by:
        reasons.append(f'imported by <span class="mono">{_text(part.imported_by)}</span>')
    version = f"<small>{_text(part.version)}</small>" if part.version else ""
    return (
        f'<tr><td class="title">{_text(part.name)}{version}</td><td class="number">{size(part.unpacked_bytes)}</td>'
        f'<td class="share">{_bar(share)}</td><td class="number">{packed}</td><td class="number">{part.files:,}</td>'
        f'<td class="wide">{"<br>".join(reasons)}</td></tr>'
    )


_NATIVE_HEADS: Final = (
    ("File", ""),
    ("Size", "number"),
    ("Made for", ""),
    ("glibc", "number"),
    ("libstdc++", "number"),
    ("Python", ""),
    ("", ""),
)


def _native(native: Native, inspection: Inspection) -> str:
    verdict = ""
    if native.runs is not None:
        tone, word = ("good", "runs") if native.runs else ("error", "cannot be loaded")
        verdict = f'<span class="badge {tone}">{word}</span>'
    if native.unreadable:
        verdict = f'<span class="badge error">{_text(native.unreadable)}</span>'
    part = _text(inspection.parts[native.part].title)
    return (
        f'<tr><td class="wide"><span class="mono">{_text(native.path)}</span><small>{part}</small></td>'
        f'<td class="number">{size(native.size)}</td><td>{_text(native.system)} {_text("+".join(native.machines))}</td>'
        f'<td class="number">{_text(native.glibc or "")}</td><td class="number">{_text(native.glibcxx or "")}</td>'
        f"<td>{_text(native.abi or '')}</td><td>{verdict}</td></tr>"
    )


_FINDING_HEADS: Final = (("", ""), ("Rule", ""), ("Finding", ""))


def _findings(result: Result) -> str:
    worst_first = sorted(result.findings, key=lambda finding: finding.severity.rank)[:_ROWS]
    rows = [_finding(finding, result) for finding in worst_first]
    failed = '<tr><td><span class="badge error">failed</span></td><td></td><td class="wide">'
    rows += [f"{failed}{_text(failure.message)}</td></tr>" for failure in untold_failures(result)]
    said = conclusion(result)[0]
    notes = "".join(f'<p class="empty">{_text(note)}</p>' for note in result.notes)
    content = _table(_FINDING_HEADS, rows, "stack") if rows else '<p class="empty">Nothing was found.</p>'
    return _section("Findings", content + notes, said)


def _finding(finding: Finding, result: Result) -> str:
    tone = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}[finding.severity]
    name = _text(finding.name)
    if finding.url and finding.url.startswith("https://"):
        name = f'<a href="{escape(finding.url)}" rel="noreferrer noopener">{name}</a>'
    hint = f"<small>{_text(finding.hint)}</small>" if finding.hint else ""
    where = f'<small class="mono">{_text(place(result, finding.at))}</small>'
    return (
        f'<tr><td><span class="badge {tone}">{tone}</span></td>'
        f'<td class="title">{name}<small>{_text(finding.code)}</small></td>'
        f'<td class="wide">{_text(finding.message)}{hint}{where}</td></tr>'
    )
