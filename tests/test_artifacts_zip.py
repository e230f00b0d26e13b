import io
import os
import shutil
import stat
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdalint.errors import LambdalintError, UnreadableInput
from lambdalint.readers import zip as zip_reader
from lambdalint.readers import zip_directory
from lambdalint.readers.zip import read_zip
from lambdalint_rules.artifacts.samples import archive, member, sized_archive, written

FILES = {"app.py": b"def handler(event, context): ...\n", "lib/data.bin": bytes(range(256)) * 300, "empty": b""}


def made_with(info: zipfile.ZipInfo, content: bytes = b"content") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(info, content)
    return out.getvalue()


def contents(source: Path | bytes) -> dict[str, bytes]:
    return {entry.path: entry.read() for entry in read_zip(source, "bundle.zip").entries}


def test_entries_have_the_sizes_of_the_directory_and_give_their_content() -> None:
    entries = read_zip(archive(FILES), "bundle.zip").entries
    assert {entry.path: entry.read() for entry in entries} == FILES
    assert [entry.size for entry in entries] == [len(content) for content in FILES.values()]
    assert all(entry.packed_bytes is not None and entry.packed_bytes <= entry.size + 2 for entry in entries)


def test_the_head_of_an_entry_is_read_alone() -> None:
    (whole,) = read_zip(archive({"data": b"abc" * 1_000}), "bundle.zip").entries
    assert whole.head(4) == b"abca"
    assert whole.head(10_000) == whole.read()


def test_an_archive_without_files_has_no_entries() -> None:
    assert read_zip(archive({}), "bundle.zip").entries == ()


@pytest.mark.parametrize(
    "name", ["../app.py", "a/../../app.py", "/app.py", "a\\..\\app.py", "C:/app.py", ".", "folder/"]
)
def test_what_leads_elsewhere_or_is_no_file_is_left_out(name: str) -> None:
    assert read_zip(made_with(zipfile.ZipInfo(name)), "bundle.zip").entries == ()


def test_names_are_told_apart_from_their_spelling() -> None:
    assert [entry.path for entry in read_zip(made_with(zipfile.ZipInfo("./a//b.py")), "bundle.zip").entries] == [
        "a/b.py"
    ]
    assert [entry.path for entry in read_zip(made_with(zipfile.ZipInfo("größe.py")), "bundle.zip").entries] == [
        "größe.py"
    ]


def test_of_two_entries_with_one_name_the_last_counts() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("app.py", b"first")
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("app.py", b"second")
    assert contents(out.getvalue()) == {"app.py": b"second"}


def test_symbolic_links_are_left_out_and_execute_bits_kept() -> None:
    link, program = zipfile.ZipInfo("libx.so"), zipfile.ZipInfo("bin/tool")
    link.external_attr, program.external_attr = (stat.S_IFLNK | 0o777) << 16, (stat.S_IFREG | 0o755) << 16
    assert read_zip(made_with(link, b"libx.so.1"), "bundle.zip").entries == ()
    assert [entry.executable for entry in read_zip(made_with(program), "bundle.zip").entries] == [True]


def damages(data: bytes) -> str:
    return "\n".join(damage.message for damage in read_zip(data, "bundle.zip").damages)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"PK", "no ZIP"),
        (b"#!/bin/sh\n" * 100, "no ZIP"),
        (archive(FILES)[:-30], "cut short"),
        (archive(FILES)[:200], "cut short"),
    ],
)
def test_what_is_no_archive_is_said_to_be_none(data: bytes, message: str) -> None:
    assert message in damages(data)
    assert read_zip(data, "bundle.zip").entries == ()


@pytest.mark.parametrize(
    ("method", "name"), [(9, "Deflate64"), (12, "bzip2"), (14, "LZMA"), (93, "Zstandard"), (77, "77")]
)
def test_a_method_that_lambda_does_not_read_is_named(method: int, name: str) -> None:
    data = bytearray(made_with(zipfile.ZipInfo("app.py")))
    for at in (8, data.index(b"PK\x01\x02") + 10):
        data[at : at + 2] = method.to_bytes(2, "little")
    assert damages(bytes(data)).startswith(f"app.py is packed with {name if method != 77 else 'method 77'}")


def test_an_encrypted_entry_is_listed_and_not_read() -> None:
    data = bytearray(made_with(zipfile.ZipInfo("app.py")))
    for at in (6, data.index(b"PK\x01\x02") + 8):
        data[at] |= 1
    assert damages(bytes(data)) == "app.py is encrypted"
    (entry,) = read_zip(bytes(data), "bundle.zip").entries
    with pytest.raises(UnreadableInput, match="encrypted"):
        entry.read()


def test_an_entry_that_unpacks_to_more_than_it_says_is_not_read_on() -> None:
    bomb = bytearray(archive({"zeros": bytes(50_000_000)}))
    at = bomb.index(b"PK\x01\x02") + 24
    bomb[at : at + 4] = (10).to_bytes(4, "little")
    (entry,) = read_zip(bytes(bomb), "bundle.zip").entries
    with pytest.raises(UnreadableInput, match="does not unpack to the 10 bytes"):
        entry.read()


def test_an_entry_larger_than_a_function_is_not_unpacked() -> None:
    (entry,) = read_zip(sized_archive({"big": (10, zip_reader.MAX_ENTRY_BYTES + 1)}), "bundle.zip").entries
    with pytest.raises(UnreadableInput, match="more than a function may have"):
        entry.read()


def test_nobody_unpacks_an_archive_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_reader, "MAX_ARCHIVE_BYTES", 100)
    first, second = read_zip(archive({"a": bytes(80), "b": bytes(80)}), "bundle.zip").entries
    assert first.read() == bytes(80)
    with pytest.raises(UnreadableInput, match="100 bytes are unpacked before it"):
        second.read()


def test_a_damaged_entry_is_said_to_be_damaged() -> None:
    data = bytearray(made_with(zipfile.ZipInfo("app.py"), b"content"))
    data[data.index(b"content")] ^= 1
    (entry,) = read_zip(bytes(data), "bundle.zip").entries
    with pytest.raises(UnreadableInput, match="checksum"):
        entry.read()


def test_so_many_entries_are_looked_at_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_directory, "MAX_RECORDS", 2)
    assert damages(archive(FILES)) == "the archive has 3 entries; the first 2 were looked at"
    monkeypatch.setattr(zip_directory, "MAX_DIRECTORY_BYTES", 64)
    assert "directory has" in damages(archive(FILES))


def test_deflate64_is_read_with_its_extra(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"abcdefgh" * 500_000)
    command = ["7z", "a", "-bd", "-tzip", "-mm=Deflate64", "out.zip", "data"]
    subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    found = read_zip(tmp_path / "out.zip", "bundle.zip")
    assert "Deflate64" in found.damages[0].message
    (entry,) = found.entries
    assert (len(entry.read()), entry.head(10)) == (4_000_000, b"abcdefghab")


def test_links_lead_to_what_is_unpacked() -> None:
    links = {
        "libx.so": "lib/libx.so.1",
        "folder": "lib",
        "chain": "libx.so",
        "out": "../x",
        "gone": "no",
        "loop": "loop",
    }
    members = [(member(name, 0o120777), target.encode()) for name, target in links.items()]
    found = read_zip(written([*members, (member("lib/libx.so.1"), b"")]), "bundle.zip")
    assert found.links == {"libx.so": "lib/libx.so.1", "folder": "lib", "chain": "lib/libx.so.1"}
    assert [record.target for record in found.records] == [*links.values(), None]


def test_a_file_that_is_gone_is_an_error_with_a_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="cannot be read"):
        read_zip(tmp_path / "absent.zip", "absent.zip")
    path = tmp_path / "bundle.zip"
    path.write_bytes(archive(FILES))
    entry = read_zip(path, "bundle.zip").entries[0]
    path.unlink()
    with pytest.raises(UnreadableInput, match=r"app\.py"):
        entry.read()


@pytest.mark.parametrize(
    "command",
    [
        ["zip", "-q", "-r", "out.zip", "."],
        ["zip", "-q", "-r", "-0", "out.zip", "."],
        ["7z", "a", "-bd", "-tzip", "-mm=Deflate", "out.zip", "."],
        ["bsdtar", "-a", "-cf", "out.zip", "app.py", "lib", "empty"],
    ],
    ids=lambda command: "-".join(command[:4]),
)
def test_archives_of_other_tools_are_read(command: list[str], tmp_path: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    subprocess.run(
        command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    assert contents(tmp_path / "out.zip") == FILES


def is_refused_by_others(path: Path) -> bool:
    """Whether ``unzip`` or Python's own reader finds an error, not only something to warn of."""
    try:
        with zipfile.ZipFile(path) as made:
            if made.testzip() is not None:
                return True
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error):
        return True
    return subprocess.run(["unzip", "-tqq", path], capture_output=True, stdin=subprocess.DEVNULL).returncode > 1


def is_refused(data: bytes) -> bool:
    found = read_zip(data, "bundle.zip")
    try:
        for entry in found.entries:
            entry.read()
    except UnreadableInput:
        return True
    return bool(found.damages)


def test_what_others_refuse_after_one_byte_was_changed_is_refused(tmp_path: Path) -> None:
    good = archive({"app.py": FILES["app.py"], "rates.csv": b"eur,1\n" * 40})
    path = tmp_path / "out.zip"
    assert not is_refused(good)
    for place in range(len(good)):
        made = bytearray(good)
        made[place] ^= 0x81
        path.write_bytes(made)
        assert is_refused(bytes(made)) or not is_refused_by_others(path), f"byte {place}"


def read_all(data: bytes) -> None:
    try:
        entries = read_zip(data, "bundle.zip").entries
    except LambdalintError:
        return
    for entry in entries:
        try:
            entry.head(16)
            entry.read()
        except LambdalintError:
            continue


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_mutated_archive_gives_entries_or_an_error_of_ours(data: st.DataObject) -> None:
    made = bytearray(archive(FILES))
    for _ in range(data.draw(st.integers(1, 6))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
    read_all(bytes(made[: data.draw(st.integers(0, len(made)))] if data.draw(st.booleans()) else made))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_mutated_directory_gives_entries_or_an_error_of_ours(data: st.DataObject) -> None:
    made = bytearray(archive(FILES))
    start = made.index(b"PK\x01\x02")
    for _ in range(data.draw(st.integers(1, 4))):
        made[data.draw(st.integers(start, len(made) - 1))] = data.draw(st.integers(0, 255))
    read_all(bytes(made))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_nonsense_gives_an_error_of_ours(junk: bytes) -> None:
    read_all(junk)
    read_all(junk + b"PK\x05\x06" + junk[:18].ljust(18, b"\0"))
