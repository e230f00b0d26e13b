"""Answering without a search: what is found is what uv finds, and what wants a search is left to it."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdalint.errors import Refused
from lambdalint.packager.fetch import Fetcher
from lambdalint.packager.host import Host
from lambdalint.packager.index import Indexes, IndexSettings
from lambdalint.packager.resolve import Question, resolve
from lambdalint.packager.straight import Begin, straight
from lambdalint.packager.target import target
from lambdalint.packager.uv import uv_binary
from lambdalint.packager.web import Web
from lambdalint.store import Store
from tests.fake_index import FakeIndex, Made, wheel

AIM = target("python3.11")
NAMES = ("a", "b", "c", "d")


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex() as served:
        yield served


def answer(
    index: FakeIndex, *wanted: str, limits: tuple[str, ...] = (), begin: Begin | None = None
) -> list[str] | None:
    indexes = Indexes(IndexSettings(index.url), Web({}, timeout_s=2))
    found = straight(wanted, limits, indexes, AIM, begin)
    return None if found is None else [str(each) for each in found]


def test_the_newest_of_everything_is_taken_where_it_fits_together(index: FakeIndex) -> None:
    index.add(wheel("app", "2", requires=["web[tls]>=1", "old; python_version < '3.9'"]), wheel("app", "3rc1"))
    index.add(wheel("web", "3", requires=["core<4", "tls; extra == 'tls'", "no; extra == 'no'"]))
    index.add(wheel("core", "3"), wheel("core", "4"), wheel("tls", "1", requires=["core>=2,<4"]), wheel("tls", "0"))
    assert answer(index, "app") == ["app==2", "core==3", "tls==1", "web==3"]
    assert answer(index, "app", limits=("tls<1", "unrelated<3")) == ["app==2", "core==3", "tls==0", "web==3"]
    assert not any(".tar" in path or path.endswith(".whl") for path in index.asked)


@pytest.mark.parametrize(
    "wanted",
    [
        ("app", "core<3"),  # known for all from the start, and uv has to say that nothing fits
        ("one", "other"),  # the order decides
        ("core>=4rc1",),
        ("core===3",),
        ("core @ https://example.com/core-1-py3-none-any.whl",),
        ("missing",),
        ("broken",),
        ("newer",),
        ("local",),
        ("odd",),
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_a_search(index: FakeIndex, wanted: tuple[str, ...]) -> None:
    index.add(wheel("core", "2"), wheel("core", "3"), wheel("core", "4rc1"))
    index.add(wheel("app", "1", requires=["core>=3"]), wheel("one", "1", requires=["core"]))
    index.add(wheel("other", "1", requires=["core<3"]), wheel("broken", "1", requires=["no requirement at all"]))
    index.add(wheel("newer", "1", requires_python=">=3.99"), wheel("local", "1+here"))
    index.add(wheel("odd", "1", requires=["core; sys_platform ~= 'x'"]))
    assert answer(index, *wanted) is None


def test_where_an_index_has_no_metadata_it_is_read_from_the_wheel(tmp_path: Path) -> None:
    with FakeIndex(html=True) as index:
        made = wheel("app", "1", requires=["core"])
        index.add(made, wheel("core", "1"))
        assert answer(index, "app") is None
        fetcher = Fetcher(Web({}, timeout_s=2), Host({}, Store(tmp_path / "cache"), 1), tmp_path)
        assert answer(index, "app", begin=fetcher.begin) == ["app==1", "core==1"]
        assert index.asked.count("/files/app-1-py3-none-any.whl") == 1
        index.add(Made("core-2-py3-none-any.whl", b"no ZIP"))
        assert answer(index, "app", begin=fetcher.begin) is None


def test_an_index_that_does_not_answer_is_an_error(index: FakeIndex) -> None:
    index.failing["simple"] = 403
    with pytest.raises(Refused, match="403"):
        answer(index, "app")


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Made], list[str]]:
    """A few distributions in a few versions that ask for each other, and what is wanted of them."""
    bounds = st.sampled_from(("", "", "", ">=2", "<3", "==2", "!=3", "<2"))
    files = []
    for place, name in enumerate(NAMES):
        for version in sorted(draw(st.sets(st.integers(1, 3), min_size=1))):
            others = draw(st.sets(st.sampled_from(NAMES[place + 1 :]), max_size=2)) if NAMES[place + 1 :] else set()
            files.append(wheel(name, str(version), requires=[f"{other}{draw(bounds)}" for other in sorted(others)]))
    wanted = draw(st.sets(st.sampled_from(NAMES), min_size=1, max_size=3))
    return files, [f"{name}{draw(bounds)}" for name in sorted(wanted)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_uv_finds_the_same(world: tuple[list[Made], list[str]]) -> None:
    files, wanted = world
    with FakeIndex() as index:
        index.add(*files)
        found = answer(index, *wanted)
        if found is None:
            return
        assert found == searched(index, wanted)


def searched(index: FakeIndex, wanted: list[str]) -> list[str]:
    """What uv says, asked for itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requirements.in")
        path.write_text("\n".join(wanted))
        options = (
            "--no-config",
            "--no-cache",
            "--no-header",
            "--no-annotate",
            "--python-version",
            "3.11.13",
            "--python",
        )
        command = [
            uv_binary(),
            "pip",
            "compile",
            str(path),
            "-q",
            "--default-index",
            index.url,
            *options,
            sys.executable,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return sorted(line for line in done.stdout.splitlines() if line)


def test_a_search_follows_where_there_is_no_straight_answer(index: FakeIndex) -> None:
    index.add(wheel("one", "1", requires=["core"]), wheel("other", "1", requires=["core<3"]))
    index.add(wheel("core", "2"), wheel("core", "3"))
    indexes = Indexes(IndexSettings(index.url), Web({}, timeout_s=2))
    pins = resolve(Question(("one", "other")), indexes, AIM, Host({}, Store(None), 1)).pins
    assert [f"{pin.name} {pin.version}" for pin in pins] == ["core 2", "one 1", "other 1"]
