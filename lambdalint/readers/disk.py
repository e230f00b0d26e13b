"""What lies on the disk, for whoever runs us: where one may not look, there is nothing."""

from pathlib import Path


def exists(path: Path) -> bool:
    """Whether there is a file or folder at *path*."""
    try:
        return path.exists()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether there is a file at *path*."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder at *path*."""
    try:
        return path.is_dir()
    except OSError:
        return False
