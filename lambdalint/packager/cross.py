"""A compiler for another machine and an older C library: zig's, as PyPI has it.

Source: https://ziglang.org/download/ and https://pypi.org/project/ziglang/
"""

import stat
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lambdalint.errors import Refused
from lambdalint.packager.target import Target

# What the compilers of other systems are given and zig's does not know or need.
_WRAPPER: Final = """\
#!{python}
import os, sys

arguments = [each for each in sys.argv[1:] if not each.startswith(("-march=", "-mtune=", "-flto", "-fcf-protection"))]
arguments = [each for each in arguments if each not in ("-fno-semantic-interposition", "-Wl,-z,relro,-z,now")]
os.execv({zig!r}, [{zig!r}, {tool!r}, {options}*arguments])
"""


def cross_environment(target: Target, folder: Path) -> dict[str, str]:
    """Variables that make build backends compile for *target*; what they point to is put into *folder*.

    The headers are those of the Python that builds: of the target's version, they are the same on both machines but
    for the sizes of types, which are the same too.

    Raises:
        Refused: zig is not installed.
    """
    zig = _zig()
    triple = f"{target.machine}-linux-gnu.{target.glibc[0]}.{target.glibc[1]}"
    tools = {"cc": ("cc",), "c++": ("c++",), "ar": ("ar",), "ranlib": ("ranlib",)}
    paths = {}
    for name, (tool,) in tools.items():
        options = f"'-target', '{triple}', '-g0', " if tool in ("cc", "c++") else ""
        paths[name] = _written(
            folder / name, _WRAPPER.format(python=sys.executable, zig=zig, tool=tool, options=options)
        )
    site = folder / "site"
    site.mkdir()
    suffix = f".cpython-{target.python[0]}{target.python[1]}-{target.machine}-linux-gnu.so"
    # Backends ask the interpreter what it was built with; this one answers for the target instead.
    multiarch = f"{target.machine}-linux-gnu"
    text = _CUSTOM.format(multiarch=multiarch, suffix=suffix, libraries=str(site))
    (site / "sitecustomize.py").write_text(text, encoding="utf-8")
    return {
        "CC": paths["cc"],
        "CXX": paths["c++"],
        "LDSHARED": f"{paths['cc']} -shared",
        "LDCXXSHARED": f"{paths['c++']} -shared",
        "AR": paths["ar"],
        "RANLIB": paths["ranlib"],
        "CFLAGS": "-O2 -fPIC",
        "CXXFLAGS": "-O2 -fPIC",
        "LDFLAGS": "",
        "PYTHONPATH": str(site),
        "_PYTHON_HOST_PLATFORM": f"linux-{target.machine}",
        "SETUPTOOLS_EXT_SUFFIX": suffix,
        "CARGO_BUILD_TARGET": f"{target.machine}-unknown-linux-gnu",
        f"CARGO_TARGET_{target.machine.upper()}_UNKNOWN_LINUX_GNU_LINKER": paths["cc"],
        # uv remembers what it is told about interpreters, and here they do not tell the truth.
        "UV_CACHE_DIR": str(folder / "uv-cache"),
        "ZIG_GLOBAL_CACHE_DIR": str(folder / "zig-cache"),
        "ZIG_LOCAL_CACHE_DIR": str(folder / "zig-cache"),
    }


# No library of this machine is linked against: extension modules find Python's symbols in the program that loads them.
_CUSTOM: Final = """\
import os
import sysconfig

_shared = os.environ["LDSHARED"]
sysconfig.get_config_vars().update(
    EXT_SUFFIX={suffix!r},
    SOABI={suffix!r}[1:-3],
    MULTIARCH={multiarch!r},
    LDSHARED=_shared,
    BLDSHARED=_shared,
    CCSHARED="-fPIC",
    LIBDIR={libraries!r},
    LDFLAGS="",
    PY_LDFLAGS="",
    Py_ENABLE_SHARED=0,
)
"""


def _zig() -> str:
    spec = find_spec("ziglang")
    if spec is None or not spec.submodule_search_locations:
        raise Refused(
            "zig, which compiles for other machines, is not installed", hint="pip install 'lambdalint[cross]'"
        )
    place = Path(spec.submodule_search_locations[0], f"zig{sysconfig.get_config_var('EXE') or ''}")
    if not place.is_file():
        raise Refused(f"there is no zig at {place}", hint="pip install --force-reinstall ziglang")
    return str(place)


def _written(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)
