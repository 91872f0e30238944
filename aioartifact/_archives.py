"""
What is in a zip or tar file, read with the standard library from any binary file that can seek; blocks.

Archives come from anybody: whatever is wrong with one, or made to hurt, ends as an ArchiveError.
"""

import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol, Self

from ._errors import ArchiveError, ArtifactoryError
from ._models import ArchiveMember, MemberKind

# All that zipfile and tarfile let through about files that are not what they should be.
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    OSError,  # "not a gzip file" is one
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,  # a compression that zipfile lacks
    RuntimeError,  # a password
    ValueError,  # numbers and names that are none
    OverflowError,
)
# Heads whose content belongs to the next member: its long name, its attributes. No file system has longer ones.
_EXTENSIONS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_LONGEST_EXTENSION = 1024 * 1024
# Of LZMA, which makes of one byte some thousands.
_SLICE = 256
_SERVED = (".zip", ".jar", ".war", ".ear", ".nupkg", ".whl", ".egg", ".apk", ".tar", ".tar.gz", ".tgz")


class Archive(Protocol):
    """An open archive."""

    def members(self) -> Iterator[tuple[ArchiveMember, object]]:
        """Every member in its order, and what names it to :meth:`open`."""
        ...

    def open(self, handle: object) -> IO[bytes]:
        """Open a file of the archive."""
        ...


def is_served(name: str) -> bool:
    """Whether a file of this *name* is one that a server looks into by itself."""
    return name.lower().endswith(_SERVED)


@contextmanager
def opened(file: IO[bytes], name: str) -> Iterator[Archive]:
    """
    Open the archive in *file*; the type is detected from its first bytes.

    Raises:
        ArchiveError: If it is not one, or damaged, also where that shows only in the block.
    """
    try:
        start = file.read(2)
        file.seek(0)
        if start == b"PK":
            with zipfile.ZipFile(file) as zipped:
                yield _Zip(zipped)
        else:
            with tarfile.open(fileobj=file, mode="r:*", tarinfo=_TarHead) as tarred:
                yield _Tar(tarred)
    except ArtifactoryError:
        raise
    except _BROKEN as error:
        what = " ".join(str(error).split())  # tarfile lists its attempts on further lines
        raise ArchiveError(f"{name}: cannot be read as an archive: {what}") from error


def list_members(file: IO[bytes], name: str) -> list[ArchiveMember]:
    """
    List the members of the archive in *file*.

    Raises:
        ArchiveError: If it is not one, or is damaged.
    """
    with opened(file, name) as archive:
        return [member for member, _ in archive.members()]


def read_member(file: IO[bytes], name: str, member: str, max_size: int) -> bytes | None:
    """
    Read one file of the archive in *file*; the last of that name, as unpacking would leave it. None if there is none.

    Raises:
        ArchiveError: If it is not one, or damaged; or the member is not a file, or declares more than *max_size* bytes.
    """
    found: ArchiveMember | None = None
    content = b""
    with opened(file, name) as archive:
        for each, handle in archive.members():
            if each.name == member:
                found = each
                # Now, and not at the end: a compressed tar file goes back only by starting over.
                content = _content(archive, handle, each) if each.kind == "file" and each.size <= max_size else b""
    if found is None:
        return None
    if found.kind != "file":
        raise ArchiveError(f"{name}: its member {member!r} is a {found.kind}, expected a file")
    check_size(name, member, found.size, max_size)
    return content


def _content(archive: Archive, handle: object, member: ArchiveMember) -> bytes:
    with archive.open(handle) as file:
        content = file.read(member.size + 1)  # one more than it declares: nothing may come after that
    if len(content) != member.size:
        raise EOFError(f"{member.name!r} has not the {member.size} bytes that it declares")
    return content


def check_size(name: str, member: str, size: int, max_size: int) -> None:
    """
    Refuse a member that is larger than the caller wants to hold.

    Raises:
        ArchiveError: If it is.
    """
    if size > max_size:
        raise ArchiveError(
            f"{name}: its member {member!r} has {size} bytes, more than {max_size}",
            hint="raise max_size if you trust the archive, or download it",
        )


class _Zip:
    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file

    def members(self) -> Iterator[tuple[ArchiveMember, object]]:
        for each in self._file.infolist():
            yield ArchiveMember(_clean(each.filename), each.file_size, _zip_kind(each)), each

    def open(self, handle: object) -> IO[bytes]:
        assert isinstance(handle, zipfile.ZipInfo)
        file = self._file.open(handle)
        if handle.compress_type in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            # There is no other way in.
            file._decompressor = _Bounded(file._decompressor, handle)  # type: ignore[attr-defined]  # noqa: SLF001
        return file


class _Bounded:
    """Unpacks no more than a member declares: zipfile has bzip2 and LZMA unpack at once all that they are given."""

    def __init__(self, decompressor: Any, member: zipfile.ZipInfo) -> None:
        self._decompressor = decompressor
        self._can_limit = member.compress_type == zipfile.ZIP_BZIP2
        self._left = member.file_size

    @property
    def eof(self) -> bool:
        return bool(self._decompressor.eof)

    def decompress(self, data: bytes) -> bytes:
        return b"".join(self._pieces(data))

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _SLICE):
            if self.eof:
                return
            limit = (self._left + 1,) if self._can_limit else ()
            piece: bytes = self._decompressor.decompress(data[start : start + _SLICE], *limit)
            self._left -= len(piece)
            if self._left < 0:
                raise EOFError("a member has more bytes than it declares")
            yield piece


def _zip_kind(info: zipfile.ZipInfo) -> MemberKind:
    if info.is_dir():
        return "folder"
    # Made on Unix, it has a mode; a symbolic link's content is its target.
    kind = stat.S_IFMT(info.external_attr >> 16)
    return "link" if kind == stat.S_IFLNK else "file" if kind in (0, stat.S_IFREG) else "other"


class _TarHead(tarfile.TarInfo):
    """The head of a member; tarfile takes a damaged one for the end, and reads one of any length into memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            head = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if not buf.strip(b"\0"):
                raise  # zeros, or nothing: the end
            raise tarfile.ReadError(str(error)) from error
        if head.type in _EXTENSIONS and head.size > _LONGEST_EXTENSION:
            raise tarfile.ReadError(f"a member has a head of {head.size} bytes")
        return head


class _Tar:
    def __init__(self, file: tarfile.TarFile) -> None:
        self._file = file

    def members(self) -> Iterator[tuple[ArchiveMember, object]]:
        while each := self._file.next():
            # They are not needed again, and each may keep a long header.
            self._file.members.clear()  # type: ignore[attr-defined]  # typeshed lacks it
            yield ArchiveMember(_clean(each.name), each.size, _tar_kind(each)), each

    def open(self, handle: object) -> IO[bytes]:
        assert isinstance(handle, tarfile.TarInfo)
        return self._file.extractfile(handle) or io.BytesIO()


def _tar_kind(info: tarfile.TarInfo) -> MemberKind:
    if info.isfile():
        return "file"
    if info.isdir():
        return "folder"
    return "link" if info.issym() or info.islnk() else "other"


def _clean(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))
