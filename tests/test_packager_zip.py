"""The writer against independent readers."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.errors import Refused
from lambdalint.packager.pack import RawMember, compressed
from lambdalint.packager.plan import SOURCE, PlannedEntry
from lambdalint.packager.zip import zip_bytes, zip_chunks

NAMES = st.text(st.characters(exclude_characters="/\\\x00:", exclude_categories=["Cs"]), min_size=1, max_size=20)
PATHS = st.lists(NAMES.filter(lambda name: name.strip(".")), min_size=1, max_size=3).map("/".join)
CONTENT = st.one_of(st.binary(max_size=2000), st.binary(max_size=20).map(lambda data: data * 500))
FILES = st.dictionaries(PATHS, st.tuples(CONTENT, st.booleans()), max_size=8)


def entries(files: dict[str, tuple[bytes, bool]]) -> list[PlannedEntry]:
    return [
        PlannedEntry(compressed(RawMember(path, data, executable)), SOURCE, SOURCE)
        for path, (data, executable) in files.items()
    ]


@given(FILES)
def test_what_is_written_is_read_back(files: dict[str, tuple[bytes, bool]]) -> None:
    data = b"".join(zip_chunks(entries(files)))
    assert len(data) == zip_bytes(entries(files))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == sorted(files)
        assert archive.testzip() is None
        for info in archive.infolist():
            content, executable = files[info.filename]
            assert archive.read(info) == content
            assert info.external_attr >> 16 == (0o100755 if executable else 0o100644)
            assert (info.create_system, info.date_time, info.extra, info.comment) == (
                3,
                (1980, 1, 1, 0, 0, 0),
                b"",
                b"",
            )
            assert info.flag_bits & ~0x800 == 0
            assert info.compress_size <= info.file_size


@given(FILES)
def test_the_order_of_entries_does_not_matter(files: dict[str, tuple[bytes, bool]]) -> None:
    backwards = dict(reversed(files.items()))
    assert b"".join(zip_chunks(entries(files))) == b"".join(zip_chunks(entries(backwards)))


def test_the_head_of_an_entry_is_read_without_the_rest() -> None:
    for data in (b"#!/bin/sh\n" * 1000, bytes(range(256))):
        member = compressed(RawMember("a", data))
        assert member.head(4) == data[:4]
        assert member.read() == data


def test_a_name_that_is_no_unicode_or_too_long_is_refused() -> None:
    for name in ("a\udcff", "a" * 70_000):
        with pytest.raises(Refused):
            list(zip_chunks(entries({name: (b"", False)})))
