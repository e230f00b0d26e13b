"""Small archives of functions, the same bytes each time they are made."""

import io
from collections.abc import Mapping
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from lambdalint_rules.artifacts.samples import linux_library

APP = b"""import shapely
from orders import store


def handler(event, context):
    import lazy
    return store.save(event)
"""

FUNCTION: Mapping[str, bytes] = {
    "app.py": APP,
    "lazy.py": b"x = 1\n",
    "unused.py": b"y = 1\n",
    "orders/__init__.py": b"",
    "orders/store.py": b"import shapely\n\n\ndef save(event):\n    return event\n",
    "shapely/__init__.py": b"from numpty import core\n" + b"# geometry\n" * 200,
    "shapely-2.1.dist-info/METADATA": b"Name: shapely\nVersion: 2.1\nRequires-Dist: numpty>=1\n"
    b"Requires-Dist: docs; extra == 'd'\n\n",
    "shapely-2.1.dist-info/RECORD": b"shapely/__init__.py,,\nshapely-2.1.dist-info/METADATA,,\n"
    b"shapely-2.1.dist-info/RECORD,,\n",
    "numpty/__init__.py": b"",
    "numpty/core.cpython-313-x86_64-linux-gnu.so": linux_library(versions={"libc.so.6": ("GLIBC_2.28",)})
    + bytes(30_000),
    "numpty-1.0.dist-info/METADATA": b"Name: numpty\nVersion: 1.0\n\n",
    "numpty-1.0.dist-info/RECORD": b"numpty/__init__.py,,\nnumpty/core.cpython-313-x86_64-linux-gnu.so,,\n"
    b"numpty-1.0.dist-info/METADATA,,\nnumpty-1.0.dist-info/RECORD,,\n",
}


def archive(files: Mapping[str, bytes], mode: int = 0o644, day: int = 1) -> bytes:
    """A ZIP of *files* in their order, nothing of it compressed."""
    made = io.BytesIO()
    with ZipFile(made, "w") as target:
        for path, content in files.items():
            info = ZipInfo(path, date_time=(2026, 11, day, 12, 0, 0))
            info.create_system = 3
            info.compress_type = ZIP_STORED
            info.external_attr = mode << 16
            target.writestr(info, content)
    return made.getvalue()
