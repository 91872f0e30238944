import dataclasses

import pytest

from aioartifact import NotFoundError, RateLimitedError, ResponseError, ServerError
from aioartifact._bodies import decode_text
from aioartifact._checksums import Checksums
from aioartifact._models import (
    ArtifactVersions,
    Child,
    Deletion,
    FileInfo,
    FolderInfo,
    MavenMetadata,
    Response,
)
from aioartifact._sync import SyncAction, SyncPlan

URL = "https://host/artifactory/r/a"


@pytest.mark.parametrize(
    ("content", "content_type", "text"),
    [
        pytest.param("ü".encode(), "", "ü", id="nothing-said"),
        pytest.param("ü".encode(), "application/vnd.org.jfrog.x+json", "ü", id="no-charset"),
        pytest.param(b"\xfc", "application/json;charset=ISO-8859-1", "ü", id="servlet-layer"),
        pytest.param("ü".encode(), "application/json;charset=ISO-8859-1", "Ã¼", id="charset-is-believed"),
        pytest.param(b"\xfc", 'text/plain; Charset="iso-8859-1"', "ü", id="quoted"),
        pytest.param(b"\xfc", "text/plain; charset=utf-8", "ü", id="not-what-it-says"),
        pytest.param(b"\xfc", "", "ü", id="no-utf-8"),
        pytest.param("ü".encode("utf-16"), "text/plain; charset=UTF-16", "ü", id="utf-16"),
        pytest.param("ü".encode(), "text/plain; charset=klingon", "ü", id="unknown"),
        pytest.param("ü".encode(), "text/plain; charset=hex", "ü", id="no-text-encoding"),
        pytest.param("ü".encode(), "text/plain; charset=idna", "ü", id="fails-in-its-own-way"),
        pytest.param("ü".encode(), "text/plain; charset=undefined", "ü", id="always-fails"),
        pytest.param("ü".encode(), "text/plain; charset=", "ü", id="charset-empty"),
        pytest.param(b"", "text/plain; charset=utf-8", "", id="empty"),
    ],
)
def test_decoded_text(content, content_type, text):
    """The charset of the answer, else UTF-8, else Latin-1, which reads everything."""
    assert decode_text(content, content_type) == text


def test_response_is_read_as_text_and_json():
    """The body is there as bytes, as text and parsed."""
    response = Response(200, b'{"a": "\xfc"}', {"Content-Type": "application/json;charset=ISO-8859-1"}, URL)

    assert (response.text, response.json()) == ('{"a": "ü"}', {"a": "ü"})
    assert repr(response) == f"Response(status_code=200, url={URL!r})"


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"a": '])
def test_response_that_is_no_json(content):
    """A ValueError, as from the standard library."""
    with pytest.raises(ValueError, match="Expecting value"):
        Response(200, content, {}, URL).json()


@pytest.mark.parametrize(
    ("info", "name"),
    [
        (FileInfo(URL, "r", "a/b.jar"), "b.jar"),
        (FileInfo(URL, "r", "b.jar"), "b.jar"),
        (FolderInfo(URL, "r", "a/b"), "b"),
        (FolderInfo(URL, "r", "a"), "a"),
        (FolderInfo(URL, "r", ""), "r"),
    ],
)
def test_name_is_the_last_segment(info, name):
    """A repository is named by its key."""
    assert info.name == name


def test_info_of_what_is_hardly_known():
    """Only address and place are sure; the rest has a value that says unknown."""
    unknown = {"created": None, "modified": None, "created_by": None, "modified_by": None}
    place = {"url": URL, "repository": "r", "path": "a"}

    assert dataclasses.asdict(FileInfo(**place)) == place | unknown | {
        "size": None,
        "checksums": dataclasses.asdict(Checksums()),
        "mime_type": None,
    }
    assert dataclasses.asdict(FolderInfo(**place)) == place | unknown | {"children": ()}


@pytest.mark.parametrize("value", [FileInfo(URL, "r", "a"), FolderInfo(URL, "r", "a"), Child("a", folder=True)])
def test_values_cannot_be_changed(value):
    """They can be shared between tasks, and be keys."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, "other")
    assert {value: 1}[dataclasses.replace(value)] == 1


@pytest.mark.parametrize(
    ("status", "ok", "reason"),
    [
        (200, True, "OK"),
        (299, True, ""),
        (304, True, "Not Modified"),
        (404, False, "Not Found"),
        (500, False, "Internal Server Error"),
        (599, False, ""),
    ],
)
def test_status_of_a_response(status, ok, reason):
    """Attributes of requests' responses, by the same rule: below 400 is fine."""
    response = Response(status, b"", {}, URL)
    assert (response.ok, response.reason) == (ok, reason)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, ResponseError), (404, NotFoundError), (429, RateLimitedError), (599, ServerError)]
)
def test_raise_for_status_of_a_response(status, kind):
    """The class that belongs to the status, without what the body may hold."""
    response = Response(status, b"token=S3cret", {}, URL)
    with pytest.raises(kind) as caught:
        response.raise_for_status()
    assert caught.value.status == status
    assert str(caught.value).startswith(f"{URL}: {status}")
    assert "S3cret" not in repr(caught.value)


@pytest.mark.parametrize("status", [200, 302, 399])
def test_raise_for_status_of_a_success(status):
    """Nothing below 400 raises, and nothing is returned, as in requests."""
    assert Response(status, b"", {}, URL).raise_for_status() is None


@pytest.mark.parametrize(
    "value",
    [
        FolderInfo(URL, "r", "a", tuple(Child(f"n{n}", folder=False) for n in range(5000))),
        Deletion(URL, dry_run=True, files=tuple(FileInfo(URL, "r", "a") for _ in range(5000))),
        ArtifactVersions("g", "n", versions=tuple(f"1.0.{n}" for n in range(5000))),
        MavenMetadata(None, None, tuple(f"1.0.{n}" for n in range(5000)), None),
        SyncPlan(URL, "/data", "download", tuple(SyncAction(f"a{n}", "keep") for n in range(5000))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_repr_of_a_value_with_many_values_is_short(value):
    """The first three and a count, so that a notebook or a log shows them."""
    assert "… 4997 more)" in repr(value)
    assert len(repr(value)) < 1500


def test_repr_of_a_value_with_few_values_is_whole():
    """As dataclasses have it."""
    folder = FolderInfo(URL, "r", "a", (Child("n", folder=False),))
    assert repr(folder).startswith(
        f"FolderInfo(url={URL!r}, repository='r', path='a', children=(Child(name='n', folder="
    )
