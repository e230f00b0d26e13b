"""The page that ``inspect`` makes, opened in a browser that nobody here wrote."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from lambdalint.cli import main
from tests.made_up_artifacts import APP, FUNCTION, archive

KNOWN = ("--runtime", "python3.13", "--architecture", "x86_64", "--handler", "app.handler")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class Page(HTMLParser):
    """Elements of a page by what the tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def cells(self) -> list[str]:
        """What the cells of the map and of the flame graph are called."""
        return [attrs["aria-label"] or "" for tag, attrs in self.tags if "cell" in (attrs.get("class") or "").split()]


def page(folder: Path, *arguments: str) -> Path:
    target = folder / "page.html"
    CliRunner().invoke(main, ["inspect", *arguments, "--output-format", "html", "--output", str(target)])
    return target


def opened(path: Path) -> tuple[Page, str]:
    """The page as the browser has it after the script ran, and what the browser complained of."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert browser, f"this test needs a browser: one of {', '.join(BROWSERS)}, as apt-get install chromium gives"
    done = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--window-size=1200,900",
            f"--user-data-dir={path.parent / 'profile'}",
            "--virtual-time-budget=4000",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        check=True,
        timeout=120,
    )
    complaints = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
    return Page(done.stdout.decode()), "\n".join(complaints)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.zip").write_bytes(archive(FUNCTION))
    return tmp_path


def test_a_browser_draws_the_map_and_the_imports(made: Path) -> None:
    found, complaints = opened(page(made, "orders.zip", *KNOWN))
    assert complaints == ""
    cells = found.cells()
    for name in ("numpty 1.0", "shapely 2.1", "core.cpython-313-x86_64-linux-gnu.so"):
        assert any(cell.startswith(f"{name}, ") for cell in cells), name
    assert any(re.fullmatch(r"app, [\d.]+ ms", cell) for cell in cells)


def test_the_page_needs_nothing_else_and_allows_nothing_else(made: Path) -> None:
    text = page(made, "orders.zip", *KNOWN).read_text(encoding="utf-8")
    found = Page(text)
    assert not [attrs for tag, attrs in found.tags if "src" in attrs or tag in ("link", "img", "iframe", "object")]
    assert not [attrs for _, attrs in found.tags for name in attrs if name.startswith("on") or name == "style"]
    policies = [attrs["content"] for _, attrs in found.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert [policy and policy.startswith("default-src 'none';") for policy in policies] == [True]
    assert "unsafe" not in (policies[0] or "")
    assert "url(" not in text
    assert "@import" not in text


def test_names_that_browsers_obey_are_only_text(made: Path) -> None:
    evil = "<img src=x onerror=document.title=1>"
    names = {
        f"{evil}.py": APP,
        "</script><script>document.title=2<": APP,
        "<!--<script>": APP,
        "'\"&amp;.so": FUNCTION["numpty/core.cpython-313-x86_64-linux-gnu.so"],
        "b\u202e\u2028\x1b.py": APP,
    }
    (made / "<b>.zip").write_bytes(archive(names))
    path = page(made, "<b>.zip", "--architecture", "arm64")
    found, complaints = opened(path)
    assert complaints == ""
    assert not [attrs for tag, attrs in found.tags if tag == "img"]
    assert len([tag for tag, _ in found.tags if tag == "script"]) == 2
    assert any(cell.startswith(evil) for cell in found.cells())
    assert "\u202e" not in path.read_text(encoding="utf-8")


def test_an_empty_artifact_has_a_page_as_well(made: Path) -> None:
    (made / "empty.zip").write_bytes(archive({}))
    found, complaints = opened(page(made, "empty.zip"))
    assert complaints == ""
    assert found.cells() == []
