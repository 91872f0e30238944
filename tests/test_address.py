import pytest

from aioartifact._address import (
    ItemURL,
    ServerURL,
    check_name,
    group_id_to_path,
    mask_url,
    parse_item_url,
    parse_server_url,
    path_to_group_id,
    quote_path,
    quote_segment,
    server_of,
    url,
)
from aioartifact._errors import InvalidURLError

SERVER = "https://host/artifactory"
HOST = ServerURL("https", "host", 443, ("artifactory",))
# Names that real artifacts have, and how they stand in a URL.
NAMES = [
    ("a b", "a%20b"),
    ("c++", "c%2B%2B"),
    ("c#", "c%23"),
    ("100%", "100%25"),
    ("%41", "%2541"),
    ("x;y", "x%3By"),
    ("what?", "what%3F"),
    ("ü", "%C3%BC"),
    ("日本", "%E6%97%A5%E6%9C%AC"),
    ("u\u0308", "u%CC%88"),
    ("a&b=c", "a&b=c"),
    ("it's", "it's"),
    ("!bang", "!bang"),
    ("[x]", "%5Bx%5D"),
    ("@scope", "@scope"),
    ("a:b", "a:b"),
    ('"<>\\^`{|}', "%22%3C%3E%5C%5E%60%7B%7C%7D"),
    ("~.-_$,*()", "~.-_$,*()"),
    ("...", "..."),
    ("😀", "%F0%9F%98%80"),
]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param({"repository": None}, "", id="server"),
        pytest.param({"repository": ""}, "", id="empty-repository"),
        pytest.param({"repository": "maven"}, "/maven", id="repository"),
        pytest.param({"repository": "maven", "group_id": "", "name": "", "version": ""}, "/maven", id="others-empty"),
        pytest.param(
            {"repository": "maven", "group_id": "com.audeering.data"}, "/maven/com/audeering/data", id="group"
        ),
        pytest.param(
            {"repository": "maven", "group_id": "com.audeering.data", "name": "database"},
            "/maven/com/audeering/data/database",
            id="group-and-name",
        ),
        pytest.param(
            {"repository": "maven", "group_id": "com.audeering.data", "name": "database", "version": "1.1.0"},
            "/maven/com/audeering/data/database/1.1.0",
            id="all",
        ),
        pytest.param({"group_id": "com", "name": "n", "version": "1"}, "", id="no-repository"),
        pytest.param({"repository": "r", "name": "a/b c", "version": "1+x"}, "/r/a/b%20c/1%2Bx", id="quoted"),
    ],
)
def test_url_of_parts(parts, expected):
    """Parts that are missing are left out; without a repository there is only the server."""
    assert url(SERVER, **parts) == SERVER + expected


def test_url_of_server_with_slash():
    """The server comes back as it was given; before a repository there is one slash."""
    assert url(f"{SERVER}/") == f"{SERVER}/"
    assert url(f"{SERVER}//", repository="r") == f"{SERVER}/r"


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("repository", ".", "servers resolve it"),
        ("name", "..", "servers resolve it"),
        ("name", "a//b", "is empty"),
        ("name", "/a", "is empty"),
        ("version", "1/", "is empty"),
        ("group_id", ".com", "is empty"),
        ("group_id", "com..acme", "is empty"),
        ("name", "a\0b", "control character"),
        ("version", "1\n", "control character"),
        ("name", "\x7f", "control character"),
        ("repository", "\ud800", "UTF-8"),
        ("version", "1\udcff", "UTF-8"),
    ],
)
def test_url_of_part_that_is_no_name(part, value, words):
    """What no server can hold is refused, and the part is named."""
    with pytest.raises(InvalidURLError, match=f"^{part} .*{words}"):
        url(SERVER, **{"repository": "r", part: value})


@pytest.mark.parametrize(("name", "quoted"), NAMES)
def test_name_stands_quoted_once(name, quoted):
    """Out and in again, every name is the same."""
    address = url(SERVER, repository="r", name=name)

    assert address == f"{SERVER}/r/{quoted}"
    assert parse_item_url(address) == ItemURL(HOST, "r", name)
    assert str(parse_item_url(address)) == address
    assert quote_segment(name) == quote_path(name) == quoted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "expected an absolute URL", id="empty"),
        pytest.param("host/artifactory/r", "expected an absolute URL", id="no-scheme"),
        pytest.param("//host/artifactory/r", "expected an absolute URL", id="scheme-relative"),
        pytest.param("ftp://host/r", "expected an absolute URL", id="ftp"),
        pytest.param("file:///r", "expected an absolute URL", id="file"),
        pytest.param("https:///r", "expected an absolute URL", id="no-host"),
        pytest.param("https://:443/r", "expected an absolute URL", id="only-port"),
        pytest.param("https://user:pw@host/r", "contains credentials", id="user-info"),
        pytest.param("https://@host/r", "contains credentials", id="empty-user-info"),
        pytest.param("https://host/r?list", "'\\?' starts a query", id="query"),
        pytest.param("https://host/r?", "'\\?' starts a query", id="empty-query"),
        pytest.param("https://host/r#x", "'#' starts a fragment", id="fragment"),
        pytest.param("https://host/r/a;k=v", "';' starts matrix parameters", id="matrix-parameters"),
        pytest.param("https://host/r\0", "control character", id="nul"),
        pytest.param("https://host/r\n", "control character", id="newline"),
        pytest.param("https://ho\tst/r", "control character", id="tab-in-host"),
        pytest.param("https://host/r%00", "control character", id="escaped-nul"),
        pytest.param("https://host/r/%2E%2E/s", "servers resolve it", id="escaped-dots"),
        pytest.param("https://host/r/./s", "servers resolve it", id="dot"),
        pytest.param("https://host/r/../s", "servers resolve it", id="dots"),
        pytest.param("https://host/r/a%2Fb", "cannot contain a slash", id="escaped-slash"),
        pytest.param("https://host/r/%FF", "not UTF-8", id="escape-not-utf-8"),
        pytest.param("https://host/r/%ED%A0%80", "not UTF-8", id="escaped-surrogate"),
        pytest.param("https://host/r/\ud800", "UTF-8 cannot express", id="surrogate"),
        pytest.param("https://h\udfff/r", "UTF-8 cannot express", id="surrogate-in-host"),
        pytest.param("https://host:x/r", "host or port is not valid", id="port-no-number"),
        pytest.param("https://host:65536/r", "host or port is not valid", id="port-too-large"),
        pytest.param("https://[::1/r", "host or port is not valid", id="open-bracket"),
        pytest.param("https://ho st/r", "host is not a valid name", id="blank-in-host"),
        pytest.param("https://h%41/r", "host is not a valid name", id="escape-in-host"),
        pytest.param("https://h\\x/r", "host is not a valid name", id="backslash-in-host"),
        pytest.param(f"https://{'ü' * 70}/r", "host is not a valid name", id="host-label-too-long"),
        pytest.param(f"https://{'a' * 64}.test/r", "host is not a valid name", id="ascii-host-label-too-long"),
        pytest.param("https://a..test/r", "host is not a valid name", id="empty-label-in-host"),
        pytest.param("https://.test/r", "host is not a valid name", id="host-begins-with-a-dot"),
        pytest.param("https://xn--/r", "host is not a valid name", id="host-not-punycode"),
        pytest.param(None, "URL is a NoneType; expected str", id="none"),
        pytest.param(b"https://host/r", "URL is a bytes; expected str", id="bytes"),
    ],
)
def test_text_that_is_no_address(text, words):
    """No request is made of a URL that cannot mean an item; the error says why."""
    for parse in (parse_item_url, parse_server_url, lambda text: url(text, repository="r")):
        with pytest.raises(InvalidURLError, match=words):
            parse(text)


@pytest.mark.parametrize("text", [SERVER, f"{SERVER}/", "https://host", "https://host/"])
def test_item_url_without_repository(text):
    """The address of a server is not that of an item."""
    with pytest.raises(InvalidURLError, match="names no repository"):
        parse_item_url(text)


@pytest.mark.parametrize("text", [f"{SERVER}/api/storage/r/a", f"{SERVER}/api", "https://host/api/r"])
def test_item_url_of_rest_api(text):
    """A link copied from an answer is recognised."""
    with pytest.raises(InvalidURLError, match=r"REST API — .*rest_api_get"):
        parse_item_url(text)


def test_names_like_those_of_the_api_below_a_repository():
    """Only the first segment after the server makes a URL one of the REST API."""
    assert parse_item_url(f"{SERVER}/r/api/a") == ItemURL(HOST, "r", "api/a")


@pytest.mark.parametrize(
    ("text", "server"),
    [
        pytest.param("HTTPS://Host/x", ServerURL("https", "host", 443, ("x",)), id="upper-case"),
        pytest.param("http://host", ServerURL("http", "host", 80), id="default-port"),
        pytest.param("https://host:8443/", ServerURL("https", "host", 8443), id="port"),
        pytest.param("https://host:443", ServerURL("https", "host", 443), id="default-port-said"),
        pytest.param("https://host:/", ServerURL("https", "host", 443), id="empty-port"),
        pytest.param("https://host:0/", ServerURL("https", "host", 0), id="port-zero"),
        pytest.param("https://bücher.example", ServerURL("https", "xn--bcher-kva.example", 443), id="idna"),
        pytest.param("http://[::1]:8081", ServerURL("http", "::1", 8081), id="ipv6"),
        pytest.param("https://[FE80::1%25eth0]", ServerURL("https", "fe80::1%25eth0", 443), id="ipv6-zone"),
        pytest.param("https://host/a//b/", ServerURL("https", "host", 443, ("a", "b")), id="double-slash"),
        pytest.param("https://host/a%20b", ServerURL("https", "host", 443, ("a b",)), id="escape"),
    ],
)
def test_server_address(text, server):
    """Spellings of one server are one value, and its own spelling is read as the same."""
    assert parse_server_url(text) == server
    assert parse_server_url(str(server)) == server


@pytest.mark.parametrize(
    ("server", "origin"),
    [
        (ServerURL("https", "host", 443), "https://host"),
        (ServerURL("https", "host", 80), "https://host:80"),
        (ServerURL("http", "::1", 80), "http://[::1]"),
        (ServerURL("http", "::1", 8081, ("x",)), "http://[::1]:8081"),
    ],
)
def test_origin_leaves_out_the_default_port(server, origin):
    """Origins are compared as text where requests are sent."""
    assert server.origin == origin


@pytest.mark.parametrize(
    ("text", "known", "context", "repository", "path"),
    [
        pytest.param("https://h/r/a", [], "", "r", "a", id="host"),
        pytest.param("https://h/artifactory/r/a", [], "artifactory", "r", "a", id="artifactory"),
        pytest.param("https://h/x/artifactory/r", [], "x/artifactory", "r", "", id="below-another"),
        pytest.param(
            "https://h/artifactory/artifactory/a", [], "artifactory", "artifactory", "a", id="first-one-counts"
        ),
        pytest.param("https://h/xartifactory/r/a", [], "", "xartifactory", "r/a", id="whole-segments"),
        pytest.param("https://h/x/r/a", ["https://h/x"], "x", "r", "a", id="known"),
        pytest.param("https://h/xy/r/a", ["https://h/x"], "", "xy", "r/a", id="not-by-prefix"),
        pytest.param("https://h/r/artifactory/a", ["https://h"], "", "r", "artifactory/a", id="known-at-root"),
        pytest.param("https://h/x/y/r", ["https://h", "https://h/x/y", "https://h/x"], "x/y", "r", "", id="longest"),
        pytest.param("https://h/x/r", ["http://h/x", "https://g/x", "https://h:1/x"], "", "x", "r", id="elsewhere"),
        pytest.param("https://H//artifactory//r//a/", [], "artifactory", "r", "a", id="slashes"),
        pytest.param("https://h/a b/r/ü", ["https://h/a%20b"], "a b", "r", "ü", id="raw-characters"),
        pytest.param("https://h/r/100%/%zz/%C3%BC", [], "", "r", "100%/%zz/ü", id="lone-percent"),
    ],
)
def test_where_the_server_ends(text, known, context, repository, path):
    """Known servers decide, the longest first; then the segment ``artifactory``; then the host."""
    item = parse_item_url(text, map(parse_server_url, known))

    assert (item.server, item.repository, item.path) == (parse_server_url(f"https://h/{context}"), repository, path)


@pytest.mark.parametrize(
    ("text", "known", "server"),
    [
        (f"{SERVER}/api/system/ping?x=y;z#f", [], SERVER),
        (f"{SERVER}/r/a;k=v/b", [], SERVER),
        ("https://host/x/api/repositories", ["https://host/x"], "https://host/x"),
        ("https://host/access/api/v1/tokens", [], "https://host"),
        ("https://host?q=\ud83d/..", [], None),
        ("https://host;.evil/artifactory/r", ["https://host/artifactory"], "https://host;.evil/artifactory"),
        ("https://host;@evil/artifactory/r", ["https://host/artifactory"], None),
        (f"{SERVER}/r/a;k=v/../../../other", [], None),
    ],
)
def test_server_of_any_url(text, known, server):
    """URLs of the REST API belong to a server too; what no request can carry does not."""
    if server is None:
        with pytest.raises(InvalidURLError):
            server_of(text)
    else:
        assert server_of(text, map(parse_server_url, known)) == parse_server_url(server)


def test_server_of_what_is_no_text():
    """The first look at an argument is the one that explains it."""
    with pytest.raises(InvalidURLError, match="URL is a int; expected str"):
        server_of(1)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("https://host/a b/ü", "https://host/a b/ü", id="nothing"),
        pytest.param("https://user:S3cret@host/a", "https://***@host/a", id="user-info"),
        pytest.param("https://S3cret@host/a", "https://***@host/a", id="token-as-user"),
        pytest.param("user:S3cret@host/a", "***@host/a", id="no-scheme"),
        pytest.param("//user:S3cret@host/a", "//***@host/a", id="scheme-relative"),
        pytest.param("https://host/a?token=S3cret", "https://host/a?***", id="query"),
        pytest.param("https://host/a#S3cret", "https://host/a?***", id="fragment"),
        pytest.param("https://user:S3/cret@host/a", "https://***@host/a", id="slash-in-password"),
        pytest.param("https://user:S3?cret@host/a", "https://***@host/a", id="question-mark-in-password"),
        pytest.param("https://user:S3#cret@host/a", "https://***@host/a", id="hash-in-password"),
        pytest.param("https://user:S3@c/r@et@host/a", "https://***@host/a", id="at-in-password"),
        pytest.param("https://user:S3\n/cret@host/a", "https://***@host/a", id="newline-in-password"),
        pytest.param("https://host/@scope/pkg", "https://host/@scope/pkg", id="at-in-path"),
        pytest.param("https://host:8443/@scope", "https://host:8443/@scope", id="at-after-port"),
        pytest.param("https://[::1]:80/@scope", "https://[::1]:80/@scope", id="at-after-ipv6"),
        pytest.param("/r/a:b@c", "/r/a:b@c", id="path"),
        pytest.param("", "", id="empty"),
    ],
)
def test_masked_url(text, masked):
    """What a message shows has no user-info, query or fragment, and as much of the rest as is safe."""
    assert mask_url(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "https://user:S3cret@host/r",
        "https://user:S3cret/x@host/r",
        "https://user:x@y/S3cret@host/r",
        "ftp://user:S3cret@host/r",
        "user:S3cret@host/r",
        "https://user:S3cret@host/r\n",
        "https://user:S3cret@[::1/r",
        "https://host/r?token=S3cret",
        "https://host/r#S3cret",
        "https://host/api/r?token=S3cret",
    ],
)
def test_refused_url_keeps_its_secret(text):
    """No message of ours repeats a password, wherever in the URL it stood."""
    with pytest.raises(InvalidURLError) as caught:
        parse_item_url(text)

    assert "S3cret" not in str(caught.value)


def test_item_names_and_children():
    """An item knows its last segment and its place, and makes addresses below it."""
    repository = parse_item_url(f"{SERVER}/r")
    file = repository / "a" / "b c.jar"

    assert (repository.name, repository.location) == ("r", "r")
    assert (file.name, file.path, file.location) == ("b c.jar", "a/b c.jar", "r/a/b%20c.jar")
    assert str(file) == f"{SERVER}/r/a/b%20c.jar"


def test_checked_name_is_returned():
    """A good name passes unchanged."""
    assert check_name(" a ") == " a "


@pytest.mark.parametrize(
    ("group_id", "path"), [("com.acme.data", "com/acme/data"), ("com", "com"), ("", ""), ("a-b.c_d", "a-b/c_d")]
)
def test_group_id_and_path(group_id, path):
    """Dots become slashes, and slashes dots."""
    assert group_id_to_path(group_id) == path
    assert path_to_group_id(path) == group_id


@pytest.mark.parametrize(
    ("page", "item"),
    [
        ("https://h/ui/native/repo/g/n", "https://h/artifactory/repo/g/n"),
        ("https://h/ui/native/repo/g/n/", "https://h/artifactory/repo/g/n"),
        ("https://h/ui/native/repo", "https://h/artifactory/repo"),
        ("https://h:8443/ui/repos/tree/General/repo/a%20b", "https://h:8443/artifactory/repo/a%20b"),
        ("https://h/ui/repos/tree/Properties/repo%2Fg%2Fn?clearFilter=true", "https://h/artifactory/repo/g/n"),
        ("https://h/artifactory/webapp/#/artifacts/browse/tree/General/repo/g", "https://h/artifactory/repo/g"),
        ("https://h/webapp/#/artifacts/browse/tree/General/repo/g/n.jar", "https://h/artifactory/repo/g/n.jar"),
        ("https://h/artifactory/webapp/browserepo.html?0&pathId=repo:g/n", "https://h/artifactory/repo/g/n"),
        ("https://h/artifactory/list/repo/g/n/", "https://h/artifactory/repo/g/n"),
        ("https://h/artifactory/simple/repo/a%20b", "https://h/artifactory/repo/a%20b"),
        ("https://h/ui/native/repo/a%23b;c", "https://h/artifactory/repo/a%23b%3Bc"),
    ],
)
@pytest.mark.parametrize("known", [(), (HOST,)])
def test_page_of_the_web_interface(page, item, known):
    """A URL copied from the browser is refused, with the URL to use."""
    with pytest.raises(InvalidURLError, match="is a page of the web interface, copied from a browser") as caught:
        parse_item_url(page, known)
    assert caught.value.hint == f"use {item}"
    assert str(parse_item_url(item, known)) == item


@pytest.mark.parametrize(
    "page",
    [
        "https://h/ui/native/repo/g/n",
        "https://h/ui/packages",
        "https://h/artifactory/webapp/#/home",
        "https://h/ui/native/api/storage",
    ],
)
def test_page_in_place_of_a_server(page):
    """The address of a server is suggested, not that of an item."""
    with pytest.raises(InvalidURLError) as caught:
        parse_server_url(page)
    assert caught.value.hint == "use https://h/artifactory"


@pytest.mark.parametrize(
    "page",
    [
        "https://h/ui/packages",
        "https://h/ui/login/",
        "https://h/artifactory/webapp/#/home",
        "https://h/ui/native/api/storage",
        "https://h/ui/native/repo/%00",
        "https://h/ui/native/repo/../x",
        "https://h/ui/native/repo/a%2F%2Fb",
        "https://h/ui/native/repo/a%FF",
        "https://h/artifactory/webapp/browserepo.html?pathId=repo:a%FF",
    ],
)
def test_page_without_an_item(page):
    """A URL that is refused as well, or names another item, is not suggested."""
    with pytest.raises(InvalidURLError, match="is a page of the web interface") as caught:
        parse_item_url(page)
    assert caught.value.hint == "use the URL of an item below https://h/artifactory"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("http://h/artifactory/r/a?b", "write %3F if it belongs to a name"),
        ("http://h/artifactory/r/a#", "write %23 if it belongs to a name"),
        ("http://h/artifactory/r/a;b", "write %3B if it belongs to a name"),
        ("http://h/artifactory/r/a?b#c;d", "write %3F and %23 and %3B if they belong to a name"),
        ("http://h/artifactory/r;p=1/a?c", "write %3F and %3B if they belong to a name"),
        ("http://h/artifactory/api/storage/r?list", "give the URL of the item itself, or use rest_api_get()"),
        ("http://h?x", None),
        ("http://h/artifactory/r/%FF?b", None),
        ("http://h/artifactory/r/a%00;b", None),
        ("http://h/artifactory/r/../a#b", None),
    ],
)
def test_hint_for_reserved_characters(text, hint):
    """To escape them is suggested only if that makes a URL that is accepted."""
    with pytest.raises(InvalidURLError) as caught:
        parse_item_url(text)
    assert caught.value.hint == hint


def test_page_of_a_known_server():
    """The context path comes from the session."""
    known = ServerURL("https", "h", 443, ("acme",))
    with pytest.raises(InvalidURLError) as caught:
        parse_item_url("https://h/ui/native/repo/a", [known])
    assert caught.value.hint == "use https://h/acme/repo/a"


@pytest.mark.parametrize(
    "url",
    [
        "https://h/artifactory/ui/native/a",
        "https://h/artifactory/webapp/index.html",
        "https://h/uix/native/a",
        "https://h/artifactory/libs/ui/native/a",
    ],
)
def test_item_that_looks_like_a_page(url):
    """Repositories may be named ui and webapp."""
    assert str(parse_item_url(url)) == url


def test_repository_ui_of_a_server_without_context_path():
    """Where the server is known by its host alone, its repositories follow at once."""
    item = parse_item_url("https://h/ui/native/a", [ServerURL("https", "h", 443)])
    assert (item.repository, item.path) == ("ui", "native/a")


def test_page_hides_secrets():
    """Neither query nor fragment is quoted."""
    with pytest.raises(InvalidURLError) as caught:
        parse_item_url("https://h/ui/native/repo/a?token=S3cret#S3cret")
    assert "S3cret" not in str(caught.value)
