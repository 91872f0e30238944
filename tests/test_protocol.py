import json
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote_plus

import pytest

from aioartifact._address import parse_item_url, parse_server_url
from aioartifact._checksums import Checksums
from aioartifact._errors import (
    BadRequestError,
    ForbiddenError,
    IncompleteListingError,
    IntegrityError,
    InvalidArgumentError,
    NotAFileError,
    NotAFolderError,
    NotFoundError,
    ProtocolError,
    RateLimitedError,
    ResponseError,
    ServerError,
    StoredElsewhereError,
)
from aioartifact._models import Child, FileInfo, FolderInfo, Response
from aioartifact._protocol import (
    Below,
    ExpectedContent,
    Request,
    Upload,
    build_aql,
    build_deploy,
    build_download,
    build_file_list,
    build_item_info,
    build_range,
    build_rest,
    expect_file,
    expect_folder,
    is_folder_redirect,
    matrix_parameters,
    raise_for_status,
    read_aql,
    read_deployed,
    read_error,
    read_expected_content,
    read_item_info,
    read_latest_version,
    read_listed,
    read_listed_item,
    read_row_item,
    read_row_path,
    read_trimming,
    server_words,
)

BASE = "https://host/artifactory"
SERVER = parse_server_url(BASE)
JAR = parse_item_url(f"{BASE}/libs/org/acme/app%231.jar")
ACME = parse_item_url(f"{BASE}/libs/org/acme")
ROOT = parse_item_url(f"{BASE}/libs")
ASKED = Request("GET", f"{BASE}/api/storage/libs/org?token=S3cret", SERVER)
SHA256, SHA1, MD5 = "a" * 64, "b" * 40, "c" * 32
ALL = Checksums(SHA256, SHA1, MD5)
JSON = "application/json"
LATIN = "application/json;charset=ISO-8859-1"
MORNING = datetime(2024, 3, 5, 10, 12, 31, 219000, UTC)

FILE_INFO = {
    "repo": "libs",
    "path": "/org/acme/app#1.jar",
    "created": "2024-03-05T10:12:31.219Z",
    "createdBy": "ci",
    "lastModified": "2024-03-05T12:12:31.219+02:00",
    "modifiedBy": "token:xyz",
    "lastUpdated": "2024-03-05T10:12:31.240Z",
    "downloadUri": "http://internal:8081/artifactory/libs/org/acme/app#1.jar",
    "mimeType": "application/java-archive",
    "size": "8217",
    "checksums": {"sha1": SHA1, "md5": MD5, "sha256": SHA256},
    "originalChecksums": {"sha256": SHA256},
    "uri": "http://internal:8081/artifactory/api/storage/libs/org/acme/app#1.jar",
}
FOLDER_INFO = {
    "repo": "libs",
    "path": "/org/acme",
    "created": "2024-03-05T10:12:31.219Z",
    "createdBy": "ci",
    "lastModified": "2024-03-05T10:12:31.219Z",
    "modifiedBy": "ci",
    "lastUpdated": "2024-03-05T10:12:31.219Z",
    "children": [{"uri": "/app", "folder": True}, {"uri": "/read me;#1%41.txt", "folder": False}],
    "uri": "http://internal:8081/artifactory/api/storage/libs/org/acme",
}
HTML = b"<html><head><title>Sign&nbsp;in &amp; go</title></head><body>...</body></html>"


def answer(body=b"", status=200, content_type="application/vnd.org.jfrog.artifactory.storage.Any+json", **headers):
    """An answer with *body*, which becomes JSON unless it is bytes already."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": content_type} if content_type else {}
    return Response(status, content, fields | headers, ASKED.url)


def without(document, *keys):
    return {key: value for key, value in document.items() if key not in keys}


async def nothing():
    """The bytes of an empty upload."""
    for chunk in ():
        yield chunk


# What is asked


@pytest.mark.parametrize(
    ("request_", "method", "url"),
    [
        pytest.param(build_item_info(JAR), "GET", f"{BASE}/api/storage/libs/org/acme/app%231.jar", id="info"),
        pytest.param(build_item_info(ROOT), "GET", f"{BASE}/api/storage/libs", id="info-of-repository"),
        pytest.param(
            build_file_list(ACME), "GET", f"{BASE}/api/storage/libs/org/acme?list&deep=1&listFolders=0", id="list"
        ),
        pytest.param(build_aql(SERVER, "items.find()"), "POST", f"{BASE}/api/search/aql", id="aql"),
        pytest.param(build_download(JAR), "GET", f"{BASE}/libs/org/acme/app%231.jar", id="download"),
    ],
)
def test_request_goes_where_the_api_is(request_, method, url):
    """Paths are percent-encoded once, and every request may be repeated."""
    assert (request_.method, request_.url, request_.server) == (method, url, SERVER)
    assert request_.repeatable


def test_aql_is_sent_as_text():
    """Any other media type is answered 415; the query is UTF-8."""
    request = build_aql(SERVER, 'items.find({"name":"ü"})')

    assert request.body == 'items.find({"name":"ü"})'.encode()
    assert request.headers == {"Content-Type": "text/plain; charset=utf-8"}


def test_download_wants_the_stored_bytes():
    """A compressed body would have another size and other checksums; the condition is the bare SHA-1."""
    assert build_download(JAR).headers == {"Accept-Encoding": "identity"}
    assert build_download(JAR, unless_sha1=SHA1).headers == {"Accept-Encoding": "identity", "If-None-Match": SHA1}


def test_deploy_carries_checksums_and_properties():
    """The server compares what arrives with each checksum that is known."""
    upload = Upload(nothing, 0)
    request = build_deploy(JAR, upload, Checksums(sha256=SHA256, md5=MD5), {"a": "1", "b": ["2", "3"]})

    assert (request.method, request.body) == ("PUT", upload)
    assert request.url == f"{BASE}/libs/org/acme/app%231.jar;a=1;b=2;b=3"
    assert request.headers == {
        "Content-Type": "application/octet-stream",
        "X-Checksum-Sha256": SHA256,
        "X-Checksum-Md5": MD5,
    }


@pytest.mark.parametrize(
    "value", ["", "a", "a b", "a+b", "a;b=c", "a,b", "100%", "%41", "a/b", "?#&", "ü日本😀", "'\"", "\\", "~.-_"]
)
def test_matrix_parameter_is_read_as_it_was_meant(value):
    """The server decodes values like a form; what it then has is the value, and nothing ends it early."""
    key, _, quoted = matrix_parameters({"k": value}).removeprefix(";").partition("=")

    assert (key, unquote_plus(quoted)) == ("k", value)
    assert not set(quoted) & set(";/?#+& ")


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        pytest.param({}, "", id="none"),
        pytest.param({"a": []}, "", id="no-value"),
        pytest.param({"a": ["x"]}, ";a=x", id="one-of-several"),
        pytest.param({"a": ("x", "y"), "b": "z"}, ";a=x;a=y;b=z", id="tuple"),
        pytest.param({"build.name": "x", "a-b_c:d'9": "y"}, ";build.name=x;a-b_c:d'9=y", id="odd-names"),
    ],
)
def test_matrix_parameters(parameters, text):
    """A key is repeated for each of its values."""
    assert matrix_parameters(parameters) == text


@pytest.mark.parametrize(
    "name", ["", "1a", "_a", ".a", "a b", "a=b", "a;b", "a/b", "a%20b", "ä", "aä", "a\n", "a+", "a,b", "a(b)", "a\0"]
)
def test_property_name_that_no_url_carries(name):
    """Names are not percent-decoded by the server, so they cannot be escaped."""
    with pytest.raises(InvalidArgumentError, match="property name"):
        matrix_parameters({name: "x"})


@pytest.mark.parametrize("value", ["a\nb", "\0", "\x7f", "\ud800", 5, None, b"x", ["a", 5], [["a"]], {"a": "b"}, True])
def test_property_value_that_no_url_carries(value):
    """Text without control characters, or several such texts; the error names the property."""
    with pytest.raises(InvalidArgumentError, match=r"^property k: value .* is not text that a URL can hold$"):
        matrix_parameters({"k": value})


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (f"{BASE}/api/storage/r/a%20b;c=d?list&deep=1", f"{BASE}/api/storage/r/a%20b;c=d?list&deep=1"),
        (f"{BASE}/api/x?q=a b", f"{BASE}/api/x?q=a%20b"),
        (f"{BASE}/api/x?q=ü", f"{BASE}/api/x?q=%C3%BC"),
        (f'{BASE}/api/x?q={{"a"}}|^`<>\\', f"{BASE}/api/x?q=%7B%22a%22%7D%7C%5E%60%3C%3E%5C"),
        ("HTTPS://Host:443/artifactory/x?", "https://host/artifactory/x?"),
        ("https://host", "https://host"),
    ],
)
def test_rest_url_stays_as_it_is_given(given, sent):
    """Escapes are kept, and only what no URL can hold is escaped."""
    assert build_rest(SERVER, given).url == sent


def test_rest_url_of_a_host_outside_ascii():
    """The host goes by its name in DNS, not percent-encoded."""
    server = parse_server_url("https://bücher.example/artifactory")

    assert build_rest(server, "https://bücher.example/artifactory/ü").url == (
        "https://xn--bcher-kva.example/artifactory/%C3%BC"
    )


def test_label_of_a_request_has_no_secret():
    """Messages begin with it."""
    assert ASKED.label == f"GET {BASE}/api/storage/libs/org?***"


# Item info


def test_file_info():
    """Links are ignored: they are not encoded, and may name a host that only the server knows."""
    assert read_item_info(JAR, ASKED, answer(FILE_INFO)) == FileInfo(
        url=f"{BASE}/libs/org/acme/app%231.jar",
        repository="libs",
        path="org/acme/app#1.jar",
        size=8217,
        checksums=ALL,
        created=MORNING,
        modified=MORNING,
        created_by="ci",
        modified_by="token:xyz",
        mime_type="application/java-archive",
    )


def test_folder_info():
    """Children keep their raw names and the server's order."""
    assert read_item_info(ACME, ASKED, answer(FOLDER_INFO)) == FolderInfo(
        url=f"{BASE}/libs/org/acme",
        repository="libs",
        path="org/acme",
        children=(Child("app", folder=True), Child("read me;#1%41.txt", folder=False)),
        created=MORNING,
        modified=MORNING,
        created_by="ci",
        modified_by="ci",
    )


def test_info_with_only_what_is_sure():
    """Every field but repository, path and one that only a file has may be missing."""
    assert read_item_info(JAR, ASKED, answer({"repo": "libs-cache", "path": "/a", "downloadUri": None})) == FileInfo(
        str(JAR), "libs-cache", "a"
    )
    assert read_item_info(ROOT, ASKED, answer({"repo": "libs", "path": "/", "children": []})) == FolderInfo(
        str(ROOT), "libs", ""
    )


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("8217", 8217),
        (8217, 8217),
        ("0", 0),
        (0, 0),
        (-1, None),
        ("-1", None),
        (None, None),
        ("", None),
        ("many", None),
        (1.5, None),
        (True, None),
        ([1], None),
        (2**40, 2**40),
    ],
)
def test_size_in_any_spelling(value, size):
    """Text, number, or -1 for "none"; anything else is not known."""
    assert read_item_info(JAR, ASKED, answer(FILE_INFO | {"size": value})).size == size


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2024-03-05T10:12:31.219Z", MORNING),
        ("2024-03-05T12:12:31.219+02:00", MORNING),
        ("2024-03-05T12:12:31.219+0200", MORNING),
        ("2024-03-05T10:12:31.219", None),
        ("2024-03-05", None),
        (20240305, None),
        (1709626351219, None),
        ("", None),
        (None, None),
        ("2024-03-05T10:12:31.219+99:00", None),
    ],
)
def test_date_in_any_spelling(value, moment):
    """A moment in any of the server's formats; what names no moment is None, and the zone is kept."""
    assert read_item_info(JAR, ASKED, answer(FILE_INFO | {"created": value})).created == moment


def test_date_keeps_the_zone_of_the_server():
    """The same moment, as the server wrote it."""
    info = read_item_info(JAR, ASKED, answer(FILE_INFO))

    assert info.modified.tzinfo == timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "checksums"),
    [
        ({"sha1": SHA1, "md5": MD5}, Checksums(sha1=SHA1, md5=MD5)),
        ({"sha256": None, "sha1": SHA1.upper()}, Checksums(sha1=SHA1)),
        ({"sha256": "", "sha1": "spoiled", "md5": MD5}, Checksums(md5=MD5)),
        ({"sha256": 5, "sha1": [SHA1]}, Checksums()),
        ({}, Checksums()),
        (None, Checksums()),
        ([SHA1], Checksums()),
        (SHA1, Checksums()),
    ],
)
def test_checksums_as_far_as_they_are_good(value, checksums):
    """Old files lack some, proxies spoil some; the good ones count."""
    assert read_item_info(JAR, ASKED, answer(FILE_INFO | {"checksums": value})).checksums == checksums


@pytest.mark.parametrize(("flag", "folder"), [(True, True), ("true", True), (False, False), ("false", False)])
def test_flag_in_any_spelling(flag, folder):
    """The documentation shows text, servers send booleans."""
    info = read_item_info(ACME, ASKED, answer(FOLDER_INFO | {"children": [{"uri": "/a", "folder": flag}]}))

    assert info.children == (Child("a", folder=folder),)


def test_info_of_people_who_are_no_text():
    """A field of another type is as good as none."""
    info = read_item_info(JAR, ASKED, answer(FILE_INFO | {"createdBy": 5, "modifiedBy": None, "mimeType": ["a"]}))

    assert (info.created_by, info.modified_by, info.mime_type) == (None, None, None)


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        pytest.param(HTML, "text/html", "an HTML page", id="html"),
        pytest.param(HTML, "Text/HTML; charset=utf-8", "an HTML page", id="html-charset"),
        pytest.param(b"", "", "not JSON", id="empty"),
        pytest.param(b"OK", "text/plain", "not JSON", id="text"),
        pytest.param(b'{"repo": "libs", "pa', JSON, "not JSON", id="cut-off"),
        pytest.param(b"[" * 200_000, JSON, "not JSON", id="nested-too-deeply"),
        pytest.param([], JSON, "a JSON list", id="list"),
        pytest.param(None, JSON, "a JSON NoneType", id="null"),
        pytest.param({}, JSON, "'repo' is not a name", id="nothing"),
        pytest.param(without(FOLDER_INFO, "children"), JSON, "without 'children'", id="folder-no-children"),
        pytest.param(without(FILE_INFO, "path"), JSON, "'path' is not a name", id="no-path"),
        pytest.param(FILE_INFO | {"repo": 5}, JSON, "'repo' is not a name", id="repository-no-text"),
        pytest.param(FILE_INFO | {"path": "/\ud800"}, JSON, "'path' is not a name", id="surrogate"),
        pytest.param(FOLDER_INFO | {"children": None}, JSON, "without 'children'", id="children-null"),
        pytest.param(FOLDER_INFO | {"children": "ab"}, JSON, "without 'children'", id="children-text"),
        pytest.param(FOLDER_INFO | {"children": [5]}, JSON, "without 'children'", id="child-a-number"),
        pytest.param(FOLDER_INFO | {"children": [{"folder": True}]}, JSON, "'uri' is not a name", id="child-no-name"),
        pytest.param(FOLDER_INFO | {"children": [{"uri": "/a"}]}, JSON, "neither true nor false", id="child-no-kind"),
        *(
            pytest.param(
                FOLDER_INFO | {"children": [{"uri": uri, "folder": True}]}, JSON, "a child", id=f"child-named-{uri}"
            )
            for uri in ("", "/", "/.", "/..", "..", "/a/b", "//a")
        ),
    ],
)
def test_info_that_is_none(body, content_type, words):
    """A success that is not what the storage API gives says so, and where to look."""
    with pytest.raises(ProtocolError, match=words) as caught:
        read_item_info(ACME, ASKED, answer(body, content_type=content_type))

    assert str(caught.value).startswith(f"{ASKED.label}: answered with ")
    assert caught.value.hint == f"is {BASE} the base URL of an Artifactory?"


def test_expected_kind_is_passed_on():
    """A file where a file is needed, a folder where a folder is."""
    file, folder = FileInfo(str(JAR), "libs", "a"), FolderInfo(str(ACME), "libs", "org/acme")

    assert expect_file(JAR, file) is file
    assert expect_folder(ACME, folder) is folder


def test_other_kind_than_expected():
    """Both errors are the builtin ones too, and say what to call instead."""
    with pytest.raises(NotAFileError, match=r"is a folder, expected a file — use download_folder\(\)"):
        expect_file(ACME, FolderInfo(str(ACME), "libs", "org/acme"))
    with pytest.raises(NotAFolderError, match="is a file, expected a folder"):
        expect_folder(JAR, FileInfo(str(JAR), "libs", "a"))


# Listings


def listed(folder, entries):
    return [read_listed_item(Below(folder), read_listed(ASKED, entry)[0], entry) for entry in entries]


def test_file_list():
    """Entries below the folder that was asked for, with what is known of each."""
    files = [
        {"uri": "/app", "size": -1, "lastModified": "2024-03-05T10:12:31.219Z", "folder": True},
        {"uri": "/app/a b#.jar", "size": 8217, "lastModified": "2024-03-05T10:12:31.219Z", "folder": False}
        | {"sha1": SHA1, "sha2": SHA256, "mdTimestamps": {"properties": "2024-03-05T10:13:00.000Z"}},
        {"uri": "/old", "size": "5", "folder": "false", "sha1": SHA1, "sha2": None},
        {"uri": "/folder", "folder": "true"},
        {"uri": "/bare", "folder": False},
        {"uri": "/spoiled", "folder": False, "sha1": "x", "sha2": 5, "size": "x", "lastModified": "x"},
    ]

    assert listed(ACME, files) == [
        FolderInfo(f"{BASE}/libs/org/acme/app", "libs", "org/acme/app", modified=MORNING),
        FileInfo(
            f"{BASE}/libs/org/acme/app/a%20b%23.jar",
            "libs",
            "org/acme/app/a b#.jar",
            8217,
            Checksums(sha256=SHA256, sha1=SHA1),
            modified=MORNING,
        ),
        FileInfo(f"{BASE}/libs/org/acme/old", "libs", "org/acme/old", 5, Checksums(sha1=SHA1)),
        FolderInfo(f"{BASE}/libs/org/acme/folder", "libs", "org/acme/folder"),
        FileInfo(f"{BASE}/libs/org/acme/bare", "libs", "org/acme/bare"),
        FileInfo(f"{BASE}/libs/org/acme/spoiled", "libs", "org/acme/spoiled"),
    ]


def test_file_list_of_a_repository():
    """Without a folder before them, paths begin with the entry."""
    (file,) = listed(ROOT, [{"uri": "/a/b", "folder": False}])

    assert (file.path, file.url) == ("a/b", f"{BASE}/libs/a/b")


@pytest.mark.parametrize(
    "entry",
    [
        {"folder": False},
        {"uri": 5, "folder": False},
        {"uri": "/\udfff", "folder": False},
        {"uri": "/a"},
        *({"uri": "/a", "folder": value} for value in (None, "", "yes", 1, 0, [True])),
    ],
)
def test_entry_that_is_none(entry):
    """A listing with an entry that cannot be read is no listing: leaving it out would be silent."""
    with pytest.raises(ProtocolError):
        read_listed(ASKED, entry)


def row(path, name, **fields):
    return {"repo": "libs-local", "path": path, "name": name} | fields


def test_aql_rows():
    """Rows are passed on as they are."""
    rows = [row("org", "a", size=3), row(".", "b")]

    assert read_aql(ASKED, answer({"results": rows, "range": {"total": 2, "limit": 500000}})) == rows
    assert read_aql(ASKED, answer(b'\n{\n"results" : [  ],\n"range" : {"total" : 0}\n}\n')) == []
    assert read_aql(ASKED, answer({"results": rows})) == rows


def test_aql_answer_that_was_trimmed():
    """Half a listing is never taken for the whole."""
    notification = "AQL query reached the search hard limit, results are trimmed."
    trimmed = {"results": [row("org", "a")], "range": {"notification": notification}}

    with pytest.raises(IncompleteListingError, match=r"results are trimmed\. — ask for less"):
        read_aql(ASKED, answer(trimmed))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"results": None},
        {"results": {}},
        {"results": [5]},
        {"results": [{"name": "a"}]},
        {"results": [{"path": "a"}]},
        {"results": [{"path": 5, "name": "a"}]},
        {"results": [{"path": "a", "name": "\ud800"}]},
    ],
)
def test_aql_answer_that_is_none(document):
    """Every query of ours asks for path and name, so every row has them."""
    with pytest.raises(ProtocolError):
        read_aql(ASKED, answer(document))


@pytest.mark.parametrize(
    ("shown", "own_limit", "words"),
    [
        pytest.param({"total": 87, "limit": 500000}, None, None, id="limit-of-the-server"),
        pytest.param({"total": 500000, "limit": 500000}, None, "limited to 500000 rows", id="limit-reached"),
        pytest.param({"total": 10, "limit": 10}, 10, None, id="limit-of-the-query"),
        pytest.param({"total": 5, "limit": 5}, 10, "limited to 5 rows", id="less-than-the-query-wants"),
        pytest.param({"total": 1, "notification": "results are trimmed."}, 1, "results are trimmed.", id="notified"),
        pytest.param({"total": 0}, None, None, id="no-limit"),
        pytest.param(None, None, None, id="no-range"),
    ],
)
def test_whether_rows_are_left_out(shown, own_limit, words):
    """A server that gave as many rows as it gives at most may have more."""
    assert read_trimming({"range": shown}, own_limit=own_limit) == words


def entry_of(folder, found):
    """The item of a row, or None for one that lies elsewhere."""
    below = Below(folder)
    relative = below.relative(read_row_path(ASKED, found))
    return relative and read_row_item(below, relative, found)


def test_items_of_aql_rows():
    """Addresses are in the repository that was asked for; rows a wildcard added lie elsewhere."""
    whole = row("org/acme", "a b", size=3, modified="2024-03-05T10:12:31.219Z", sha256=SHA256)
    whole |= {"actual_sha1": SHA1, "actual_md5": MD5, "created": "2024-03-05T10:12:31.219Z", "type": "file"}
    url = f"{BASE}/libs/org/acme"

    assert entry_of(ACME, whole) == FileInfo(
        f"{url}/a%20b", "libs", "org/acme/a b", 3, ALL, created=MORNING, modified=MORNING
    )
    empty = row("org/acme/x", "c", size=0, sha256=None, actual_sha1="")
    assert entry_of(ACME, empty) == FileInfo(f"{url}/x/c", "libs", "org/acme/x/c", 0)
    assert entry_of(ACME, row("org/acme", "f", type="folder")) == FolderInfo(f"{url}/f", "libs", "org/acme/f")
    assert [entry_of(ACME, row(*place)) for place in [("org/acme2", "d"), ("org", "acme"), (".", "e")]] == [None] * 3


def test_items_of_aql_rows_in_a_repository():
    """AQL calls the root of a repository "."."""
    assert [entry_of(ROOT, each).path for each in [row(".", "a"), row("b", "c")]] == ["a", "b/c"]


# Downloads


@pytest.mark.parametrize(
    ("location", "folder"),
    [
        pytest.param(f"{BASE}/libs/org/acme/", True, id="absolute"),
        pytest.param("/artifactory/libs/org/acme/", True, id="path"),
        pytest.param("http://internal:8081/artifactory/libs/org%2Facme/", True, id="other-host"),
        pytest.param(f"{BASE}/libs/org/acme/?x=/", True, id="query"),
        pytest.param(f"{BASE}/libs/org/acme", False, id="no-slash"),
        pytest.param(f"{BASE}/libs/org/", False, id="parent"),
        pytest.param(f"{BASE}/libs/org/acme/x/", False, id="below"),
        pytest.param("https://bucket.s3.amazonaws.com/ab/abcdef?X-Amz-Signature=x/", False, id="storage"),
        pytest.param("", False, id="empty"),
    ],
)
def test_redirect_that_only_adds_a_slash(location, folder):
    """That is how a folder answers a request for a file."""
    assert is_folder_redirect(ACME, location) is folder


def test_redirect_of_a_folder_with_odd_characters():
    """The server may or may not have encoded them."""
    item = parse_item_url(f"{BASE}/libs/a%20b%23")

    assert is_folder_redirect(item, f"{BASE}/libs/a%20b%23/")
    assert is_folder_redirect(ROOT, f"{BASE}/libs/")


@pytest.mark.parametrize(
    ("chain", "promise"),
    [
        pytest.param(
            [{"Content-Length": "3", "X-Checksum-Sha256": SHA256, "X-Checksum-Sha1": SHA1, "X-Checksum-Md5": MD5}],
            ExpectedContent(3, ALL),
            id="all",
        ),
        pytest.param(
            [{"Content-Length": "0", "X-Checksum-Sha1": SHA1}], ExpectedContent(0, Checksums(sha1=SHA1)), id="old"
        ),
        pytest.param([{}], ExpectedContent(None, Checksums(), is_open_ended=True), id="nothing"),
        pytest.param(
            [{"Content-Length": "x", "X-Checksum-Sha256": "x", "X-Checksum-Md5": MD5}],
            ExpectedContent(None, Checksums(md5=MD5), is_open_ended=True),
            id="spoiled",
        ),
        pytest.param(
            [{"Content-Length": "2", "Content-Encoding": "gzip", "X-Checksum-Sha1": SHA1}],
            ExpectedContent(2, Checksums(sha1=SHA1), codings=("gzip",)),
            id="encoded",
        ),
        pytest.param(
            [{"Content-Length": "2", "Content-Encoding": "identity"}],
            ExpectedContent(2, Checksums()),
            id="encoded-as-is",
        ),
        pytest.param(
            [{"Location": "https://s3/x", "Content-Length": "0"}, {"Content-Length": "3", "ETag": '"x"'}],
            ExpectedContent(3, Checksums(), '"x"'),
            id="storage",
        ),
        pytest.param(
            [{"X-Checksum-Sha1": SHA1}, {"Content-Length": "3", "X-Checksum-Sha1": "d" * 40}],
            ExpectedContent(3, Checksums(sha1=SHA1)),
            id="artifactory-counts-not-storage",
        ),
        pytest.param(
            [{"Content-Type": "text/html", "Content-Length": "3", "X-Checksum-Sha1": SHA1}],
            ExpectedContent(3, Checksums(sha1=SHA1)),
            id="stored-html",
        ),
        pytest.param(
            [{"Content-Type": "text/html", "Content-Length": "3", "X-Artifactory-Filename": "a.html"}],
            ExpectedContent(3, Checksums()),
            id="html-in-an-archive",
        ),
        pytest.param(
            [{}, {"Content-Type": "text/html"}],
            ExpectedContent(None, Checksums(), is_open_ended=True, is_page=True),
            id="html-from-storage",
        ),
        pytest.param([{"Transfer-Encoding": "chunked"}], ExpectedContent(None, Checksums()), id="chunked"),
        pytest.param([{"Transfer-Encoding": "gzip, Chunked"}], ExpectedContent(None, Checksums()), id="gzip-in-chunks"),
        pytest.param(
            [{"Transfer-Encoding": "chunked, gzip"}],
            ExpectedContent(None, Checksums(), is_open_ended=True),
            id="coding-that-shows-no-end",
        ),
        pytest.param([{"Content-Length": "3", "ETag": 'W/"x"'}], ExpectedContent(3, Checksums()), id="weak-etag"),
        pytest.param(
            [{"Content-Length": "2", "Content-Encoding": "gzip", "ETag": '"x"'}],
            ExpectedContent(2, Checksums(), codings=("gzip",)),
            id="etag-of-encoded-bytes",
        ),
    ],
)
def test_promise_of_an_answer(chain, promise):
    """Artifactory's own checksums, and the size of what arrives."""
    assert read_expected_content(ASKED, chain) == promise


@pytest.mark.parametrize(
    "content_type", ["text/html", "text/html; charset=utf-8", "TEXT/HTML", "application/xhtml+xml"]
)
@pytest.mark.parametrize("server", ["nginx", "Artifactory/6.20.0"])
def test_web_page_in_place_of_a_file(content_type, server):
    """A login page is not saved as an artifact, even if it is Artifactory's own."""
    with pytest.raises(ProtocolError, match="answered with an HTML page"):
        read_expected_content(ASKED, [{"Content-Type": content_type, "Server": server, "Content-Length": "3"}])


# Deploys


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(answer({"checksums": {"sha1": SHA1, "md5": MD5, "sha256": SHA256}}, 201), id="same"),
        pytest.param(answer({"checksums": {"sha1": SHA1.upper()}}, 201), id="upper-case"),
        pytest.param(answer({"checksums": {}}, 201), id="no-checksums"),
        pytest.param(answer({}, 201), id="no-description"),
        pytest.param(answer({"checksums": {"sha1": "spoiled"}}, 201), id="spoiled"),
        pytest.param(answer({"checksums": [5]}, 201), id="malformed"),
        pytest.param(answer(b"", 201), id="empty"),
        pytest.param(answer(b"", 202), id="accepted"),
        pytest.param(answer(b'{"createdBy": "\xfc"}', 201, LATIN), id="latin-1"),
    ],
)
def test_deployed(response):
    """If the server reports what it recorded, it is what was sent."""
    read_deployed(JAR, ASKED, response, ALL)


@pytest.mark.parametrize("name", ["lib.jar.sha1", "lib.jar.md5", "maven-metadata.xml"])
def test_deployed_without_a_description(name):
    """Artifactory keeps these itself, and answers with a text or with nothing."""
    read_deployed(JAR.parent / name, ASKED, answer(b"stored", 200, "text/plain"), ALL)


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("text", [b"please log in", b"[]", b"<a/>"])
def test_answer_to_a_deploy_that_describes_no_file(text, status):
    """A success of something else, such as a proxy, does not mean that the file is stored."""
    with pytest.raises(ProtocolError, match="answered with"):
        read_deployed(JAR, ASKED, answer(text, status, "text/plain"), ALL)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_deployed_elsewhere(status):
    with pytest.raises(StoredElsewhereError):
        read_deployed(JAR, ASKED, answer({"repo": JAR.repository, "path": "/elsewhere"}, status), ALL)


@pytest.mark.parametrize("text", ['{"errors": [{"status": 403, "message": "no"}]}', '["1.0"]', "{}"])
def test_latest_version_that_is_none(text):
    with pytest.raises(ProtocolError, match="not a version"):
        read_latest_version(ASKED, answer(text.encode(), 200, "application/json"))


@pytest.mark.parametrize(("algorithm", "value"), [("sha256", "d" * 64), ("sha1", "d" * 40), ("md5", "d" * 32)])
def test_deployed_otherwise(algorithm, value):
    """Each checksum that both sides know is compared."""
    with pytest.raises(IntegrityError, match=f"{algorithm} is .*, server recorded {value} — ") as caught:
        read_deployed(JAR, ASKED, answer({"checksums": {algorithm: value}}, 201), ALL)

    assert (caught.value.algorithm, caught.value.expected, caught.value.actual) == (
        algorithm,
        ALL.get(algorithm),
        value,
    )


def test_deploy_answered_by_a_web_page():
    """A proxy's login page is no proof of a deploy."""
    with pytest.raises(ProtocolError, match="HTML page"):
        read_deployed(JAR, ASKED, answer(HTML, 201, "text/html"), ALL)


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda response: read_item_info(JAR, ASKED, response), id="info"),
        pytest.param(lambda response: read_aql(ASKED, response), id="aql"),
        pytest.param(lambda response: read_deployed(JAR, ASKED, response, ALL), id="deployed"),
        pytest.param(lambda response: raise_for_status(ASKED, response), id="status"),
    ],
)
def test_refusal_is_the_same_everywhere(read):
    """Every reader looks at the status first."""
    with pytest.raises(NotFoundError, match="Unable to find item"):
        read(answer({"errors": [{"status": 404, "message": "Unable to find item"}]}, 404))


# Refusals


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        pytest.param(
            {"errors": [{"status": 404, "message": "File not found."}]}, LATIN, "File not found.", id="standard"
        ),
        pytest.param({"errors": [{"status": 404, "message": ""}]}, JSON, "", id="no-message"),
        pytest.param({"errors": [{"status": 404, "message": None}]}, JSON, "", id="null-message"),
        pytest.param({"errors": [{"status": 404}]}, JSON, "", id="only-status"),
        pytest.param({"errors": [{"message": "a"}, {"message": "b"}, 5]}, JSON, "a; b", id="two"),
        pytest.param({"errors": [{"code": "UNAUTHORIZED", "message": "m", "detail": None}]}, JSON, "m", id="access"),
        pytest.param({"errors": [], "message": "m"}, JSON, "m", id="errors-empty"),
        pytest.param({"errors": "x", "message": "m"}, JSON, "m", id="errors-no-list"),
        pytest.param({"messages": [{"level": "ERROR", "message": "m"}]}, JSON, "m", id="copy-and-move"),
        pytest.param({"error": "m"}, JSON, "m", id="api-key"),
        pytest.param({"error": "invalid_scope", "error_description": "m"}, JSON, "invalid_scope: m", id="token"),
        pytest.param({"error": {"code": 5}, "message": "m"}, JSON, "m", id="error-no-text"),
        pytest.param({"status": 500}, JSON, "", id="other-object"),
        pytest.param(["a"], JSON, '["a"]', id="list"),
        pytest.param(b"null", JSON, "null", id="null"),
        pytest.param(b"[" * 200_000, JSON, "[" * 300 + "…", id="nested-too-deeply"),
        pytest.param(
            b"Failed to parse query: items.x\n  near: x", JSON, "Failed to parse query: items.x near: x", id="aql"
        ),
        pytest.param(b"404 page not found\n", "text/plain", "404 page not found", id="router"),
        pytest.param(b'{"errors":[{"message":"f\xfcr"}]}', LATIN, "für", id="latin-1"),
        pytest.param('{"errors":[{"message":"für"}]}'.encode(), JSON, "für", id="utf-8"),
        pytest.param(b"<html><head><TITLE>502\nBad Gateway</TITLE>", "text/html", "502 Bad Gateway", id="html"),
        pytest.param(HTML, "text/html", "Sign in & go", id="html-entities"),
        pytest.param(b"<html><body>oops", "text/html", "", id="html-without-title"),
        pytest.param(
            b'<html><title>502 Bad Gateway</title></html>{"errors":[{"status":502,"message":"m"}]}',
            JSON,
            "502 Bad Gateway",
            id="html-with-json-glued-on",
        ),
        pytest.param(
            b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>',
            "application/xml",
            "Request has expired",
            id="storage",
        ),
        pytest.param(b"", "", "", id="empty"),
        pytest.param(b"\xff\xfe\x00", "application/octet-stream", "", id="binary"),
        pytest.param(b"x" * 1000, "text/plain", "x" * 300 + "…", id="long"),
    ],
)
def test_words_of_a_refusal(body, content_type, words):
    """Whatever shape it has, the server's own message is found, in one line, and shortened."""
    assert server_words(answer(body, 404, content_type)) == words


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Bad props auth token: apiKey=S3cret", "Bad props auth token: ***"),
        ("Bad props auth token: basictoken=S3cret", "Bad props auth token: ***"),
        ("refused apiKey=S3cret here", "refused apiKey=*** here"),
        ("APIKEY : S3cret", "APIKEY : ***"),
        ("password=S3cret", "password=***"),
        ("access_token=S3cret&x", "access_token=***"),
        ("no user with token S3cret known", "no user with token *** known"),
        ("see eyJS3cret.S3cret.S3-cret_ there", "see *** there"),
        ("see AKCp8S3cretS3cretS3cretS3cretS3cret there", "see *** there"),
        ('cut off: {"access_token" : "S3cret", "x"', 'cut off: {"access_token" : *** "x"'),
        ("Token failed verification: expired", "Token failed verification: expired"),
        ("Bad credentials", "Bad credentials"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda m: {"errors": [{"message": m}]}, str.encode], ids=["json", "text"])
def test_words_hide_echoed_secrets(message, words, wrap):
    """Old servers repeat the credentials they refuse."""
    assert server_words(answer(wrap(message), 401, JSON)) == words


def test_secret_cut_by_shortening_is_hidden_whole():
    """Secrets are masked before the text is shortened."""
    assert "S3" not in server_words(answer(b"x" * 290 + b" apiKey=S3cret", 401, "text/plain"))


def test_refusal_has_all_that_is_known():
    """The error carries request, status, words, id and attempts; nothing of the query."""
    response = answer({"errors": [{"message": "slow down"}]}, 429, **{"X-Request-Id": "r1"})
    error = read_error(ASKED, response, attempts=3, retry_after=7.0)

    assert type(error) is RateLimitedError
    assert error.message == f"{ASKED.label}: 429 Too Many Requests: slow down"
    assert (error.method, error.url, error.status) == ("GET", f"{BASE}/api/storage/libs/org?***", 429)
    assert (error.server_message, error.request_id) == ("slow down", "r1")
    assert (error.attempts, error.retry_after) == (3, 7.0)
    assert error.hint == "lower max_concurrency, or try again later"


@pytest.mark.parametrize(
    ("status", "body", "content_type", "kind", "hint"),
    [
        pytest.param(302, b"", "", None, "https instead of http", id="redirect"),
        pytest.param(302, HTML, "text/html", None, "the response is a web page", id="login-page"),
        pytest.param(400, b"no", JSON, BadRequestError, "check the names", id="bad-request"),
        pytest.param(401, b"", JSON, None, "check user and password", id="unauthorized"),
        pytest.param(403, b"", JSON, ForbiddenError, "ask for permission", id="forbidden"),
        pytest.param(404, b"", JSON, NotFoundError, "upper or lower case", id="not-found"),
        pytest.param(404, b"404 page not found\n", "text/plain", ResponseError, f"is {BASE} the base URL", id="router"),
        pytest.param(404, HTML, "text/html", ResponseError, f"is {BASE} the base URL", id="not-found-page"),
        pytest.param(405, b"", JSON, None, "accepts no uploads", id="method"),
        pytest.param(409, b"", JSON, None, "conflict", id="conflict"),
        pytest.param(413, HTML, "text/html", None, "the response is a web page", id="too-large-page"),
        pytest.param(413, b"", JSON, None, "quota", id="too-large"),
        pytest.param(418, b"", JSON, None, "the server's log", id="teapot"),
        pytest.param(429, b"", JSON, RateLimitedError, "max_concurrency", id="rate"),
        pytest.param(500, b"", JSON, ServerError, "try again later", id="server"),
        pytest.param(503, HTML, "text/html", ServerError, "a proxy before Artifactory", id="starting-page"),
        pytest.param(501, b"", JSON, ServerError, "the server's log", id="not-retried"),
        pytest.param(507, b"", JSON, ServerError, "storage of the server is full", id="full"),
        pytest.param(599, b"", JSON, ServerError, "the server's log", id="unknown-status"),
    ],
)
def test_refusal_says_what_to_try(status, body, content_type, kind, hint):
    """Each status has a cure, and a web page has another one."""
    error = read_error(ASKED, answer(body, status, content_type))

    assert kind is None or type(error) is kind
    assert hint in error.hint
    assert f"{ASKED.label}: {status}" in error.message


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_raises_nothing(status):
    """All of 2xx is success."""
    raise_for_status(ASKED, answer(HTML, status, "text/html"))


@pytest.mark.parametrize(("stop", "asked"), [(None, "bytes=5-"), (9, "bytes=5-8"), (6, "bytes=5-5")])
def test_part_of_a_download_is_pinned(stop, asked):
    """Bytes are asked for under the condition of the ETag, which goes back as it came."""
    request = build_range(parse_item_url(f"{BASE}/libs/a.jar"), 5, stop, SHA1)
    assert request.headers == {"Accept-Encoding": "identity", "Range": asked, "If-Range": SHA1}


def test_promise_of_a_part():
    """Size is that of the whole file, start and stop are those of the part."""
    request = build_range(parse_item_url(f"{BASE}/libs/a.jar"), 5, 9, SHA1)
    headers = {"Content-Range": "bytes 5-8/10", "Content-Length": "4", "ETag": SHA1, "X-Checksum-Sha1": SHA1}
    assert read_expected_content(request, [headers], status=206) == ExpectedContent(
        10, Checksums(sha1=SHA1), SHA1, 5, 9
    )


@pytest.mark.parametrize(
    "value", ["", "bytes", "bytes */10", "bytes 5-9", "items 5-9/10", "bytes 5-9/10 ", "bytes -5/10"]
)
def test_content_range_that_is_none(value):
    """A part that does not say where it belongs is an error."""
    request = build_range(parse_item_url(f"{BASE}/libs/a.jar"), 5, None, SHA1)
    with pytest.raises(ProtocolError, match="Content-Range"):
        read_expected_content(request, [{"Content-Range": value}], status=206)
