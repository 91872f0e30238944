"""What repositories make of checksums that come with a file: which they refuse, which they keep."""

from ..repositories.definitions import Repository
from .blobs import Content
from .store import Checksums

_NAMES = {
    "client": "LocalRepoChecksumPolicy: CLIENT",
    "generate-if-absent": "RemoteRepoChecksumPolicy: GEN_IF_ABSENT",
    "fail": "RemoteRepoChecksumPolicy: FAIL",
}
_KEEPING = ("client", "pass-thru")  # what was supplied and nothing else, be it wrong


class ChecksumPolicyError(Exception):
    """A file came with other checksums than its own; the text is Artifactory's."""


def kept(repository: Repository, path: str, supplied: Checksums, content: Content) -> Checksums:
    """
    Return the checksums that *repository* records as the original ones of a file.

    Raises:
        ChecksumPolicyError: If the repository does not take the file.
    """
    policy = repository.checksum_policy
    if policy in _NAMES and not _fits(supplied, content):
        raise ChecksumPolicyError(_rejection(repository, path, supplied, content))
    if policy == "fail" and not (supplied.sha1 or supplied.md5 or supplied.sha256):
        raise ChecksumPolicyError(_rejection(repository, path, supplied, content))
    return supplied if policy in _KEEPING else Checksums(content.sha1, content.md5, content.sha256)


def _pairs(supplied: Checksums, content: Content) -> list[tuple[str, str | None, str]]:
    return [
        ("SHA-1", supplied.sha1, content.sha1),
        ("MD5", supplied.md5, content.md5),
        ("SHA-256", supplied.sha256, content.sha256),
    ]


def _fits(supplied: Checksums, content: Content) -> bool:
    return all(sent is None or sent.lower() == actual for _, sent, actual in _pairs(supplied, content))


def _rejection(repository: Repository, path: str, supplied: Checksums, content: Content) -> str:
    infos = ", ".join(
        f"{kind}=ChecksumInfo{{type={kind}, original='{sent or 'null'}', actual='{actual}'}}"
        for kind, sent, actual in _pairs(supplied, content)
    )
    return (
        f"Checksum policy '{_NAMES[repository.checksum_policy]}' rejected the artifact '{repository.key}:{path}'."
        f" Checksums info: ChecksumsInfo{{checksums={{{infos}}}}}"
    )
