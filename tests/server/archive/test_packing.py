"""Archives made while they are sent, read back by the standard library, and archives looked into."""

import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioartifact.testing.archive import packing
from aioartifact.testing.archive import unpacking as archives
from aioartifact.testing.archive.packing import Member

MODIFIED = 1709626350_000
DATA = bytes(range(256)) * 20_000  # more than two batches


def unpacked(data: bytes, archive_type: str) -> dict[str, bytes]:
    if archive_type == "zip":
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            assert file.testzip() is None
            return {name: file.read(name) for name in file.namelist()}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:" if archive_type == "tar" else "r:gz") as file:
        return {member.name: file.extractfile(member).read() for member in file}


names = st.text(st.characters(exclude_categories=["C"], exclude_characters="/\\"), min_size=1).filter(
    lambda name: name not in (".", "..")
)


@pytest.mark.slow
@pytest.mark.parametrize("archive_type", ["zip", "tar", "tar.gz", "tgz"])
@given(files=st.dictionaries(names, st.binary()))
def test_packed_archives_can_be_read(archive_type, files):
    """Every name and content comes back."""
    members = [Member(name, len(data), MODIFIED, data) for name, data in files.items()]
    assert unpacked(b"".join(packing.packed(members, archive_type)), archive_type) == files


@pytest.mark.parametrize("archive_type", ["zip", "tar", "tar.gz"])
def test_packed_files_come_in_batches(tmp_path, archive_type):
    """A large file is read and yielded piece by piece; small files share a piece."""
    large = tmp_path / "large"
    large.write_bytes(b"".join(packing.packed([Member("x", len(DATA), MODIFIED, DATA)], "tar")))
    size = large.stat().st_size
    seen = []

    def members() -> Iterator[Member]:
        for number in range(100):
            yield Member(f"small{number}", 5, MODIFIED, b"small")
        seen.append("large")
        yield Member("large", size, MODIFIED, large)
        seen.append("end")

    batches = packing.packed(members(), archive_type)
    first = next(batches)
    if archive_type == "tar":
        assert len(first) < size
        assert seen == ["large"]
    found = unpacked(first + b"".join(batches), archive_type)
    assert (len(found), found["large"]) == (101, large.read_bytes())


@pytest.mark.parametrize(
    ("modified", "year"), [(MODIFIED, 2024), (0, 1980), (-1, 1980), (9_999_999_999_000, 2107)], ids=str
)
def test_dates_in_zip_files(modified, year):
    """The format knows the years 1980 to 2107; other dates are the nearest of these."""
    data = b"".join(packing.packed([Member("a", 1, modified, b"a")], "zip"))
    (info,) = zipfile.ZipFile(io.BytesIO(data)).infolist()
    assert info.date_time[0] == year


def test_members_of_tar_files():
    """They are ordinary files with the date of the artifact."""
    data = b"".join(packing.packed([Member("a", 1, MODIFIED, b"a")], "tar"))
    assert len(data) % tarfile.RECORDSIZE == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as file:
        (member,) = file
    assert (member.mtime, member.isreg(), stat.S_IMODE(member.mode)) == (MODIFIED / 1000, True, 0o644)


@pytest.fixture(params=["a.zip", "a.jar", "A.WAR", "a.tar", "a.tar.gz", "a.tgz"])
def archive(request, tmp_path):
    """Archives with a folder, a file in it, and a name that starts with a dot and a slash."""
    path = tmp_path / "blob"
    if request.param.lower().endswith(("zip", "jar", "war")):
        with zipfile.ZipFile(path, "w") as file:
            file.mkdir("d")
            file.writestr("d/x.txt", b"old")
            file.writestr("./y", b"y")
    else:
        with tarfile.open(path, "w:gz" if request.param.endswith("gz") else "w") as file:
            for name, kind, data in (("d", tarfile.DIRTYPE, b""), ("d/x.txt", None, b"old"), ("./y", None, b"y")):
                info = tarfile.TarInfo(name)
                info.type, info.size = kind or tarfile.REGTYPE, len(data)
                file.addfile(info, io.BytesIO(data))
            link = tarfile.TarInfo("link")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            file.addfile(link)
    return path, request.param


def test_entries_of_archives(archive):
    """Files only: neither folders nor links, and paths without a dot in front."""
    with archives.opened(*archive) as opened:
        found = {entry.path: opened.open(entry).read() for entry in opened.entries()}
        missing = archives.find(opened, "d")
        entry = archives.find(opened, "d/x.txt")
    assert (found, missing, entry) == ({"d/x.txt": b"old", "y": b"y"}, None, archives.Entry("d/x.txt", 3))


def test_the_last_of_several_entries_counts(tmp_path):
    """As it would after unpacking."""
    with tarfile.open(tmp_path / "a", "w") as file:
        for data in (b"first", b"last"):
            info = tarfile.TarInfo("x")
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    with archives.opened(tmp_path / "a", "a.tar") as opened:
        assert opened.open(archives.find(opened, "x")).read() == b"last"


def look_into(path, name):
    with archives.opened(path, name) as opened:
        return list(opened.entries())


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
@pytest.mark.parametrize("data", [b"", b"PK", b"nothing of the kind" * 100, b"\x1f\x8b\x08" + bytes(30)])
def test_broken_archives(tmp_path, name, data):
    """A file that is not an archive is reported as such."""
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(archives.BrokenArchiveError, match=name):
        look_into(tmp_path / "a", name)


@pytest.mark.parametrize(
    ("path", "safe"),
    [("a/b", True), ("..", False), ("a/../b", False), ("a..b", True), ("a\\..\\b", False), ("", False)],
)
def test_safe_entries(path, safe):
    """No path leads out of the folder."""
    assert archives.Entry(path, 0).is_safe is safe


@pytest.mark.parametrize(("name", "is_one"), [("a.ZIP", True), ("a.tar.gz", True), ("a.gz", False), ("zip", False)])
def test_names_of_archives(name, is_one):
    """The extension decides."""
    assert archives.is_archive(name) is is_one
