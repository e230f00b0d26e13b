"""Choosing versions and files for a target, against an index of our own."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lambdalint.errors import Refused
from lambdalint.packager.choice import Pin, best
from lambdalint.packager.fetch import Fetcher
from lambdalint.packager.host import Host, silent
from lambdalint.packager.index import Indexes, IndexSettings
from lambdalint.packager.resolve import Answer, Question, resolve
from lambdalint.packager.target import target
from lambdalint.packager.web import Web
from lambdalint.store import Store
from tests.fake_index import FakeIndex, Made, sdist, wheel


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex() as served:
        yield served


def native(name: str, version: str, *platforms: str, python: str = "cp311", abi: str | None = None) -> list[Made]:
    return [wheel(name, version, f"{python}-{abi or python}-{platform}") for platform in platforms]


def answer(
    index: FakeIndex,
    *wanted: str,
    runtime: str = "python3.11",
    architecture: str = "x86_64",
    settings: IndexSettings | None = None,
    constraints: tuple[str, ...] = (),
    hashes: Mapping[str, frozenset[str]] | None = None,
) -> Answer:
    web = Web({}, timeout_s=2)
    indexes = Indexes(settings or IndexSettings(index.url), web)
    asked = Question(tuple(wanted), constraints, hashes)
    return resolve(asked, indexes, target(runtime, architecture), Host({}, Store(None), 1))


def chosen(index: FakeIndex, *wanted: str, runtime: str = "python3.11", architecture: str = "x86_64") -> list[str]:
    return [pin.filename for pin in answer(index, *wanted, runtime=runtime, architecture=architecture).pins]


def refusal(
    index: FakeIndex,
    *wanted: str,
    runtime: str = "python3.11",
    architecture: str = "x86_64",
    settings: IndexSettings | None = None,
    hashes: Mapping[str, frozenset[str]] | None = None,
) -> str:
    with pytest.raises(Refused) as refused:
        answer(index, *wanted, runtime=runtime, architecture=architecture, settings=settings, hashes=hashes)
    assert len(refused.value.message) < 5000
    assert "127.0.0.1" not in refused.value.message or "simple" in refused.value.message
    return f"{refused.value.message} / {refused.value.hint}"


def test_the_newest_version_whose_wheel_loads_is_taken(index: FakeIndex) -> None:
    index.add(*native("fast", "1", "manylinux_2_17_x86_64", "manylinux_2_17_aarch64"))
    index.add(*native("fast", "2", "manylinux_2_24_x86_64", "manylinux_2_28_aarch64"))
    index.add(*native("fast", "3", "manylinux_2_27_x86_64", "manylinux_2_34_aarch64"))
    index.add(*native("fast", "2", "manylinux_2_28_x86_64", "manylinux_2_34_aarch64", python="cp312"))
    assert chosen(index, "fast") == ["fast-2-cp311-cp311-manylinux_2_24_x86_64.whl"]
    assert chosen(index, "fast", architecture="arm64") == ["fast-1-cp311-cp311-manylinux_2_17_aarch64.whl"]
    assert chosen(index, "fast", runtime="python3.12") == ["fast-2-cp312-cp312-manylinux_2_28_x86_64.whl"]
    assert chosen(index, "fast", runtime="python3.12", architecture="arm64") == [
        "fast-2-cp312-cp312-manylinux_2_34_aarch64.whl"
    ]


def test_what_an_older_glibc_costs_is_said(index: FakeIndex) -> None:
    index.add(*native("fast", "1", "manylinux_2_17_x86_64"), *native("fast", "2", "manylinux_2_28_x86_64"))
    assert answer(index, "fast").notes == ("fast 1 is taken: 2 needs a newer glibc than python3.11's 2.26",)


def test_a_dependency_s_version_backs_down_with_what_fits(index: FakeIndex) -> None:
    index.add(wheel("app", "2", requires=["fast>=2"]), wheel("app", "1", requires=["fast"]))
    index.add(*native("fast", "2", "manylinux_2_28_x86_64"), *native("fast", "1", "manylinux_2_17_x86_64"))
    assert chosen(index, "app") == ["app-1-py3-none-any.whl", "fast-1-cp311-cp311-manylinux_2_17_x86_64.whl"]


def test_an_abi3_wheel_serves_newer_pythons(index: FakeIndex) -> None:
    index.add(*native("crypt", "1", "manylinux_2_17_x86_64", python="cp39", abi="abi3"))
    assert chosen(index, "crypt", runtime="python3.13") == ["crypt-1-cp39-abi3-manylinux_2_17_x86_64.whl"]


def test_markers_and_extras_are_those_of_the_target(index: FakeIndex) -> None:
    index.add(
        wheel(
            "app",
            "1",
            requires=[
                "old; python_version < '3.12'",
                "new; python_version >= '3.12'",
                "arm; platform_machine == 'aarch64'",
                "windows; sys_platform == 'win32'",
                "more; extra == 'all'",
            ],
        )
    )
    for name in ("old", "new", "arm", "more"):
        index.add(wheel(name, "1"))
    names = [pin.name for pin in answer(index, "app[all]", architecture="arm64").pins]
    assert names == ["app", "arm", "more", "old"]


def test_only_a_source_distribution_is_a_refusal_with_advice(index: FakeIndex) -> None:
    index.add(sdist("docopt", "0.6.2"))
    said = refusal(index, "docopt")
    assert "docopt 0.6.2 has only a source distribution" in said
    assert "pip wheel --no-deps docopt==0.6.2" in said


def test_a_version_without_a_fitting_wheel_names_the_nearest_that_has_one(index: FakeIndex) -> None:
    index.add(*native("fast", "1.9", "manylinux_2_17_x86_64"), *native("fast", "2.0", "manylinux_2_28_x86_64"))
    said = refusal(index, "fast==2.0")
    assert "fast 2.0 has no wheel for python3.11 on x86_64" in said
    assert "manylinux_2_28_x86_64, and python3.11 runs on glibc 2.26" in said
    assert "ask for fast==1.9" in said


def test_a_transitive_distribution_that_does_not_fit_is_named(index: FakeIndex) -> None:
    index.add(wheel("app", "1", requires=["fast>=2"]))
    index.add(*native("fast", "1", "manylinux_2_17_x86_64"), *native("fast", "2", "manylinux_2_28_x86_64"))
    said = refusal(index, "app")
    assert "fast 2 has no wheel for python3.11 on x86_64" in said


def test_another_architecture_or_python_is_named(index: FakeIndex) -> None:
    index.add(*native("fast", "1", "manylinux_2_17_x86_64"))
    assert "none is for Linux on aarch64" in refusal(index, "fast", architecture="arm64")
    assert "its wheels are for cp311-cp311, and python3.13 takes cp313-cp313" in refusal(
        index, "fast", runtime="python3.13"
    )


def test_requires_python_is_respected_and_named(index: FakeIndex) -> None:
    index.add(wheel("app", "2", requires_python=">=3.12"), wheel("app", "1", requires_python=">=3.8.2"))
    assert chosen(index, "app", runtime="python3.8") == ["app-1-py3-none-any.whl"]
    assert "app 2 needs Python >=3.12; python3.11 is 3.11" in refusal(index, "app>=2")


def test_a_conflict_is_told_in_the_resolver_s_words(index: FakeIndex) -> None:
    index.add(wheel("a", "1", requires=["c<2"]), wheel("b", "1", requires=["c>=2"]), wheel("c", "1"), wheel("c", "2"))
    said = refusal(index, "a", "b")
    assert "no set of versions fits python3.11 on x86_64" in said
    assert "b depend on c>=2" in said
    assert "loosen" in said


def test_what_nobody_publishes_is_named(index: FakeIndex) -> None:
    assert "nothing-here is not on http://127.0.0.1" in refusal(index, "nothing-here")
    index.add(wheel("app", "1"))
    assert "there is no app 9 / app 1 has a wheel" in refusal(index, "app==9")


def test_an_html_index_does_as_well(index: FakeIndex) -> None:
    index.html = True
    index.add(wheel("app", "1", requires=["lib"]), wheel("lib", "1"), wheel("lib", "2", requires_python=">=3.14"))
    pins = answer(index, "app").pins
    assert [(pin.name, pin.version) for pin in pins] == [("app", "1"), ("lib", "1")]
    assert all(pin.sha256 for pin in pins)


def test_stated_hashes_choose_the_file(index: FakeIndex) -> None:
    plain, fast = wheel("app", "1"), native("app", "1", "manylinux_2_17_x86_64")[0]
    index.add(plain, fast)
    hashes = {"app": frozenset((f"sha256:{plain.sha256}",))}
    assert [pin.filename for pin in answer(index, "app==1", hashes=hashes).pins] == [plain.filename]
    assert "none of the hashes stated for app 1" in refusal(index, "app==1", hashes={"app": frozenset(("sha256:00",))})
    index.add(wheel("more", "1", requires=["app"]))
    assert "app is needed, and has no hash" in refusal(index, "more", hashes={"more": frozenset(("sha256:00",))})


def test_constraints_hold(index: FakeIndex) -> None:
    index.add(wheel("app", "1"), wheel("app", "2"))
    assert [pin.version for pin in answer(index, "app", constraints=("app<2",)).pins] == ["1"]


def test_the_first_index_that_knows_a_distribution_is_the_only_one_asked(index: FakeIndex) -> None:
    index.add(wheel("own", "1"), wheel("other", "1"))
    with FakeIndex() as public:
        public.add(wheel("own", "99"), wheel("other", "2"), wheel("third", "1"))
        settings = IndexSettings(public.url, (index.url,))
        pins = answer(index, "own", "third", settings=settings).pins
        assert [(pin.name, pin.version) for pin in pins] == [("own", "1"), ("third", "1")]
        merged = IndexSettings(public.url, (index.url,), merge=True)
        assert [pin.version for pin in answer(index, "own", settings=merged).pins] == ["99"]


def test_find_links_and_local_indexes_are_looked_at(index: FakeIndex, tmp_path: Path) -> None:
    made, other = wheel("app", "1", requires=["lib"]), wheel("lib", "1")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / made.filename).write_bytes(made.data)
    folder = tmp_path / "simple" / "lib"
    folder.mkdir(parents=True)
    (folder / other.filename).write_bytes(other.data)
    (folder / "index.html").write_text(f'<a href="{other.filename}#sha256={other.sha256}">x</a>')
    settings = IndexSettings((tmp_path / "simple").as_uri(), (), (str(tmp_path / "links"),))
    pins = answer(index, "app", settings=settings).pins
    assert [pin.filename for pin in pins] == [made.filename, other.filename]
    assert all(pin.url.startswith("file:") for pin in pins)


def test_credentials_are_used_and_never_shown(index: FakeIndex, tmp_path: Path) -> None:
    index.user = "me:s3cret"
    index.add(wheel("app", "1"))
    settings = IndexSettings(index.url.replace("//", "//me:s3cret@"))
    web = Web({}, timeout_s=2)
    pins = resolve(Question(("app",)), Indexes(settings, web), target("python3.11"), Host({}, Store(None), 1)).pins
    assert "s3cret" not in pins[0].url
    assert Fetcher(web, Host({}, Store(None), 1), tmp_path).fetch(pins, silent)[pins[0]][0].is_file()
    assert "s3cret" not in refusal(index, "gone", settings=settings)
    said = refusal(index, "app")
    assert "401" in said
    assert ".netrc" in said
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
    known = Web({"HOME": str(tmp_path)}, timeout_s=2)
    assert Indexes(IndexSettings(index.url), known).files("app")


@pytest.mark.parametrize("status", [403, 500])
def test_an_index_that_fails_is_named(index: FakeIndex, status: int) -> None:
    index.failing["simple"] = status
    assert f"it answers {status}" in refusal(index, "app")


def test_an_index_that_hangs_or_is_gone_or_talks_nonsense_is_named(index: FakeIndex) -> None:
    index.add(wheel("app", "1"))
    index.slow_s["simple"] = 1
    with pytest.raises(Refused, match="cannot be fetched"):
        Indexes(IndexSettings(index.url), Web({}, timeout_s=0.1)).files("app")
    with pytest.raises(Refused, match="cannot be fetched"):
        Indexes(IndexSettings("http://127.0.0.1:9/simple"), Web({}, timeout_s=0.5)).files("app")


def test_an_index_without_an_address_is_named() -> None:
    with pytest.raises(Refused, match=r"^http://\*\*\*@\[bad/simple is no address: invalid IPv6 URL$"):
        Web({}).remember("http://user:secret@[bad/simple")


def test_a_wheel_whose_name_makes_no_sense_is_passed_over() -> None:
    names = ("six-1.0-py3-none-any.whl", "six-1.0-abc-py3-none-any.whl")
    assert best(names, target("python3.13")) == names[0]


def test_an_answer_is_given_again_while_it_is_fresh(index: FakeIndex, tmp_path: Path) -> None:
    index.add(wheel("app", "1"))
    host = Host({}, Store(tmp_path), 1)

    def ask(fresh_s: int) -> tuple[Pin, ...]:
        indexes = Indexes(IndexSettings(index.url), Web({}, timeout_s=2))
        return resolve(Question(("app",)), indexes, target("python3.11"), host, fresh_s=fresh_s).pins

    first = ask(600)
    count = len(index.asked)
    assert ask(600) == first
    assert len(index.asked) == count
    index.add(wheel("app", "2"))
    assert ask(0)[0].version == "2"


def test_a_download_is_kept_by_its_hash_and_a_damaged_one_fetched_again(index: FakeIndex, tmp_path: Path) -> None:
    made = wheel("app", "1")
    index.add(made)
    pin = answer(index, "app").pins[0]
    store = Store(tmp_path / "cache")
    fetcher = Fetcher(Web({}, timeout_s=2), Host({}, store, 1), tmp_path)
    path, digest = fetcher.fetch([pin], silent)[pin]
    assert digest == made.sha256
    path.write_bytes(b"damaged")
    fetcher = Fetcher(Web({}, timeout_s=2), Host({}, store, 1), tmp_path)
    assert fetcher.fetch([pin], silent)[pin][0].read_bytes() == made.data
    lying = Pin(pin.name, pin.version, pin.filename, pin.url, "00" * 32)
    with pytest.raises(Refused, match="is not the file that was asked for"):
        fetcher.fetch([lying], silent)
    assert [place.name for place in (tmp_path / "cache").rglob(".tmp-*")] == []
    index.failing["files"] = 404
    gone = Pin(pin.name, pin.version, pin.filename, pin.url, "11" * 32)
    with pytest.raises(Refused, match="does not exist"):
        fetcher.fetch([gone], silent)
