"""Calls that touch files: what they do, and which argument names the file.

Names are qualified ones.  A position of ``SELF`` is what the method is called on.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple


class Doing(Enum):
    """What a call does with a path."""

    READ = "read"
    WRITE = "write"  # the file is made anew
    APPEND = "append"
    OPEN = "open"  # read and written, made where it is not there
    MAKE = "make"  # a folder
    UNPACK = "unpack"  # files of any name, below the path
    DELETE = "delete"
    TEMPORARY = "temporary"  # a file or folder with a name of its own that nobody deletes
    NAME = "name"  # only the name of a temporary file


class Touch(NamedTuple):
    """One path that a call touches: the *position* and *keyword* of the argument, the *default* where it is left out.

    *doing* is ``None`` where the mode says it: then *mode* is the position of ``mode``, whose default is reading.
    """

    doing: Doing | None
    position: int
    keyword: str | None = None
    default: str | None = None
    mode: int | None = None


SELF: Final = -1

_OPEN: Final = (Touch(None, 0, "file", mode=1),)
_OPEN_NAME: Final = (Touch(None, 0, "filename", mode=1),)
_COPY: Final = (Touch(Doing.READ, 0, "src"), Touch(Doing.WRITE, 1, "dst"))
_MOVE: Final = (Touch(Doing.DELETE, 0, "src"), Touch(Doing.WRITE, 1, "dst"))
_LINK: Final = (Touch(Doing.WRITE, 1, "dst"),)
_MAKE: Final = (Touch(Doing.MAKE, 0, "name"),)
_DELETE: Final = (Touch(Doing.DELETE, 0, "path"),)
_READ_SELF: Final = (Touch(Doing.READ, SELF),)
_WRITE_SELF: Final = (Touch(Doing.WRITE, SELF),)
_UNPACK: Final = (Touch(Doing.UNPACK, 0, "path", "."),)
_LOG: Final = (Touch(Doing.APPEND, 0, "filename"),)

BY_NAME: Final[Mapping[str, tuple[Touch, ...]]] = {
    "open": _OPEN,
    "io.open": _OPEN,
    "codecs.open": _OPEN_NAME,
    "gzip.open": _OPEN_NAME,
    "gzip.GzipFile": _OPEN_NAME,
    "bz2.open": _OPEN_NAME,
    "lzma.open": _OPEN_NAME,
    "zipfile.ZipFile": (Touch(None, 0, "file", mode=1),),
    "tarfile.open": (Touch(None, 0, "name", mode=1),),
    "aiofiles.open": _OPEN,
    "os.mkdir": (Touch(Doing.MAKE, 0, "path"),),
    "os.makedirs": _MAKE,
    "os.remove": _DELETE,
    "os.unlink": _DELETE,
    "os.rmdir": _DELETE,
    "os.removedirs": (Touch(Doing.DELETE, 0, "name"),),
    "os.rename": _MOVE,
    "os.renames": _MOVE,
    "os.replace": _MOVE,
    "os.link": _LINK,
    "os.symlink": _LINK,
    "shutil.copy": _COPY,
    "shutil.copy2": _COPY,
    "shutil.copyfile": _COPY,
    "shutil.copytree": (Touch(Doing.READ, 0, "src"), Touch(Doing.UNPACK, 1, "dst")),
    "shutil.move": _MOVE,
    "shutil.rmtree": _DELETE,
    "shutil.unpack_archive": (Touch(Doing.READ, 0, "filename"), Touch(Doing.UNPACK, 1, "extract_dir", ".")),
    "shutil.make_archive": (Touch(Doing.WRITE, 0, "base_name"),),
    "zipfile.ZipFile().extractall": _UNPACK,
    "zipfile.ZipFile().extract": (Touch(Doing.UNPACK, 1, "path", "."),),
    "tarfile.open().extractall": _UNPACK,
    "tarfile.open().extract": (Touch(Doing.UNPACK, 1, "path", "."),),
    "tarfile.TarFile().extractall": _UNPACK,
    "pathlib.Path().write_text": _WRITE_SELF,
    "pathlib.Path().write_bytes": _WRITE_SELF,
    "pathlib.Path().touch": (Touch(Doing.APPEND, SELF),),
    "pathlib.Path().mkdir": (Touch(Doing.MAKE, SELF),),
    "pathlib.Path().open": (Touch(None, SELF, mode=0),),
    "pathlib.Path().read_text": _READ_SELF,
    "pathlib.Path().read_bytes": _READ_SELF,
    "pathlib.Path().unlink": (Touch(Doing.DELETE, SELF),),
    "pathlib.Path().rmdir": (Touch(Doing.DELETE, SELF),),
    "pathlib.Path().rename": (Touch(Doing.DELETE, SELF), Touch(Doing.WRITE, 0, "target")),
    "pathlib.Path().replace": (Touch(Doing.DELETE, SELF), Touch(Doing.WRITE, 0, "target")),
    "pathlib.Path().symlink_to": _WRITE_SELF,
    "tempfile.mkdtemp": (Touch(Doing.TEMPORARY, 2, "dir", "/tmp"),),  # noqa: S108
    "tempfile.mkstemp": (Touch(Doing.TEMPORARY, 2, "dir", "/tmp"),),  # noqa: S108
    "tempfile.mktemp": (Touch(Doing.NAME, 2, "dir", "/tmp"),),  # noqa: S108
    "logging.FileHandler": _LOG,
    "logging.handlers.RotatingFileHandler": _LOG,
    "logging.handlers.TimedRotatingFileHandler": _LOG,
    "logging.handlers.WatchedFileHandler": _LOG,
    "sqlite3.connect": (Touch(Doing.OPEN, 0, "database"),),
    "shelve.open": (Touch(Doing.OPEN, 0, "filename"),),
    "urllib.request.urlretrieve": (Touch(Doing.WRITE, 1, "filename"),),
    "boto3.client(s3).download_file": (Touch(Doing.WRITE, 2, "Filename"),),
    "boto3.client(s3).upload_file": (Touch(Doing.READ, 0, "Filename"),),
    "boto3.resource(s3).meta.client.download_file": (Touch(Doing.WRITE, 2, "Filename"),),
    "boto3.resource(s3).meta.client.upload_file": (Touch(Doing.READ, 0, "Filename"),),
    "boto3.resource(s3).Bucket().download_file": (Touch(Doing.WRITE, 1, "Filename"),),
    "boto3.resource(s3).Bucket().upload_file": (Touch(Doing.READ, 0, "Filename"),),
    "boto3.resource(s3).Object().download_file": (Touch(Doing.WRITE, 0, "Filename"),),
    "boto3.resource(s3).Object().upload_file": (Touch(Doing.READ, 0, "Filename"),),
    "matplotlib.pyplot.savefig": (Touch(Doing.WRITE, 0, "fname"),),
    "numpy.save": (Touch(Doing.WRITE, 0, "file"),),
    "numpy.savez": (Touch(Doing.WRITE, 0, "file"),),
    "numpy.savetxt": (Touch(Doing.WRITE, 0, "fname"),),
    "numpy.load": (Touch(Doing.READ, 0, "file"),),
    "cv2.imwrite": (Touch(Doing.WRITE, 0, "filename"),),
    "cv2.imread": (Touch(Doing.READ, 0, "filename"),),
    "joblib.dump": (Touch(Doing.WRITE, 1, "filename"),),
    "joblib.load": (Touch(Doing.READ, 0, "filename"),),
    "torch.save": (Touch(Doing.WRITE, 1, "f"),),
    "torch.load": (Touch(Doing.READ, 0, "f"),),
    "pandas.read_csv": (Touch(Doing.READ, 0, "filepath_or_buffer"),),
    "pandas.read_parquet": (Touch(Doing.READ, 0, "path"),),
    "pandas.read_excel": (Touch(Doing.READ, 0, "io"),),
    "pandas.ExcelWriter": (Touch(Doing.WRITE, 0, "path"),),
}

#: Methods that write a file whatever they are called on, as those of data frames and figures do; the names are theirs.
BY_METHOD: Final[Mapping[str, tuple[Touch, ...]]] = {
    "to_csv": (Touch(Doing.WRITE, 0, "path_or_buf"),),
    "to_parquet": (Touch(Doing.WRITE, 0, "path"),),
    "to_excel": (Touch(Doing.WRITE, 0, "excel_writer"),),
    "to_pickle": (Touch(Doing.WRITE, 0, "path"),),
    "to_feather": (Touch(Doing.WRITE, 0, "path"),),
    "write_csv": (Touch(Doing.WRITE, 0, "file"),),
    "write_parquet": (Touch(Doing.WRITE, 0, "file"),),
    "savefig": (Touch(Doing.WRITE, 0, "fname"),),
}

#: The last parts of all names above: a call of another name touches no file that we know of.
LAST_PARTS: Final = frozenset(name.rpartition(".")[2] for name in BY_NAME) | BY_METHOD.keys() | {"NamedTemporaryFile"}
