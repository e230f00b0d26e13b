"""Libraries that keep files below the home directory, which does not exist in Lambda, and fail without it.

Read off the libraries in November 2026.  Those that go on in a temporary folder or in memory are not among them:
matplotlib, tldextract, yfinance, fontconfig.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class LibraryCache:
    """Where *library* puts files: the folder *place*, unless one of *variables* or of the *arguments* says otherwise.

    *position* is the one of the argument that says where, *names* the one that names what to fetch, if a path in it
    means that nothing is fetched.  *moved_by* are calls after which another folder is used.
    """

    library: str
    place: str
    variables: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    position: int | None = None
    names: tuple[str, ...] = ()
    moved_by: tuple[str, ...] = ()


_HOME: Final = ("HOME",)
_USER: Final = ("XDG_CACHE_HOME", *_HOME)

#: https://www.nltk.org/data.html
_NLTK: Final = LibraryCache(
    "nltk",
    "~/nltk_data",
    ("NLTK_DATA", *_HOME),
    ("download_dir",),
    1,
    moved_by=("nltk.data.path.append", "nltk.data.path.insert", "nltk.data.path.extend"),
)
#: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
_HUB: Final = LibraryCache(
    "huggingface_hub",
    "~/.cache/huggingface",
    (
        "HF_HOME",
        "HF_HUB_CACHE",
        "HF_HUB_OFFLINE",
        "HUGGINGFACE_HUB_CACHE",
        "SENTENCE_TRANSFORMERS_HOME",
        "TRANSFORMERS_CACHE",
        "TRANSFORMERS_OFFLINE",
        *_USER,
    ),
    ("cache_dir", "cache_folder", "local_dir", "local_files_only"),
    names=("model", "model_name_or_path", "pretrained_model_name_or_path", "repo_id"),
)
#: https://pytorch.org/docs/stable/hub.html
_TORCH: Final = LibraryCache(
    "torch.hub",
    "~/.cache/torch",
    ("TORCH_HOME", *_USER),
    ("model_dir", "source"),
    moved_by=("torch.hub.set_dir",),
)
#: https://github.com/openai/whisper/blob/main/whisper/__init__.py
_WHISPER: Final = LibraryCache("whisper", "~/.cache/whisper", _USER, ("download_root",), names=("name",))
#: https://www.jaided.ai/easyocr/documentation/
_EASYOCR: Final = LibraryCache(
    "easyocr", "~/.EasyOCR", ("EASYOCR_MODULE_PATH", "MODULE_PATH", *_HOME), ("model_storage_directory",)
)
#: https://numba.readthedocs.io/en/stable/reference/envvars.html
_NUMBA: Final = LibraryCache("numba", "__pycache__ or ~/.cache/numba", ("NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT", *_USER))

#: By the qualified name of what is called.
BY_CALL: Final[Mapping[str, LibraryCache]] = {
    "nltk.download": _NLTK,
    "nltk.downloader.download": _NLTK,
    "huggingface_hub.hf_hub_download": _HUB,
    "huggingface_hub.snapshot_download": _HUB,
    "sentence_transformers.SentenceTransformer": _HUB,
    "transformers.pipeline": _HUB,
    "torch.hub.load": _TORCH,
    "torch.hub.load_state_dict_from_url": _TORCH,
    "whisper.load_model": _WHISPER,
    "easyocr.Reader": _EASYOCR,
}
#: The method by which every class of ``transformers`` fetches a model.
FROM_PRETRAINED: Final = _HUB
#: Decorators that fail at once when they are told to keep what they compile.
NUMBA_DECORATORS: Final = frozenset(
    f"numba.{name}" for name in ("jit", "njit", "vectorize", "guvectorize", "cfunc", "stencil")
)
NUMBA: Final = _NUMBA
#: Packages that tell numba to keep what they compile.
NUMBA_USERS: Final = frozenset(("librosa", "pynndescent", "umap"))
