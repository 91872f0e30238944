from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from yarl import URL

from aioartifact._address import (
    mask_url,
    parse_item_url,
    parse_server_url,
    path_to_group_id,
    quote_segment,
    server_of,
    url,
)
from aioartifact._errors import InvalidURLError

# Every name Artifactory accepts: no slash, control character or surrogate, and not what servers resolve.
CHARACTERS = st.characters(exclude_categories=("Cs",), exclude_characters=["/", *map(chr, range(32)), "\x7f"])
ODD = st.sampled_from(
    ["%", "%41", "%2F", "+", " ", "#", "?", ";", "&", "=", "@", ":", "!", "\\", "..", "ü", "artifactory"]
)
NAMES = (st.text(CHARACTERS, min_size=1) | st.lists(ODD, min_size=1).map("".join)).filter(
    lambda n: n not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
ANYTHING = st.text(st.characters(exclude_categories=())) | st.text("htps:/@?#;%.[]a1 \\", max_size=30)
SERVER = "https://host/artifactory"


@given(repository=NAMES.filter(lambda name: name != "api"), path=PATHS, version=NAMES)
def test_names_survive_the_trip_through_a_url(repository, path, version):
    """Quoted once and read once, every name is the same, and so is the URL."""
    address = url(SERVER, repository=repository, name=path, version=version)
    item = parse_item_url(address)

    assert (item.repository, item.path, item.name) == (repository, f"{path}/{version}", version)
    assert str(item) == address


@given(PATHS)
def test_url_needs_no_more_quoting(path):
    """Neither the HTTP library nor the standard library finds anything to change, and nothing but a path."""
    address = url(SERVER, repository="r", name=path)
    parts = urlsplit(address)

    assert str(URL(address, encoded=True)) == address
    assert address.isascii()
    assert (parts.geturl(), parts.netloc, parts.query, parts.fragment) == (address, "host", "", "")
    assert parts.path == f"/artifactory/r/{'/'.join(map(quote_segment, path.split('/')))}"


@given(server=PATHS, repository=NAMES.filter(lambda name: name != "api"), path=PATHS)
def test_known_server_ends_where_it_was_said_to_end(server, repository, path):
    """Names like ``artifactory`` further down do not matter to a server whose address is known."""
    known = parse_server_url("https://host/" + "/".join(map(quote_segment, server.split("/"))))
    item = parse_item_url(url(str(known), repository=repository, name=path), [known])

    assert (item.server, item.repository, item.path) == (known, repository, path)
    assert server_of(str(item), [known]) == known


@given(ANYTHING)
def test_any_text_is_an_address_or_an_invalid_url(text):
    """Whatever a user passes, there is one kind of error; what is accepted is accepted again as it is written."""
    for parse in (parse_item_url, parse_server_url, server_of):
        try:
            value = parse(text)
        except InvalidURLError:
            continue
        assert str(URL(str(value), encoded=True)) == str(value)
        assert urlsplit(str(value)).hostname == getattr(value, "server", value).host


@given(
    secret=st.text(), path=st.text("ab/@?#.%;:"), scheme=st.sampled_from(["https://", "http://", "ftp://", "//", ""])
)
def test_mask_hides_a_raw_password(scheme, secret, path):
    """A password may hold any character; none of it is shown."""
    masked = mask_url(f"{scheme}user:<{secret}>@host/{path}")

    assert "user" not in masked
    assert "<" not in masked
    assert masked.startswith(f"{scheme}***@")


@given(before=st.text(st.characters(exclude_characters="?#@:")), mark=st.sampled_from("?#"), secret=st.text())
def test_mask_hides_query_and_fragment(before, mark, secret):
    """Tokens stand in queries; a URL without one is shown as it is."""
    assert mask_url(f"https://host/{before}{mark}{secret}") == f"https://host/{before}?***"
    assert mask_url(f"https://host/{before}") == f"https://host/{before}"


@given(text=ANYTHING)
def test_mask_is_done_once(text):
    """What is masked stays as it is: masking makes nothing that looks like a secret."""
    assume("@" not in text)

    assert mask_url(mask_url(text)) == mask_url(text)


@given(st.lists(st.text("abc-_1", min_size=1), min_size=1))
def test_path_of_a_group_is_a_group(parts):
    """Without dots inside, the two spellings say the same."""
    assert path_to_group_id("/".join(parts)) == ".".join(parts)


FEW = st.lists(st.sampled_from(["artifactory", "api", "a", "b", "..", "b%20c"]), max_size=4)


@given(segments=FEW, contexts=st.lists(FEW.filter(lambda context: ".." not in context), max_size=3))
def test_item_url_is_split_where_its_server_ends(segments, contexts):
    """What was read of the folder before does not move the place where server and repository meet."""
    servers = [parse_server_url("/".join(["https://host", *context])) for context in contexts]
    text = "/".join(["https://host", *segments])
    try:
        item = parse_item_url(text, servers)
    except InvalidURLError:
        with pytest.raises(InvalidURLError):
            parse_item_url(f"{text}/", servers)
    else:
        assert item == parse_item_url(f"{text}/", servers)
        assert item.server == server_of(text, servers)
        assert str(item) == text
