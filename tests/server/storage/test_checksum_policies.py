"""Which checksums repositories insist on, and which they keep."""

import pytest

from aioartifact.testing.repositories.definitions import Repository
from aioartifact.testing.storage.blobs import content_of
from aioartifact.testing.storage.checksum_policies import ChecksumPolicyError, kept
from aioartifact.testing.storage.store import Checksums

CONTENT = content_of(b"content")
ACTUAL = Checksums(CONTENT.sha1, CONTENT.md5, CONTENT.sha256)
RIGHT, WRONG, NONE = Checksums(sha1=CONTENT.sha1.upper()), Checksums(md5="0" * 32), Checksums()


@pytest.mark.parametrize(
    ("policy", "of_right", "of_wrong", "of_none"),
    [
        ("client", RIGHT, None, NONE),
        ("server", ACTUAL, ACTUAL, ACTUAL),
        ("generate-if-absent", ACTUAL, None, ACTUAL),
        ("fail", ACTUAL, None, None),
        ("ignore-and-generate", ACTUAL, ACTUAL, ACTUAL),
        ("pass-thru", RIGHT, WRONG, NONE),
    ],
)
def test_policies(policy, of_right, of_wrong, of_none):
    """Each policy takes or refuses what fits, what does not, and nothing at all; None here stands for refused."""
    repository = Repository("libs", checksum_policy=policy)
    for supplied, expected in ((RIGHT, of_right), (WRONG, of_wrong), (NONE, of_none)):
        if expected is None:
            with pytest.raises(ChecksumPolicyError):
                kept(repository, "a", supplied, CONTENT)
        else:
            assert kept(repository, "a", supplied, CONTENT) == expected


def test_text_of_a_rejection():
    """The message names policy, file, and every checksum sent and found."""
    with pytest.raises(ChecksumPolicyError) as caught:
        kept(Repository("far", "remote", checksum_policy="fail"), "a/b", WRONG, CONTENT)
    assert str(caught.value) == (
        "Checksum policy 'RemoteRepoChecksumPolicy: FAIL' rejected the artifact 'far:a/b'. Checksums info:"
        f" ChecksumsInfo{{checksums={{SHA-1=ChecksumInfo{{type=SHA-1, original='null', actual='{CONTENT.sha1}'}},"
        f" MD5=ChecksumInfo{{type=MD5, original='{'0' * 32}', actual='{CONTENT.md5}'}},"
        f" SHA-256=ChecksumInfo{{type=SHA-256, original='null', actual='{CONTENT.sha256}'}}}}}}"
    )
