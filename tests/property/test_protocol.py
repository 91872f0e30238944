import json
from urllib.parse import unquote_plus

from hypothesis import example, given
from hypothesis import strategies as st

from aioartifact._address import parse_item_url, parse_server_url
from aioartifact._checksums import Checksums
from aioartifact._errors import ArtifactoryError, InvalidArgumentError, ResponseError
from aioartifact._models import Response
from aioartifact._protocol import (
    Request,
    build_rest,
    is_folder_redirect,
    matrix_parameters,
    read_aql,
    read_deployed,
    read_error,
    read_expected_content,
    read_item_info,
)

SERVER = parse_server_url("https://host/artifactory")
ITEM = parse_item_url("https://host/artifactory/libs/org")
ASKED = Request("GET", "https://host/artifactory/api/x", SERVER)
SENT = Checksums("a" * 64, "b" * 40, "c" * 32)

TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
# The keys that the readers look for, so that what is found under them is of any type.
KEYS = st.sampled_from(
    [
        "repo",
        "path",
        "name",
        "size",
        "checksums",
        "sha1",
        "sha2",
        "sha256",
        "md5",
        "actual_sha1",
        "actual_md5",
        "children",
        "uri",
        "folder",
        "files",
        "results",
        "range",
        "notification",
        "created",
        "createdBy",
        "lastModified",
        "modified",
        "mimeType",
        "errors",
        "messages",
        "error",
        "error_description",
        "message",
        "status",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=5),
    max_leaves=12,
)
# Documents that are nearly right, with one thing or another of the wrong type in them.
DOCUMENTS = VALUES | st.fixed_dictionaries(
    {},
    optional={
        "repo": st.just("libs") | VALUES,
        "path": st.just("/org") | VALUES,
        "size": VALUES,
        "checksums": st.dictionaries(KEYS, VALUES, max_size=3) | VALUES,
        "lastModified": st.just("2024-03-05T10:12:31.219Z") | VALUES,
        **{
            key: st.lists(
                st.fixed_dictionaries({"uri": TEXT, "path": TEXT, "name": TEXT}, optional={"folder": VALUES}) | VALUES
            )
            for key in ("children", "files", "results")
        },
        "range": VALUES,
        "errors": st.lists(st.dictionaries(KEYS, VALUES, max_size=3)) | VALUES,
    },
)
BODIES = st.binary(max_size=40) | DOCUMENTS.map(lambda document: json.dumps(document).encode())
CONTENT_TYPES = st.sampled_from(
    ["", "application/json", "application/json;charset=ISO-8859-1", "text/html", "text/plain; charset=utf-16"]
    + [f"text/plain; charset={name}" for name in ("idna", "punycode", "undefined", "klingon", "utf-7", "hex")]
)
STATUSES = st.sampled_from([200, 201, 302, 400, 401, 403, 404, 500, 503, 599])


def error_of(read):
    """Our error that *read* raises, or None; any other goes on."""
    try:
        read()
    except ArtifactoryError as error:
        return error
    return None


def readers(response):
    """Every reader of a whole answer, each to its end."""
    yield lambda: read_item_info(ITEM, ASKED, response)
    yield lambda: read_aql(ASKED, response)
    yield lambda: read_deployed(ITEM, ASKED, response, SENT)


@given(content=BODIES, content_type=CONTENT_TYPES, status=STATUSES)
@example(content=b"[" * 100_000, content_type="application/json", status=200)
@example(content=b'{"a":' * 100_000, content_type="application/json", status=404)
@example(content=b"1" * 10_000, content_type="application/json", status=200)
def test_no_answer_raises_anything_but_our_errors(content, content_type, status):
    """Whatever arrives is a value or one of our errors; a refusal is always a refusal."""
    response = Response(status, content, {"Content-Type": content_type}, ASKED.url)

    for error in map(error_of, readers(response)):
        assert not isinstance(error, InvalidArgumentError)
        assert isinstance(error, ResponseError) is (status >= 300)


@given(content=BODIES, content_type=CONTENT_TYPES, status=st.integers(300, 599))
def test_every_refusal_is_told_in_one_short_line(content, content_type, status):
    """A message never floods a log, nor breaks its lines."""
    error = read_error(ASKED, Response(status, content, {"Content-Type": content_type}, ASKED.url))

    assert len(error.server_message) <= 301
    assert len(error.server_message.splitlines()) <= 1
    assert str(error).startswith(f"GET https://host/artifactory/api/x: {status}")


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                ["Content-Type", "Content-Length", "Content-Encoding", "X-Checksum-Sha1", "X-Checksum-Md5"]
            ),
            st.text(max_size=8) | st.sampled_from(["text/html", "3", "-1", "gzip", "b" * 40, "c" * 32]),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_header_makes_a_promise_or_our_error(chain):
    """Headers that say nothing sensible promise nothing."""
    try:
        promise = read_expected_content(ASKED, chain)
    except ArtifactoryError:
        return
    assert promise.size is None or promise.size >= 0


@given(location=st.text() | st.text("/libsorg%?#@:", max_size=20))
def test_any_location_is_a_folders_or_not(location):
    """Nothing that a server may name as a target raises; what is a folder's ends in a slash."""
    assert not is_folder_redirect(ITEM, location) or "libs/org/" in location.replace("%2F", "/").replace("%2f", "/")


@given(st.dictionaries(st.text("ab.:_-'", min_size=1).map("k".__add__), st.lists(TEXT) | TEXT, max_size=3))
def test_matrix_parameters_are_read_back_as_given(parameters):
    """Split at ";" and "=", and decoded like a form, as the server does it, the properties are the same."""
    try:
        text = matrix_parameters(parameters)
    except InvalidArgumentError:
        return
    pairs = [part.split("=") for part in text.split(";")[1:]]
    expected = [(k, v) for k, vs in parameters.items() for v in ([vs] if isinstance(vs, str) else vs)]

    assert [(key, unquote_plus(value)) for key, value in pairs] == expected
    assert text.isascii()


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_rest_url_is_escaped_only_once(rest):
    """What has been escaped stays as it is, and stays on its server."""
    sent = build_rest(SERVER, f"https://host/artifactory/{rest}").url

    assert sent.isascii()
    assert sent.startswith("https://host/artifactory/")
    assert build_rest(SERVER, sent).url == sent
