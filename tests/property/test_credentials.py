import configparser
import io
import json
import netrc
import traceback

from hypothesis import assume, given
from hypothesis import strategies as st

from aioartifact._address import ServerURL, parse_server_url
from aioartifact._credentials import Credentials
from aioartifact._credentials.ancestor import from_cfg
from aioartifact._credentials.jfrog import from_jfrog_cli, from_jfrog_environment
from aioartifact._credentials.netrc import from_netrc
from aioartifact._errors import CredentialsError

CANARY = "s3cr3t-canary"
SERVER = parse_server_url("https://h/artifactory")

TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
# A cfg file cannot hold spaces at the ends of a value.
SECRETS = st.one_of(TEXTS, st.text("%()sab\"'\\#;=: ")).map(str.strip)
USERS = SECRETS.filter(lambda text: ":" not in text)

PORTS = {"http": 80, "https": 443}
HOSTS = st.one_of(
    st.sampled_from(["h", "hh", "h.evil", "evil.h", "h-evil", "127.0.0.1", "::1"]),
    st.from_regex(r"[a-z]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True),
)
SEGMENTS = st.one_of(
    st.sampled_from(["artifactory", "artifactory-evil", "artifactor", "Artifactory", "a b", "ä", "50%"]),
    TEXTS.filter(lambda name: name not in ("", ".", "..") and "/" not in name),
)


@st.composite
def servers(draw) -> ServerURL:
    scheme = draw(st.sampled_from(sorted(PORTS)))
    port = draw(st.sampled_from([PORTS[scheme], 80, 443, 8081]))
    return ServerURL(scheme, draw(HOSTS), port, tuple(draw(st.lists(SEGMENTS, max_size=3))))


@st.composite
def neighbours(draw) -> tuple[ServerURL, ServerURL]:
    """Two servers that often have much in common."""
    first, second = draw(servers()), draw(servers())
    host = draw(st.sampled_from([first.host, second.host]))
    path = draw(st.sampled_from([second.context_path, first.context_path + second.context_path]))
    return first, ServerURL(second.scheme, host, second.port, path)


def written(section: str, username: str, password: str) -> str:
    """A cfg file as configparser itself writes it, with interpolation off."""
    parser = configparser.ConfigParser(interpolation=None)
    parser[section] = {"username": username, "password": password}
    file = io.StringIO()
    parser.write(file)
    return file.getvalue()


@given(username=USERS, password=SECRETS)
def test_cfg_gives_back_what_was_written(username, password):
    """Every user name and password that a cfg file can hold is read back; ``%%`` and ``%(`` have a meaning there."""
    assume(not any(sign in text for sign in ("%%", "%(") for text in (username, password)))

    found = from_cfg(written("h/artifactory", username, password), SERVER, "cfg")

    assert found == Credentials.basic(username, password)


@given(username=USERS, password=SECRETS)
def test_cfg_gives_back_what_was_doubled_for_interpolation(username, password):
    """A file written for dohq-artifactory, with every ``%`` doubled, is read as dohq-artifactory reads it."""
    doubled = (text.replace("%", "%%") for text in (username, password))

    assert from_cfg(written("h/artifactory", *doubled), SERVER, "cfg") == Credentials.basic(username, password)


@given(pair=neighbours())
def test_cfg_section_with_scheme_covers_exactly_what_is_below(pair):
    """A section answers for its own address and the paths below it, one for http over TLS, too; for nothing else."""
    owner, other = pair

    found = from_cfg(written(str(owner), "u", "p"), other, "cfg")

    port = 443 if owner.port == 80 else owner.port
    over_tls = ServerURL("https", owner.host, port, owner.context_path) if owner.scheme == "http" else owner
    assert (found is not None) is f"{other}/".startswith((f"{owner}/", f"{over_tls}/"))


@given(pair=neighbours())
def test_cfg_section_without_scheme_stays_with_host_port_and_path(pair):
    """A section without scheme answers for both schemes, but never for another host, port or path."""
    owner, other = pair
    section = str(owner).partition("://")[2]

    found = from_cfg(written(section, "u", "p"), other, "cfg")

    default = owner.port == PORTS[owner.scheme]
    port = PORTS[other.scheme] if default else owner.port
    same = (owner.host, port) == (other.host, other.port)
    assert (found is not None) is (same and other.context_path[: len(owner.context_path)] == owner.context_path)


@given(pair=neighbours())
def test_jfrog_sources_stay_on_their_origin(pair):
    """JF_URL and jfrog-cli's entries answer for the address given, or for Artifactory directly below it."""
    owner, other = pair
    entry = {"url": f"{owner}/", "accessToken": "t"}

    found = {
        from_jfrog_environment({"JF_URL": str(owner), "JF_ACCESS_TOKEN": "t"}, other) is not None,
        from_jfrog_cli(json.dumps({"servers": [entry]}), other, "cli") is not None,
    }

    assert found == {str(other) in (str(owner), f"{owner}/artifactory")}


@given(hosts=st.tuples(HOSTS, HOSTS))
def test_netrc_answers_for_the_exact_host(hosts):
    """An entry answers for its own host, and for no other."""
    owner, other = hosts

    found = from_netrc(f"machine {owner} login u password p", ServerURL("https", other, 443), "netrc")

    assert (found is not None) is (owner == other)


@given(username=USERS.filter(bool), password=SECRETS)
def test_netrc_agrees_with_the_standard_library(tmp_path_factory, username, password):
    """Quoted values are read as Python's own reader reads them from a file."""
    quoted = ('"' + text.replace("\\", r"\\").replace('"', r"\"") + '"' for text in (username, password))
    text = "machine a login b password c\nmachine h login {} password {}\n".format(*quoted)
    file = tmp_path_factory.getbasetemp() / "netrc"
    file.write_text(text, encoding="utf-8", newline="\n")

    login, _, secret = netrc.netrc(file).hosts["h"]

    assert (login, secret) == (username, password)
    assert from_netrc(text, SERVER, "netrc") == Credentials.basic(login, secret)


PIECES = ["[h]", "[", "]", "=", ":", "\n", "\n\n", " ", "%", "%(", ")s", '"', "\\", "{", "}", ",", "#", CANARY]
WORDS = ["username", "password", "machine h ", "login ", "default ", "macdef ", '{"servers": [', '"url"', "https://h"]
FILES = st.one_of(TEXTS, st.lists(st.sampled_from(PIECES + WORDS)).map("".join))


def error_of(parse, text: str) -> CredentialsError | None:
    try:
        parse(text, SERVER, "file")
    except CredentialsError as error:
        return error
    return None


@given(text=FILES, parse=st.sampled_from([from_cfg, from_jfrog_cli, from_netrc]))
def test_no_content_of_a_file_escapes_in_an_error(text, parse):
    """Whatever a file holds, the answer is credentials, None or our own error, which quotes nothing secret."""
    if error := error_of(parse, text):
        assert CANARY not in f"{error.args} {vars(error)} {''.join(traceback.format_exception(error))}"
        assert error.__context__ is None
