"""Requirement files, pyproject.toml and uv.lock: what is read, which one counts, what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.errors import LambdalintError, Refused, UnreadableInput
from lambdalint.packager.inputs import inputs
from lambdalint.packager.lock import pinned
from lambdalint.packager.needs import Declared, Inputs, Locked, Places
from lambdalint.packager.target import target
from lambdalint.readers.requirements import requirements
from lambdalint.readers.tree import MemoryTree
from lambdalint.readers.uv_lock import uv_lock

AIM = target("python3.11")

LOCK = """\
version = 1
revision = 3
requires-python = ">=3.9"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "fast" },
    { name = "old", marker = "python_full_version < '3.10'" },
    { name = "web", extra = ["tls"] },
]

[package.optional-dependencies]
dev = [{ name = "check" }]

[package.metadata]
requires-dist = [
    { name = "check", marker = "extra == 'dev'" },
    { name = "fast", specifier = ">=1" },
    { name = "old", marker = "python_full_version < '3.10'" },
    { name = "web", extras = ["tls"] },
]

[[package]]
name = "check"
version = "1"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files/check-1-py3-none-any.whl", hash = "sha256:cc", size = 5 }]

[[package]]
name = "fast"
version = "1.0"
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://files/fast-1.0.tar.gz", hash = "sha256:00", size = 1 }
wheels = [
    { url = "https://files/fast-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", hash = "sha256:aa", size = 1 },
    { url = "https://files/fast-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", hash = "sha256:bb", size = 2 },
]

[[package]]
name = "old"
version = "1"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "tls"
version = "2"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files/tls-2-py3-none-any.whl", hash = "sha256:dd", size = 3 }]

[[package]]
name = "web"
version = "3"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files/web-3-py3-none-any.whl", hash = "sha256:ee", size = 4 }]

[package.optional-dependencies]
tls = [{ name = "tls" }]
"""
PYPROJECT = """\
[project]
name = "app"
version = "0.1.0"
dependencies = ["fast>=1", "old; python_version < '3.10'", "web[tls]"]

[project.optional-dependencies]
dev = ["check"]
"""


def said(files: dict[str, str | bytes], root: str = "src", manifest: str | None = None) -> Inputs:
    return inputs(Places(MemoryTree(files), root, manifest), AIM)


def asked(files: dict[str, str | bytes], root: str = "src") -> Declared:
    needs = said(files, root).needs
    assert isinstance(needs, Declared)
    return needs


def message(files: dict[str, str | bytes], root: str = "src") -> str:
    with pytest.raises(LambdalintError) as error:
        said(files, root)
    assert len(error.value.message) < 1000
    return f"{error.value.message} / {error.value.hint}"


def test_a_requirement_file_is_read_as_pip_reads_it() -> None:
    text = (
        "# a comment\n"
        "requests[socks] >=2 ; python_version >= '3.8'  # why\n"
        "numpy == 1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
        "-r more/other.txt\n"
        "-c limits.txt\n"
        "--index-url https://me:secret@host/simple\n"
        "--extra-index-url=https://other/simple\n"
        "--find-links wheels\n"
        "--pre\n--trusted-host host\n"
        "windows-only; sys_platform == 'win32'\n"
    )
    files: dict[str, str | bytes] = {
        "src/requirements.txt": text.encode("utf-16"),
        "src/more/other.txt": "attrs\n-r ../third.txt\n",
        "src/third.txt": "idna",
        "src/limits.txt": "idna<4\n",
        "src/wheels/x": "",
    }
    needs = asked(files)
    assert needs.question.requirements == ('requests[socks]>=2; python_version >= "3.8"', "numpy==1.0", "attrs", "idna")
    assert needs.question.constraints == ("idna<4",)
    assert needs.question.hashes == {"numpy": frozenset(("sha256:aa", "sha256:bb"))}
    assert needs.question.pre
    assert needs.indexes.default == "https://me:secret@host/simple"
    assert needs.indexes.extra == ("https://other/simple",)
    assert needs.indexes.find_links == ("src/wheels",)
    assert [given.path for given in said(files).files] == [
        "src/requirements.txt",
        "src/more/other.txt",
        "src/third.txt",
        "src/limits.txt",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-r missing.txt", "there is no file missing.txt"),
        ("-r requirements.txt", "include each other"),
        ("-r https://host/r.txt", "not read from the network"),
        ("-r ../../outside.txt", "outside the project"),
        ("--nonsense", "pip knows no option --nonsense"),
        ("--no-binary :all:", "only wheels are installed"),
        ("requests >>> 2", "is no requirement"),
        ("git+https://github.com/a/b@main#egg=b", "fetched from a repository"),
        ("b @ git+https://github.com/a/b", "fetched from a repository"),
        ("https://host/b-1.tar.gz", "would have to be built"),
        ("./gone.whl", "there is no file or folder"),
        ("-e ../gone", "there is no file or folder"),
        ("./here.tar.gz", "would have to be built"),
        ("-e ./lib", "no pyproject.toml"),
        ("--index-url", "wants a value"),
    ],
)
def test_a_line_that_cannot_be_followed_is_refused_with_its_place(line: str, words: str) -> None:
    files: dict[str, str | bytes] = {
        "src/requirements.txt": f"idna\n{line}\n",
        "src/here.tar.gz": b"",
        "src/lib/setup.py": "",
    }
    with pytest.raises(LambdalintError) as error:
        said(files)
    assert words in f"{error.value.message} / {error.value.hint}"


def test_requirement_files_in_a_circle_name_the_circle() -> None:
    files: dict[str, str | bytes] = {"src/requirements.txt": "-r b.txt", "src/b.txt": "-r requirements.txt"}
    assert "src/requirements.txt → src/b.txt → src/requirements.txt" in message(files)


def test_variables_are_filled_in() -> None:
    tree = MemoryTree({"r.txt": "--index-url https://${TOKEN}@host/${unset}\n"})
    assert requirements(tree, "r.txt", {"TOKEN": "abc"}).index_url == "https://abc@host/${unset}"


@given(st.text(max_size=200))
def test_any_text_is_a_requirement_file_or_an_error(text: str) -> None:
    with suppress(LambdalintError):
        requirements(MemoryTree({"r.txt": text}), "r.txt")


def test_the_function_s_own_project_stands_for_its_dependencies() -> None:
    files: dict[str, str | bytes] = {"src/requirements.txt": "-e .[dev]\nidna\n", "src/pyproject.toml": PYPROJECT}
    assert asked(files).question.requirements[:2] == ("fast>=1", "old; python_version < '3.10'")
    assert asked(files).question.requirements[-2:] == ("check", "idna")


def test_without_a_manifest_nothing_is_needed() -> None:
    assert said({"src/app.py": ""}).needs is None
    assert said({"src/pyproject.toml": "[tool.ruff]\nline-length = 100\n"}).needs is None


def test_the_more_exact_manifest_counts() -> None:
    lock_only: dict[str, str | bytes] = {"src/uv.lock": LOCK, "src/pyproject.toml": PYPROJECT}
    both = {**lock_only, "src/requirements.txt": "idna\n"}
    assert isinstance(said(both).needs, Locked)
    assert said(both).notes == ("requirements.txt is passed over: src/uv.lock is more exact",)
    assert asked({"src/requirements.txt": "idna", "src/pyproject.toml": PYPROJECT}).question.requirements == ("idna",)
    assert asked({"src/pyproject.toml": PYPROJECT}).question.requirements[0] == "fast>=1"
    assert isinstance(said(both, manifest="src/requirements.txt").needs, Declared)
    assert "uv.lock has no pyproject.toml" in said({"src/uv.lock": LOCK, "src/requirements.txt": "idna"}).notes[0]


def test_a_workspace_lock_further_up_counts_for_its_members() -> None:
    lock = LOCK.replace('{ virtual = "." }', '{ editable = "services/orders" }')
    files: dict[str, str | bytes] = {"uv.lock": lock, "services/orders/pyproject.toml": PYPROJECT}
    needs = said(files, "services/orders").needs
    assert isinstance(needs, Locked)
    assert needs.project.name == "app"
    assert isinstance(said({**files, "uv.lock": LOCK}, "services/orders").needs, Declared)


def test_a_lock_gives_files_with_hashes_for_the_target() -> None:
    lock = uv_lock(MemoryTree({"uv.lock": LOCK}), "uv.lock")
    project = lock.member(".")
    assert project is not None
    pins, _ = pinned(lock, project, (), AIM, None)
    assert [(pin.name, pin.version, pin.sha256) for pin in pins] == [
        ("fast", "1.0", "aa"),
        ("tls", "2", "dd"),
        ("web", "3", "ee"),
    ]
    with_extra, _ = pinned(lock, project, ("dev",), AIM, None)
    assert "check" in [pin.name for pin in with_extra]


def locked_error(lock_text: str, runtime: str = "python3.11", architecture: str = "x86_64") -> str:
    lock = uv_lock(MemoryTree({"uv.lock": lock_text}), "uv.lock")
    project = lock.member(".")
    assert project is not None
    with pytest.raises(LambdalintError) as error:
        pinned(lock, project, (), target(runtime, architecture), None)
    return error.value.message


def test_a_lock_without_a_fitting_wheel_says_why() -> None:
    assert "none is for Linux on aarch64" in locked_error(LOCK, architecture="arm64")
    assert "was made for Python >=3.9" in locked_error(LOCK, "python3.8")
    assert "has only a source distribution" in locked_error(LOCK.replace("cp311", "cp39"), "python3.9")
    newer = LOCK.replace("manylinux_2_17", "manylinux_2_27")
    assert "python3.11 runs on glibc 2.26" in locked_error(newer)


def test_a_lock_that_is_out_of_date_is_refused() -> None:
    files: dict[str, str | bytes] = {
        "src/uv.lock": LOCK,
        "src/pyproject.toml": PYPROJECT.replace('"fast>=1"', '"fast>=2"'),
    }
    assert "uv lock" in message(files)
    files["src/pyproject.toml"] = PYPROJECT.replace('"fast>=1"', '"fast>=1", "new"')
    assert "asks for new" in message(files)


@pytest.mark.parametrize(
    "text",
    [
        "version = 2\n",
        "version = 1\npackage = 3\n",
        "version = 1\n[[package]]\nversion = '1'\n",
        "version = 1\n[[package]]\nname = 'a'\nsource = { moon = '1' }\n",
        "version = 1\n[[package]]\nname = 'a'\nsource = { url = '.' }\ndependencies = [{ name = 'b', marker = '!' }]\n",
        "version = \n",
        "\x00",
    ],
)
def test_a_lock_that_uv_did_not_write_is_an_error(text: str) -> None:
    assert message({"src/uv.lock": text, "src/pyproject.toml": PYPROJECT})


@given(st.integers(0, len(LOCK)), st.text(max_size=3))
def test_a_mutated_lock_is_read_or_an_error(place: int, text: str) -> None:
    with suppress(LambdalintError):
        uv_lock(MemoryTree({"uv.lock": LOCK[:place] + text + LOCK[place + 2 :]}), "uv.lock")


def test_dependencies_left_to_a_build_backend_are_refused() -> None:
    files: dict[str, str | bytes] = {"src/pyproject.toml": "[project]\nname = 'a'\ndynamic = ['dependencies']\n"}
    assert "dynamic" in message(files)


@pytest.mark.parametrize("url", ["git+https://example.com/six", "https://example.com/six-1.16.0.tar.gz"])
def test_what_would_have_to_be_built_is_refused_wherever_it_is_asked_for(url: str) -> None:
    files = {"pyproject.toml": f'[project]\nname = "x"\nversion = "1"\ndependencies = ["six @ {url}"]\n'}
    with pytest.raises(Refused, match="built"):
        inputs(Places(MemoryTree(files), ""), target("python3.13"))


def test_a_long_line_is_refused_at_once() -> None:
    for text in ("six" + " " * 20_000_000 + "x", "six \\\n" * 90_000):
        with pytest.raises(UnreadableInput, match="too long for a requirement"):
            requirements(MemoryTree({"requirements.txt": text}), "requirements.txt")
    with pytest.raises(UnreadableInput, match="no requirement"):
        requirements(MemoryTree({"requirements.txt": "six" + " " * 90_000 + "x"}), "requirements.txt")


def test_sources_of_uv_are_followed_without_a_lock() -> None:
    sources = """
[tool.uv.sources]
shared = { workspace = true }
lib = { path = "../lib", editable = true }
direct = { url = "https://example.com/direct-1-py3-none-any.whl" }
inner = [
    { git = "https://x", marker = "sys_platform == 'win32'" },
    { index = "company", marker = "sys_platform == 'linux'" },
]

[[tool.uv.index]]
name = "company"
url = "https://me:secret@company/simple"
explicit = true
"""
    wanted = (
        '[project]\nname = "app"\nversion = "1"\ndependencies = ["shared[x]", "lib", "direct>=1", "inner", "plain"]\n'
    )
    files: dict[str, str | bytes] = {
        "src/pyproject.toml": wanted + sources,
        "pyproject.toml": "[tool.uv.workspace]\nmembers = ['packages/*', 'src']\nexclude = ['packages/old']\n",
        "packages/old/pyproject.toml": "[project]\nname = 'shared'\n",
        "packages/shared/pyproject.toml": "[project]\nname = 'Shared'\n",
        "lib/pyproject.toml": "[project]\nname = 'lib'\n",
    }
    needs = asked(files)
    assert needs.question.requirements == (
        "direct @ https://example.com/direct-1-py3-none-any.whl",
        "inner",
        "plain",
    )
    assert needs.local == (("packages/shared", ("x",)), ("lib", ()))
    assert needs.indexes.pinned == (("inner", "https://me:secret@company/simple"),)
    assert "secret" not in needs.indexes.names


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{ git = 'https://x' }", "takes fast from the repository https://x"),
        ("{ path = '../../outside' }", "must lie within the project"),
        ("{ path = '../gone' }", "there is nothing"),
        ("{ path = 'app.py' }", "no wheel"),
        ("{ workspace = true }", "there is none"),
        ("{ index = 'unknown' }", "no [[tool.uv.index]] is called"),
        ("{ url = 'https://x/y-1.tar.gz' }", "would have to be built"),
        ("{ moon = 1 }", "does not say where fast is"),
    ],
)
def test_a_source_of_uv_that_cannot_be_followed_is_refused(source: str, words: str) -> None:
    text = PYPROJECT + f"[tool.uv.sources]\nfast = {source}\n"
    assert words in message({"src/pyproject.toml": text, "src/app.py": ""})


GROUPS = """\
[project]
name = "app"
dependencies = ["base"]

[dependency-groups]
lambda = ["fast", { include-group = "Shared_Things" }]
shared-things = ["idna>=3"]
around = [{ include-group = "again" }]
again = [{ include-group = "around" }]
"""


def test_a_dependency_group_brings_what_it_includes() -> None:
    good = GROUPS.partition("around")[0]
    tree = MemoryTree({"src/pyproject.toml": good})
    needs = inputs(Places(tree, "src", groups=("Lambda",)), AIM).needs
    assert isinstance(needs, Declared)
    assert needs.question.requirements == ("base", "fast", "idna>=3")
    with pytest.raises(Refused, match="no dependency group 'dev'"):
        inputs(Places(tree, "src", groups=("dev",)), AIM)
    assert "include each other: around → again → around" in message({"src/pyproject.toml": GROUPS})
    many = "".join(f"g{n} = [{{ include-group = 'g{n + 1}' }}, {{ include-group = 'g{n + 1}' }}]\n" for n in range(60))
    assert "more than 10,000" in message({"src/pyproject.toml": f"[dependency-groups]\n{many}g60 = ['a']\n"})
    assert "no dependency group 'gone'" in message(
        {"src/pyproject.toml": "[dependency-groups]\na = [{ include-group = 'gone' }]\n"}
    )


POETRY = """\
[tool.poetry]
name = "app"

[tool.poetry.dependencies]
python = "^3.8"
requests = { version = "^2.31", extras = ["socks"] }
old = { version = "*", python = "<3.10" }
windows = { version = "~1.2", platform = "win32" }
web = { version = "^1", optional = true }
lib = { path = "../lib", develop = true }
several = [{ version = "^1", python = "<3.9" }, { version = "^2", python = ">=3.9" }]

[tool.poetry.extras]
all = ["web"]

[tool.poetry.group.jobs.dependencies]
tool = "1.2.3"

[[tool.poetry.source]]
name = "company"
url = "https://company/simple"
"""


def test_a_project_of_poetry_is_read_without_a_lock() -> None:
    tree = MemoryTree({"src/pyproject.toml": POETRY, "lib/pyproject.toml": "[project]\nname = 'lib'\n"})
    needs = inputs(Places(tree, "src", extras=("all",), groups=("jobs",)), AIM).needs
    assert isinstance(needs, Declared)
    assert needs.question.requirements == (
        "requests[socks]<3.0,>=2.31",
        "web<2,>=1",
        'several<3,>=2; python_version >= "3.9"',
        "tool==1.2.3",
    )
    assert needs.local == (("lib", ()),)
    assert needs.indexes.extra == ("https://company/simple",)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a = { git = 'https://x' }", "takes a from a repository"),
        ("a = '^1 || ^2'", "asks for alternatives of a"),
        ("a = { path = '../../outside' }", "no folder of this project"),
        ("a = 3", "not shaped"),
        ("a = '^'", "not shaped"),
        ("a = { version = '1', markers = 'nonsense' }", "not shaped"),
    ],
)
def test_what_only_poetry_can_do_is_refused(line: str, words: str) -> None:
    assert words in message({"src/pyproject.toml": f"[tool.poetry]\nname = 'a'\n[tool.poetry.dependencies]\n{line}\n"})


def test_a_pipfile_is_read_without_a_lock() -> None:
    text = """\
[[source]]
url = "https://company/simple"
name = "company"

[packages]
plain = "*"
exact = "==1.2"
more = {version = ">=2", extras = ["b", "a"], markers = "python_version >= '3.8'"}
windows = {version = "*", sys_platform = "== 'win32'"}
lib = {path = "./lib", editable = true}

[dev-packages]
check = "*"
"""
    files: dict[str, str | bytes] = {"src/Pipfile": text, "src/lib/pyproject.toml": "[project]\nname = 'lib'\n"}
    needs = asked(files)
    assert needs.question.requirements == ("plain", "exact==1.2", 'more[a,b]>=2; python_version >= "3.8"')
    assert needs.local == (("src/lib", ()),)
    assert needs.indexes.extra == ("https://company/simple",)
    assert "from a repository" in message({"src/Pipfile": "[packages]\na = {git = 'https://x'}\n"})
    assert "not shaped" in message({"src/Pipfile": "[packages]\na = 3\n"})


def test_a_lock_with_nothing_but_a_source_distribution_gives_it_when_asked_for() -> None:
    only = LOCK.replace("cp311", "cp39")
    lock = uv_lock(MemoryTree({"uv.lock": only}), "uv.lock")
    project = lock.member(".")
    assert project is not None
    pins, _ = pinned(lock, project, (), AIM, None, sdists=True)
    assert ("fast-1.0.tar.gz", "00") in [(pin.filename, pin.sha256) for pin in pins]


@given(st.text(max_size=200))
def test_any_text_is_a_manifest_or_an_error(text: str) -> None:
    for name in ("Pipfile", "pyproject.toml", "app.py"):
        with suppress(LambdalintError):
            said({f"src/{name}": text})
        with suppress(LambdalintError):
            said(
                {f"src/{name}": f"# /// script\n# {text}\n# ///\n[tool.poetry.dependencies]\n[packages]\na = {text}\n"}
            )
