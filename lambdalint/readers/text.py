"""Bytes to text, as editors write it."""

import codecs

from lambdalint.errors import UnreadableInput

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(data: bytes, path: str) -> str:
    """*data* as text: UTF-8, or what its byte order mark says.

    Raises:
        UnreadableInput: it is no text in that encoding.
    """
    encoding = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        raise UnreadableInput(
            f"the file is not {encoding.removesuffix('-sig').upper()} text (byte {error.start})",
            path=path,
            line=before.count(b"\n") + 1,
            hint="save it as UTF-8",
        ) from error
