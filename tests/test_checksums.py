import pytest

from aioartifact._checksums import ALGORITHMS, Checksums, Digests, parse_algorithm
from aioartifact._errors import InvalidArgumentError

# Of no bytes at all, and of b"abc" (FIPS 180-4 and RFC 1321 give both as examples).
EMPTY = Checksums(
    sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    sha1="da39a3ee5e6b4b0d3255bfef95601890afd80709",
    md5="d41d8cd98f00b204e9800998ecf8427e",
)
ABC = Checksums(
    sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    sha1="a9993e364706816aba3e25717850c26c9cd0d89d",
    md5="900150983cd24fb0d6963f7d28e17f72",
)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([], EMPTY, id="nothing"),
        pytest.param([b""], EMPTY, id="empty-chunk"),
        pytest.param([b"abc"], ABC, id="one-chunk"),
        pytest.param([b"a", b"", b"bc"], ABC, id="chunks"),
        pytest.param([memoryview(b"xabcx")[1:4]], ABC, id="view"),
    ],
)
def test_digests_of_published_examples(chunks, expected):
    """However the bytes are cut, the digests are those of the whole."""
    digests = Digests(ALGORITHMS)
    for chunk in chunks:
        digests.update(chunk)

    assert digests.checksums() == expected


def test_digests_compute_what_is_asked_for():
    """Checksums that are not needed cost nothing, and are None."""
    digests = Digests(["md5"])
    digests.update(b"abc")

    assert digests.checksums() == Checksums(md5=ABC.md5)
    assert Digests([]).checksums() == Checksums()


def test_upper_case_is_kept_as_lower_case():
    """Artifactory compares without case, so one spelling is kept."""
    assert Checksums(ABC.sha256.upper(), ABC.sha1.upper(), ABC.md5.upper()) == ABC


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda good: good[1:], id="too-short"),
        pytest.param(lambda good: good + "0", id="too-long"),
        pytest.param(lambda good: "g" + good[1:], id="no-digit"),
        pytest.param(lambda good: good[:-1] + "\n", id="newline"),
        pytest.param(lambda good: "٣" + good[1:], id="arabic-digit"),
        pytest.param(lambda good: good.encode(), id="bytes"),
        pytest.param(lambda _: 5, id="number"),
    ],
)
def test_malformed_checksum(algorithm, spoil):
    """The error names the algorithm, and how many digits it has."""
    digits = len(ABC.get(algorithm))

    with pytest.raises(InvalidArgumentError, match=f"^{algorithm} checksum .* expected {digits} hexadecimal digits$"):
        Checksums(**{algorithm: spoil(ABC.get(algorithm))})


@pytest.mark.parametrize(
    ("checksums", "strongest"),
    [
        (ABC, ("sha256", ABC.sha256)),
        (Checksums(sha1=ABC.sha1, md5=ABC.md5), ("sha1", ABC.sha1)),
        (Checksums(md5=ABC.md5), ("md5", ABC.md5)),
        (Checksums(), None),
    ],
)
def test_strongest_known_checksum(checksums, strongest):
    """SHA-256 before SHA-1 before MD5; checksums without any are false."""
    assert checksums.strongest() == strongest
    assert bool(checksums) is (strongest is not None)


def test_get_by_name():
    """Each algorithm has its value, or None."""
    assert [ABC.get(name) for name in ALGORITHMS] == [ABC.sha256, ABC.sha1, ABC.md5]
    assert Checksums().get("sha1") is None


@pytest.mark.parametrize("name", ALGORITHMS)
def test_known_algorithm(name):
    """The three that Artifactory keeps."""
    assert parse_algorithm(name) == name


@pytest.mark.parametrize("name", ["", "sha512", "SHA256", "sha-256", None])
def test_unknown_algorithm(name):
    """The error lists what can be asked for, and is a ValueError, as the ancestor's was."""
    with pytest.raises(ValueError, match=r"^checksum type .*: expected one of 'md5', 'sha1', 'sha256'$") as caught:
        parse_algorithm(name)

    assert isinstance(caught.value, InvalidArgumentError)
