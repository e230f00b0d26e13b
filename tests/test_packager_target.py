"""Targets against `packaging`, which decides for every installer."""

import pytest
from packaging import _manylinux
from packaging.markers import Marker
from packaging.tags import compatible_tags, cpython_tags

from lambdalint.errors import Refused
from lambdalint.packager.choice import best
from lambdalint.packager.target import Target, target

RUNTIMES = [f"python3.{minor}" for minor in range(8, 15)]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", "x86_64"), ("arm64", "aarch64")])
def test_tags_are_those_of_an_installer_on_the_runtime(
    runtime: str, architecture: str, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    aim = target(runtime, architecture)
    assert aim.glibc == ((2, 26) if aim.python < (3, 12) else (2, 34))
    monkeypatch.setattr(_manylinux, "_get_glibc_version", lambda: aim.glibc)
    monkeypatch.setattr(_manylinux, "_have_compatible_abi", lambda *_: True)
    platforms = [*_manylinux.platform_tags([machine]), f"linux_{machine}"]
    interpreter = f"cp{aim.python[0]}{aim.python[1]}"
    expected = [*cpython_tags(aim.python, platforms=platforms), *compatible_tags(aim.python, interpreter, platforms)]
    assert list(aim.tags) == expected
    assert aim.rank(f"a-1-py3-none-linux_{machine}.whl") is not None


@pytest.mark.parametrize(
    ("runtime", "wheels", "taken"),
    [
        ("python3.11", ["manylinux_2_24_x86_64", "manylinux_2_28_x86_64"], "manylinux_2_24_x86_64"),
        ("python3.11", ["manylinux_2_27_x86_64"], None),
        ("python3.11", ["manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_2_x86_64"], "manylinux_2_17_x86_64"),
        ("python3.11", ["manylinux1_x86_64", "linux_x86_64"], "manylinux1_x86_64"),
        ("python3.12", ["manylinux_2_17_x86_64", "manylinux_2_34_x86_64"], "manylinux_2_34_x86_64"),
        ("python3.12", ["manylinux_2_35_x86_64", "manylinux_2_34_aarch64", "macosx_11_0_x86_64"], None),
    ],
)
def test_the_best_wheel_is_the_newest_that_loads(runtime: str, wheels: list[str], taken: str | None) -> None:
    minor = runtime.replace("python3.", "cp3")
    names = [f"a-1-{minor}-{minor}-{platform}.whl" for platform in wheels]
    found = best(names, target(runtime))
    assert found == (None if taken is None else next(name for name in names if taken in name))


def test_an_abi3_wheel_of_an_older_python_fits_and_free_threaded_ones_do_not() -> None:
    aim = target("python3.13")
    assert best(["a-1-cp39-abi3-manylinux_2_28_x86_64.whl", "a-1-cp313-cp313t-manylinux_2_28_x86_64.whl"], aim) == (
        "a-1-cp39-abi3-manylinux_2_28_x86_64.whl"
    )
    assert best(["a-1-cp314-abi3-manylinux_2_28_x86_64.whl"], aim) is None


def test_the_higher_build_number_wins() -> None:
    names = ["a-1-2-py3-none-any.whl", "a-1-10-py3-none-any.whl", "a-1-py3-none-any.whl"]
    assert best(names, target("python3.13")) == "a-1-10-py3-none-any.whl"


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ("python_version < '3.12'", True),
        ("python_full_version >= '3.11.4'", True),
        ("platform_machine == 'aarch64'", True),
        ("sys_platform == 'linux' and implementation_name == 'cpython'", True),
        ("os_name == 'nt' or platform_system == 'Darwin'", False),
        ("extra == 'fast'", False),
    ],
)
def test_markers_are_the_targets(marker: str, *, holds: bool) -> None:
    aim: Target = target("python3.11", "arm64")
    assert aim.applies(marker) is holds
    assert aim.applies(Marker(marker)) is holds


@pytest.mark.parametrize(
    ("runtime", "architecture"), [("python3.7", "x86_64"), ("nodejs22.x", "x86_64"), ("x", "arm64")]
)
def test_what_cannot_be_built_for_is_refused(runtime: str, architecture: str) -> None:
    with pytest.raises(Refused) as refused:
        target(runtime, architecture)
    assert refused.value.hint
