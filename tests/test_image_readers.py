"""Images read where they lie; tarfile is the judge, hostile layers are the trouble."""

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalint.errors import UnreadableInput
from lambdalint.model.artifact import RecordKind
from lambdalint.model.image import Image, ImageLayer
from lambdalint.readers.image.docker_archive import read_docker_archive
from lambdalint.readers.image.documents import read_config, read_manifest
from lambdalint.readers.image.files import image_files
from lambdalint.readers.image.layers import Blob, read_layer
from lambdalint.readers.image.oci import oci_image, read_oci
from lambdalint.readers.image.tar import Damaged, Tar
from lambdalint_rules.artifacts import image_samples

CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "created": "2026-03-04T05:06:07Z",
    "config": {"Env": ["LANG=C", "EMPTY="], "Cmd": ["app.handler"], "Entrypoint": ["/run"], "Labels": {"a": "b"}},
    "history": [{"created_by": "COPY", "empty_layer": False}, {"created_by": "CMD", "empty_layer": True}],
}


def tarred(members: Iterable[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def member(name: str, data: bytes = b"", **given: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    for key, value in given.items():
        setattr(info, key, value)
    return info, data


def layer(data: bytes) -> ImageLayer:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return read_layer(ImageLayer(digest, "layer", len(data)), Blob(len(data), lambda: io.BytesIO(data)))


class Stream(io.BytesIO):
    def skip(self, count: int, /) -> None:
        self.seek(count, io.SEEK_CUR)


def layout(root: Path, layers: list[bytes], config: dict[str, Any] | None = None) -> Path:
    def put(data: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        place = root / "blobs" / "sha256" / digest
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}

    diff_ids = [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers]
    document = {**(config or CONFIG), "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    manifest = {
        "schemaVersion": 2,
        "config": put(json.dumps(document).encode(), "application/vnd.oci.image.config.v1+json"),
        "layers": [
            put(gzip.compress(data, 1, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip") for data in layers
        ],
    }
    listed = put(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [listed]}))
    (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return root


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=120).filter(
    lambda name: name not in (".", "..")
)
NUMBERS = st.integers(0, 1 << 40)


@given(
    st.lists(
        st.tuples(
            st.lists(NAMES, min_size=1, max_size=4).map("/".join),
            st.binary(max_size=1_500),
            st.integers(0, 0o777),
            NUMBERS,
            NUMBERS,
        ),
        max_size=6,
    ),
    st.sampled_from((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)),
)
def test_records_are_those_that_tarfile_wrote(files: list[tuple[str, bytes, int, int, int]], form: int) -> None:
    data = tarred((member(name, body, mode=mode, uid=uid, mtime=when) for name, body, mode, uid, when in files), form)
    tar = Tar(Stream(data))
    found = [(each.name, tar.content(1 << 20), each.mode, each.uid, each.modified) for each in tar.records()]
    assert found == files


def test_a_layer_says_kinds_links_and_what_it_removes() -> None:
    data = tarred(
        [
            member("./var/", type=tarfile.DIRTYPE, mode=0o755),
            member("var/app.py", b"x = 1\n", mode=0o640, uid=7, gid=8),
            member("var/soft", type=tarfile.SYMTYPE, linkname="app.py"),
            member("var/hard", type=tarfile.LNKTYPE, linkname="./var/app.py"),
            member("var/pipe", type=tarfile.FIFOTYPE),
            member("opt/.wh.old.py"),
            member("lib/.wh..wh..opq"),
        ]
    )
    read = layer(gzip.compress(data))
    assert read.damages == ()
    assert read.unpacked_bytes == len(data)
    assert read.measured_diff_id == f"sha256:{hashlib.sha256(data).hexdigest()}"
    entries = {each.path: each for each in read.entries or ()}
    assert {path: each.kind for path, each in entries.items()} == {
        "var": RecordKind.FOLDER,
        "var/app.py": RecordKind.FILE,
        "var/soft": RecordKind.LINK,
        "var/hard": RecordKind.FILE,
        "var/pipe": RecordKind.OTHER,
        "opt/old.py": RecordKind.FILE,
        "lib": RecordKind.FILE,
    }
    assert (entries["var/app.py"].mode, entries["var/app.py"].uid, entries["var/app.py"].gid) == (0o640, 7, 8)
    assert entries["var/soft"].target == "app.py"
    assert entries["var/hard"].target == "var/app.py"
    assert entries["opt/old.py"].is_whiteout
    assert entries["lib"].is_opaque
    assert read.contents is not None
    assert read.contents(["var/app.py", "var/absent"]) == {"var/app.py": b"x = 1\n"}


TWO = tarred([member("a", b"a" * 3_000), member("b", b"b")])


@pytest.mark.parametrize(
    ("data", "damage"),
    [
        (gzip.compress(TWO)[:-30], "it ends within its compressed data"),
        (gzip.compress(TWO[:2_000]), "the archive ends within"),
        (gzip.compress(TWO[:100] + b"?" + TWO[101:]), "a header has a wrong checksum"),
        (b"\x1f\x8b\x08nonsense", "its compressed data are damaged"),
        (b"\x28\xb5\x2f\xfd rest", "it is compressed with zstd, which is not read"),
        (b"no archive at all" * 50, "a header"),
        (b"short", "the archive ends within a header"),
    ],
)
def test_a_damaged_layer_says_so(data: bytes, damage: str) -> None:
    read = layer(data)
    if damage == "the archive ends within":
        assert [each.path for each in read.entries or ()] == ["a"]
    else:
        assert any(damage in each for each in read.damages)


def test_parts_compressed_one_by_one_are_one_layer() -> None:
    read = layer(gzip.compress(TWO[:1_000]) + gzip.compress(TWO[1_000:]))
    assert read.damages == ()
    assert read.measured_diff_id == f"sha256:{hashlib.sha256(TWO).hexdigest()}"


def test_a_wrong_digest_is_a_damage() -> None:
    data = gzip.compress(TWO)
    read = read_layer(ImageLayer("sha256:" + "0" * 64, "layer", len(data)), Blob(len(data), lambda: io.BytesIO(data)))
    assert any("has another hash" in each for each in read.damages)


@given(st.data())
def test_flipped_bytes_are_a_damage_or_nothing(data: st.DataObject) -> None:
    broken = bytearray(TWO)
    for _ in range(data.draw(st.integers(1, 5))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    layer(bytes(broken))


def test_a_name_of_a_gigabyte_is_refused_before_it_is_read() -> None:
    info = tarfile.TarInfo("long")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    with pytest.raises(Damaged, match="bytes of names"):
        list(Tar(Stream(info.tobuf(tarfile.GNU_FORMAT))).records())


def read_both(root: Path) -> list[Image]:
    folder = layout(root / "layout", [TWO])
    archive = root / "image.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(folder, arcname=".")
    return [read_oci(folder, "layout"), read_oci(archive, "image.tar")]


def test_a_layout_and_its_archive_are_one_image(tmp_path: Path) -> None:
    for image in read_both(tmp_path):
        assert image.config is not None
        assert image.config.environment == {"LANG": "C", "EMPTY": ""}
        assert image.config.command == ("app.handler",)
        assert [each.is_empty for each in image.config.history] == [False, True]
        assert str(image.config.created) == "2026-03-04"
        assert image.unpacked_bytes == len(TWO)
        assert [each.measured_diff_id == each.diff_id for each in image.layers] == [True]


def test_an_archive_of_docker_is_read(tmp_path: Path) -> None:
    config = json.dumps({**CONFIG, "rootfs": {"diff_ids": [f"sha256:{hashlib.sha256(TWO).hexdigest()}"]}}).encode()
    rows = [{"Config": "config.json", "RepoTags": ["orders:1"], "Layers": ["1/layer.tar", "2/layer.tar"]}]
    path = tmp_path / "image.tar"
    path.write_bytes(
        tarred(
            [
                member("manifest.json", json.dumps(rows).encode()),
                member("config.json", config),
                member("1/layer.tar", TWO),
                member("2/layer.tar", type=tarfile.SYMTYPE, linkname="../1/layer.tar"),
            ]
        )
    )
    image = read_docker_archive(path, "image.tar", "orders:1")
    assert [[each.path for each in layer.entries or ()] for layer in image.layers] == [["a", "b"], ["a", "b"]]
    with pytest.raises(UnreadableInput, match="no image orders:2"):
        read_docker_archive(path, "image.tar", "orders:2")


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"config": {}, "layers": []}', b"[" * 100_000, b'{"config": {"digest": 1}, "layers": [1]}'],
)
def test_a_manifest_of_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableInput):
        read_manifest(data, "manifest")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(CONFIG)), inner, max_size=4),
    )
)
def test_a_configuration_of_any_form_is_read_or_refused(node: Any) -> None:
    with contextlib.suppress(UnreadableInput):
        read_config(json.dumps({"config": node, "rootfs": node, "history": node, "created": node}).encode(), "config")


def test_a_layout_without_its_index_is_refused(tmp_path: Path) -> None:
    folder = layout(tmp_path, [TWO])
    (folder / "index.json").unlink()
    with pytest.raises(UnreadableInput, match=r"index\.json"):
        read_oci(folder, "layout")


@pytest.mark.parametrize("name", ["orders.tar.gz", "orders.tgz"])
def test_an_archive_that_is_compressed_as_a_whole_is_read_like_the_archive(tmp_path: Path, name: str) -> None:
    plain = image_samples.image()
    (tmp_path / "orders.tar").write_bytes(plain)
    half = len(plain) // 2
    (tmp_path / name).write_bytes(gzip.compress(plain[:half]) + gzip.compress(plain[half:]) + bytes(512))
    digests = [
        [layer.measured_diff_id for layer in oci_image(image_files(tmp_path / each, each), each).layers]
        for each in ("orders.tar", name)
    ]
    assert digests[0] == digests[1]
    assert None not in digests[0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(bytes(100_000))[:-20], "ends within its compressed data"),
        (gzip.compress(bytes(100_000))[:40] + b"?" * 60, "compressed data are damaged"),
        (gzip.compress(bytes(300 * 1024 * 1024), 1), "unpacks to more than 268,435,456 bytes"),
        (b"\x28\xb5\x2f\xfd" + bytes(100), "compressed with zstd, which is not read"),
    ],
)
def test_a_compressed_archive_that_cannot_be_unpacked_says_why(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "orders.tar.gz").write_bytes(data)
    with pytest.raises(UnreadableInput, match=message):
        image_files(tmp_path / "orders.tar.gz", "orders.tar.gz")
