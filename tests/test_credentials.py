"""Credentials: what they show, where they are found, and who never gets them."""

import base64
import copy
import json
import pickle
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from aioartifact._address import ServerURL, parse_server_url
from aioartifact._api.credentials import authentication, authentification, resolve_credentials
from aioartifact._credentials import Credentials, configured_servers, login_hint, parse_auth, resolve, resolve_ancestor
from aioartifact._credentials.ancestor import from_cfg
from aioartifact._credentials.jfrog import from_jfrog_cli, from_jfrog_environment
from aioartifact._credentials.netrc import from_netrc
from aioartifact._credentials.sources import over_tls
from aioartifact._errors import CredentialsError, InvalidArgumentError, InvalidURLError

CANARY = "s3cr3t-canary"
API_KEY = "AKCp8" + "x" * 68
SERVER = parse_server_url("https://h.example/artifactory")
HOME = Path("/home/me")
CFG, CLI, NETRC = HOME / ".artifactory_python.cfg", HOME / ".jfrog/jfrog-cli.conf.v6", HOME / ".netrc"


def cfg(*sections: str, username: str = "cfg-user", password: str = "cfg-pass") -> str:
    return "".join(f"[{name}]\nusername = {username}\npassword = {password}\n" for name in sections)


def cli(*entries: dict[str, object], **top: object) -> str:
    return json.dumps({"servers": entries, "version": "6", **top})


def found(credentials: Credentials) -> tuple[str, str, str, str]:
    return credentials.kind, credentials.username, credentials.secret, credentials.source


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


def everything_shown(error: BaseException) -> str:
    """Whatever a log, a debugger or a pickle of *error* could show, hidden causes included."""
    shown = [f"{item} {item!r} {item.args} {vars(item)}" for item in chain(error)]
    return "\n".join([*shown, *traceback.format_exception(error)])


# Values


@pytest.mark.parametrize(
    ("credentials", "headers"),
    [
        pytest.param(
            Credentials.basic("Aladdin", "open sesame"),
            {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
            id="basic-of-RFC-7617",
        ),
        pytest.param(Credentials.basic("test", "123£"), {"Authorization": "Basic dGVzdDoxMjPCow=="}, id="basic-utf-8"),
        pytest.param(Credentials.basic("", "key"), {"Authorization": "Basic OmtleQ=="}, id="basic-without-user"),
        pytest.param(Credentials.bearer("mF_9.B5f-4.1JqM"), {"Authorization": "Bearer mF_9.B5f-4.1JqM"}, id="bearer"),
        pytest.param(Credentials.api_key(API_KEY), {"X-JFrog-Art-Api": API_KEY}, id="api-key"),
        pytest.param(Credentials.anonymous(), {}, id="anonymous"),
        pytest.param(Credentials.basic("anonymous", ""), {}, id="anonymous-as-a-pair"),
        pytest.param(Credentials.basic("", ""), {}, id="empty-pair"),
    ],
)
def test_headers_of_each_kind(credentials, headers):
    """Each kind of credentials is proven by its own header, and anonymous by none."""
    assert credentials.headers() == headers


@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param(Credentials.basic("user", CANARY), id="basic"),
        pytest.param(Credentials.bearer(CANARY), id="bearer"),
        pytest.param(Credentials.api_key(CANARY), id="api-key"),
    ],
)
def test_shown_credentials_hide_the_secret(credentials):
    """No way of turning credentials into text has the secret in it; the source is there."""
    shown = [repr(credentials), str(credentials), f"{credentials}", f"{[credentials]}", "%s" % credentials]  # noqa: UP031

    assert not [text for text in shown if CANARY in text]
    assert all("***" in text and "source='argument'" in text for text in shown)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_is_refused_with_a_way_out(protocol):
    """No pickle protocol stores credentials, and the error says what to do instead."""
    with pytest.raises(TypeError, match="resolve them in each process") as caught:
        pickle.dumps(Credentials.basic("user", CANARY), protocol)

    assert CANARY not in everything_shown(caught.value)


def test_copies_are_the_value_itself():
    """A frozen value needs no second copy of its secret in memory."""
    credentials = Credentials.basic("user", CANARY)

    assert copy.copy(credentials) is credentials
    assert copy.deepcopy([credentials])[0] is credentials


def test_equality_compares_what_is_sent():
    """Credentials are equal when they say the same, wherever they were found."""
    assert Credentials.basic("u", "p") == Credentials.basic("u", "p", source="elsewhere")
    assert len({Credentials.basic("u", "p"), Credentials.basic("u", "q"), Credentials.bearer("p")}) == 3


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Credentials.basic("user", f"{CANARY}\r\nX-Evil: 1"), id="line-break-in-password"),
        pytest.param(lambda: Credentials.basic("user", f"{CANARY}\0"), id="nul-in-password"),
        pytest.param(lambda: Credentials.basic("user", f"{CANARY}\udcff"), id="undecodable-byte-in-password"),
        pytest.param(lambda: Credentials.basic(f"{CANARY}\n", ""), id="line-break-in-user"),
        pytest.param(lambda: Credentials.basic(f"{CANARY}:x", ""), id="colon-in-user"),
        pytest.param(lambda: Credentials.bearer(f"{CANARY}\n"), id="line-break-in-token"),
        pytest.param(lambda: Credentials.bearer(f"{CANARY} x"), id="space-in-token"),
        pytest.param(lambda: Credentials.bearer(""), id="empty-token"),
        pytest.param(lambda: Credentials.api_key(f"{CANARY}ä"), id="non-ascii-in-key"),
        pytest.param(lambda: Credentials.api_key(""), id="empty-key"),
        pytest.param(lambda: Credentials("bearer", "", f"{CANARY}\r\n", "somewhere"), id="constructor"),
    ],
)
def test_unusable_secret_is_refused_without_quoting_it(make):
    """What would break a header is refused when it is given, and the error does not repeat it."""
    with pytest.raises(CredentialsError, match=r"^credentials from \w+: the ") as caught:
        make()

    assert CANARY not in everything_shown(caught.value)


def test_auth_argument_is_a_pair_or_credentials():
    """The explicit argument takes a pair, or credentials as they are."""
    token = Credentials.bearer("token")

    assert parse_auth(token) is token
    assert found(parse_auth(("user", "secret"))) == ("basic", "user", "secret", "argument")
    assert parse_auth(("anonymous", "")).kind == "anonymous"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(CANARY, id="bare-token"),
        pytest.param(("user", CANARY, "utf-8"), id="three-parts"),
        pytest.param(("user", CANARY.encode()), id="bytes"),
        pytest.param({"user": CANARY}, id="mapping"),
    ],
)
def test_auth_argument_of_another_type_is_refused(value):
    """Anything else is refused by its type alone, with a pointer to tokens."""
    with pytest.raises(InvalidArgumentError, match=r"Credentials\.bearer") as caught:
        parse_auth(value)

    assert CANARY not in everything_shown(caught.value)


@pytest.mark.parametrize("value", [CANARY.encode(), None, 7, ["x"]], ids=["bytes", "none", "number", "list"])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda value: Credentials.basic("user", value), id="secret"),
        pytest.param(lambda value: Credentials.basic(value, "secret"), id="user"),
        pytest.param(Credentials.bearer, id="token"),
        pytest.param(Credentials.api_key, id="key"),
    ],
)
def test_user_name_and_secret_are_text(make, value):
    """Anything else is refused by its type, and is not quoted."""
    with pytest.raises(InvalidArgumentError) as caught:
        make(value)

    assert CANARY not in everything_shown(caught.value)


@pytest.mark.parametrize(("port", "port_over_tls"), [(80, 443), (79, 79), (8081, 8081), (443, 443)])
def test_address_over_tls(port, port_over_tls):
    """Only the default port has another meaning with https."""
    address = over_tls(ServerURL("http", "h", port, ("artifactory",)))
    assert address == ServerURL("https", "h", port_over_tls, ("artifactory",))


@pytest.mark.parametrize("source", ["/etc/netrc line 1", "JF_ACCESS_TOKEN", "environment ARTIFACTORY_USERNAME"])
def test_hint_names_the_source(source):
    """As it is; only the argument has no name of its own."""
    assert login_hint(Credentials.basic("u", "p", source=source)).endswith(f"sent as user 'u', from {source}")
    assert login_hint(Credentials.basic("u", "p")).endswith("from the argument auth")


# Precedence

PAIR = {"ARTIFACTORY_USERNAME": "env-user", "ARTIFACTORY_API_KEY": "env-key"}
JF_TOKEN = {"JF_URL": "https://h.example", "JF_ACCESS_TOKEN": "jf-token"}
JF_LOGIN = {"JF_URL": "https://h.example", "JF_USER": "jf-user", "JF_PASSWORD": "jf-pass"}
IN_CFG = {CFG: cfg("h.example/artifactory")}
IN_CLI = {CLI: cli({"serverId": "prod", "url": "https://h.example/", "user": "cli-user", "password": "cli-pass"})}
IN_NETRC = {NETRC: "machine h.example login netrc-user password netrc-pass\n"}
IN_FILES = IN_CFG | IN_CLI | IN_NETRC

FROM_PAIR = ("basic", "env-user", "env-key", "environment ARTIFACTORY_USERNAME")
FROM_TOKEN = ("bearer", "", "jf-token", "environment JF_ACCESS_TOKEN")
FROM_LOGIN = ("basic", "jf-user", "jf-pass", "environment JF_USER")
FROM_CFG = ("basic", "cfg-user", "cfg-pass", "file ~/.artifactory_python.cfg section [h.example/artifactory]")
FROM_CLI = ("basic", "cli-user", "cli-pass", "file ~/.jfrog/jfrog-cli.conf.v6 server id prod")
FROM_NETRC = ("basic", "netrc-user", "netrc-pass", "file ~/.netrc machine h.example")
NOWHERE = (
    "anonymous",
    "anonymous",
    "",
    "none found in the environment, ~/.artifactory_python.cfg, ~/.jfrog/jfrog-cli.conf.v6 and ~/.netrc",
)
NOT_IN_CFG = ("anonymous", "anonymous", "", "none found in the environment and ~/.artifactory_python.cfg")


@pytest.mark.parametrize(
    ("environ", "files", "expected"),
    [
        pytest.param(PAIR | JF_TOKEN | JF_LOGIN, IN_FILES, FROM_PAIR, id="pair-beats-all"),
        pytest.param(JF_TOKEN | JF_LOGIN, IN_FILES, FROM_TOKEN, id="jf-token-beats-jf-user-and-files"),
        pytest.param(JF_LOGIN, IN_FILES, FROM_LOGIN, id="jf-user-beats-files"),
        pytest.param({}, IN_FILES, FROM_CFG, id="cfg-beats-jfrog-cli-and-netrc"),
        pytest.param({}, IN_CLI | IN_NETRC, FROM_CLI, id="jfrog-cli-beats-netrc"),
        pytest.param({}, IN_NETRC, FROM_NETRC, id="netrc-beats-anonymous"),
        pytest.param({}, {}, NOWHERE, id="nothing-anywhere"),
        pytest.param({"ARTIFACTORY_USERNAME": "u"}, IN_CFG, FROM_CFG, id="user-without-key-is-ignored"),
        pytest.param({"ARTIFACTORY_API_KEY": "k"}, IN_CFG, FROM_CFG, id="key-without-user-is-ignored"),
        pytest.param(
            {"ARTIFACTORY_USERNAME": "anonymous", "ARTIFACTORY_API_KEY": ""},
            IN_FILES,
            ("anonymous", "anonymous", "", "environment ARTIFACTORY_USERNAME"),
            id="anonymous-on-purpose-beats-files",
        ),
        pytest.param({"JF_ACCESS_TOKEN": "t"}, IN_CFG, FROM_CFG, id="jf-token-without-url-is-nobodys"),
        pytest.param(JF_TOKEN | {"JF_URL": "https://other"}, IN_CFG, FROM_CFG, id="jf-url-of-another-server"),
        pytest.param(JF_TOKEN | {"JF_ACCESS_TOKEN": ""}, IN_CFG, FROM_CFG, id="empty-jf-token-is-not-set"),
        pytest.param(JF_LOGIN | {"JF_USER": ""}, IN_CFG, FROM_CFG, id="jf-password-without-user-is-ignored"),
        pytest.param({"JF_URL": "nonsense"}, IN_CFG, FROM_CFG, id="jf-url-alone-is-not-read"),
        pytest.param({}, {CFG: cfg("other/artifactory")} | IN_NETRC, FROM_NETRC, id="cfg-for-another-server"),
        pytest.param({}, {CFG: ""} | IN_CLI, FROM_CLI, id="empty-cfg"),
    ],
)
def test_first_source_that_knows_the_server_wins_whole(environ, files, expected):
    """Sources are asked in one order; the first that knows the server gives user, secret and kind together."""
    assert found(resolve(SERVER, environ=environ, read=files.get, home=HOME)) == expected


@pytest.mark.parametrize(
    ("environ", "files", "expected"),
    [
        pytest.param(PAIR, IN_FILES, FROM_PAIR, id="pair"),
        pytest.param(JF_TOKEN, IN_FILES, FROM_CFG, id="cfg"),
        pytest.param(JF_TOKEN, IN_CLI | IN_NETRC, NOT_IN_CFG, id="anonymous"),
    ],
)
def test_ancestor_steps_are_pair_then_cfg_then_anonymous(environ, files, expected):
    """The ancestor's function looks where the ancestor looked, and nowhere else."""
    assert found(resolve_ancestor(SERVER, environ=environ, read=files.get, home=HOME)) == expected


@pytest.mark.parametrize(
    ("variable", "value", "path", "text", "secret"),
    [
        pytest.param("DOHQ_ARTIFACTORY_PYTHON_CFG", "/etc/a.cfg", "/etc/a.cfg", IN_CFG[CFG], "cfg-pass", id="cfg"),
        pytest.param("DOHQ_ARTIFACTORY_PYTHON_CFG", "~/x/a", HOME / "x/a", IN_CFG[CFG], "cfg-pass", id="cfg-tilde"),
        pytest.param("DOHQ_ARTIFACTORY_PYTHON_CFG", "", CFG, IN_CFG[CFG], "cfg-pass", id="cfg-empty-is-not-set"),
        pytest.param("JFROG_CLI_HOME_DIR", "/j", "/j/jfrog-cli.conf.v6", IN_CLI[CLI], "cli-pass", id="jfrog-cli"),
        pytest.param("NETRC", "/etc/netrc", "/etc/netrc", IN_NETRC[NETRC], "netrc-pass", id="netrc"),
        pytest.param("NETRC", ".", ".", IN_NETRC[NETRC], "netrc-pass", id="netrc-relative"),
    ],
)
def test_variable_moves_a_file(variable, value, path, text, secret):
    """Each file is read where its own tool would read it."""
    files = {Path(path): text}

    assert resolve(SERVER, environ={variable: value}, read=files.get, home=HOME).secret == secret


def test_server_id_chooses_among_entries_for_one_server():
    """jfrog-cli's variable names one of several entries, and goes before the default one."""
    text = cli(entry(accessToken="a", isDefault=True), entry(accessToken="b", serverId="ci"))

    chosen = resolve(SERVER, environ={"JFROG_CLI_SERVER_ID": "ci"}, read={CLI: text}.get, home=HOME)

    assert chosen.secret == "b"


def test_moved_file_replaces_the_one_in_the_home_folder():
    """A variable that names a file that does not exist leads to the next source, not back to the old file."""
    environ = {"DOHQ_ARTIFACTORY_PYTHON_CFG": "/missing"}

    assert found(resolve(SERVER, environ=environ, read=IN_FILES.get, home=HOME)) == FROM_CLI


# JFrog's environment


@pytest.mark.parametrize(
    ("jf_url", "known"),
    [
        pytest.param("https://h.example", True, id="platform"),
        pytest.param("https://h.example/", True, id="platform-with-slash"),
        pytest.param("https://H.Example:443/artifactory/", True, id="artifactory"),
        pytest.param("http://h.example", False, id="other-scheme"),
        pytest.param("https://h.example:8443", False, id="other-port"),
        pytest.param("https://h.example.evil", False, id="longer-host"),
        pytest.param("https://h.example/artifactory-evil", False, id="longer-segment"),
        pytest.param("https://h.example/artifactory/repo", False, id="below"),
    ],
)
def test_jf_url_names_the_platform_or_its_artifactory(jf_url, known):
    """The token is for the server that JF_URL names, in either of the shapes found in the wild."""
    credentials = from_jfrog_environment({"JF_URL": jf_url, "JF_ACCESS_TOKEN": "t"}, SERVER)

    assert (credentials is not None) is known


@pytest.mark.parametrize("jf_url", ["h.example", f"https://user:{CANARY}@h.example", "https://h.example:port"])
def test_unusable_jf_url_beside_a_secret_is_skipped(jf_url):
    """The secret may be for any server: the next source counts, and the URL is not shown."""
    environ = {"JF_URL": jf_url, "JF_ACCESS_TOKEN": CANARY}

    resolved = resolve(SERVER, environ=environ, read=IN_NETRC.get, home=HOME)

    assert found(resolved) == FROM_NETRC
    assert resolved.skipped == (
        "environment JF_URL: expected an absolute URL such as https://host, without credentials",
    )


@pytest.mark.parametrize(
    ("environ", "skipped"),
    [
        pytest.param({"ARTIFACTORY_USERNAME": "u"}, "ARTIFACTORY_USERNAME: ARTIFACTORY_API_KEY is not set", id="user"),
        pytest.param({"ARTIFACTORY_API_KEY": CANARY}, "ARTIFACTORY_API_KEY: ARTIFACTORY_USERNAME is not set", id="key"),
        pytest.param({"JF_ACCESS_TOKEN": CANARY}, "JF_ACCESS_TOKEN: JF_URL is not set", id="token"),
        pytest.param({"JF_USER": "u", "JF_PASSWORD": CANARY}, "JF_USER: JF_URL is not set", id="password"),
    ],
)
def test_incomplete_environment_is_mentioned(environ, skipped):
    """Half of a pair counts for nothing, and the result says which half is missing."""
    resolved = resolve(SERVER, environ=environ, read={}.get, home=HOME)

    assert resolved.kind == "anonymous"
    assert resolved.skipped == (f"environment {skipped}",)


# ~/.artifactory_python.cfg


@pytest.mark.parametrize(
    ("section", "url"),
    [
        pytest.param("h.example/artifactory", "https://h.example/artifactory", id="without-scheme"),
        pytest.param("h.example/artifactory", "http://h.example/artifactory", id="without-scheme-plain-http"),
        pytest.param("https://h.example/artifactory", "https://h.example/artifactory", id="with-scheme"),
        pytest.param("HTTPS://H.Example/artifactory", "https://h.example/artifactory", id="case-of-host"),
        pytest.param("h.example/artifactory/", "https://h.example/artifactory", id="trailing-slash"),
        pytest.param(" h.example//artifactory ", "https://h.example/artifactory", id="spaces-and-slashes"),
        pytest.param("h.example:443/artifactory", "https://h.example/artifactory", id="default-port-given"),
        pytest.param("h.example/artifactory", "https://h.example:443/artifactory", id="default-port-asked"),
        pytest.param("http://h.example:80/artifactory", "http://h.example/artifactory", id="default-port-of-http"),
        pytest.param("h.example:8081/artifactory", "http://h.example:8081/artifactory", id="port"),
        pytest.param("[::1]:8081/artifactory", "http://[::1]:8081/artifactory", id="ipv6"),
        pytest.param("h.example", "https://h.example/artifactory", id="host-alone-covers-its-paths"),
        pytest.param("h.example/a", "https://h.example/a/artifactory", id="context-covers-what-is-below"),
        pytest.param("h.example/my%20a", "https://h.example/my a", id="escapes"),
        pytest.param("http://h.example/artifactory", "https://h.example/artifactory", id="http-for-https"),
        pytest.param("HTTP://h.example:80/", "https://h.example/artifactory", id="http-for-https-with-port"),
        pytest.param("http://h.example:8081/a", "https://h.example:8081/a", id="http-for-https-on-a-port"),
    ],
)
def test_section_answers_for_its_server(section, url):
    """A section is found however its owner spelled the address."""
    credentials = from_cfg(cfg(section), parse_server_url(url), "cfg")

    assert credentials == Credentials.basic("cfg-user", "cfg-pass")


@pytest.mark.parametrize(
    ("section", "url"),
    [
        pytest.param("h.example/artifactory", "https://h.example/artifactory-evil", id="longer-segment"),
        pytest.param("h.example/artifactory", "https://h.example.evil/artifactory", id="longer-host"),
        pytest.param("h.example/artifactory", "https://evil.h.example/artifactory", id="subdomain"),
        pytest.param("h.example/artifactory", "https://evil-h.example/artifactory", id="suffix"),
        pytest.param("h.example/artifactory", "https://evil/h.example/artifactory", id="host-as-a-path"),
        pytest.param("h.example/artifactory", "https://h.example:8443/artifactory", id="other-port"),
        pytest.param("h.example/artifactory", "https://h.example/Artifactory", id="case-of-path"),
        pytest.param("h.example/artifactory", "https://h.example", id="above"),
        pytest.param("h.example:443/artifactory", "http://h.example/artifactory", id="port-of-the-other-scheme"),
        pytest.param("https://h.example/artifactory", "http://h.example/artifactory", id="plain-http"),
        pytest.param("https://h.example:8443/artifactory", "http://h.example:8443/artifactory", id="plain-port"),
        pytest.param("http://h.example:8081/artifactory", "https://h.example/artifactory", id="port-of-plain-http"),
        pytest.param("h.example/artifactory/repo", "https://h.example/artifactory", id="section-below-the-server"),
        pytest.param("u@h.example/artifactory", "https://h.example/artifactory", id="user-info"),
        pytest.param("some other tool", "https://h.example/artifactory", id="not-an-address"),
    ],
)
def test_section_is_silent_for_others(section, url):
    """Host, port and whole segments must agree: a look-alike gets nothing."""
    assert from_cfg(cfg(section), parse_server_url(url), "cfg") is None


@pytest.mark.parametrize(
    ("sections", "winner"),
    [
        pytest.param(["h.example", "h.example/artifactory"], "h.example/artifactory", id="longest"),
        pytest.param(["h.example/artifactory", "https://h.example"], "h.example/artifactory", id="longest-first"),
        pytest.param(
            ["h.example/artifactory", "https://h.example/artifactory"],
            "https://h.example/artifactory",
            id="scheme-decides",
        ),
        pytest.param(["H.example/artifactory", "h.example/artifactory"], "H.example/artifactory", id="first-of-equals"),
        pytest.param(
            ["http://h.example/artifactory", "h.example/artifactory"], "h.example/artifactory", id="http-comes-last"
        ),
    ],
)
def test_longest_section_wins(sections, winner):
    """Of several sections the most specific one answers, wherever it stands in the file."""
    credentials = from_cfg(cfg(*sections), SERVER, "cfg")

    assert credentials is not None
    assert credentials.source == f"file cfg section [{winner}]"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("50%", "50%", id="lone-percent"),
        pytest.param("%d%s%(x", "%d%s%(x", id="format-codes"),
        pytest.param("a%%b", "a%b", id="doubled-as-dohq-artifactory-wants-it"),
        pytest.param("a%%b%c", "a%%b%c", id="doubled-beside-a-lone-one"),
        pytest.param("a ; b # c", "a ; b # c", id="comment-signs"),
        pytest.param("a=b:c[d]", "a=b:c[d]", id="syntax"),
        pytest.param("pässwörd", "pässwörd", id="unicode"),
        pytest.param('"quoted"', '"quoted"', id="quotes"),
    ],
)
def test_password_is_read_as_meant(written, meant):
    """Percent signs and punctuation are part of the password; ``%%`` is one sign in files made for interpolation."""
    credentials = from_cfg(cfg("h.example/artifactory", password=written), SERVER, "cfg")

    assert credentials is not None
    assert credentials.secret == meant


def test_lone_percent_anywhere_makes_the_whole_file_literal():
    """A file that interpolation cannot read was not written for it, so ``%%`` in another section stays."""
    text = cfg("h.example/artifactory", password="a%%b") + cfg("other", password="50%")

    credentials = from_cfg(text, SERVER, "cfg")

    assert credentials is not None
    assert credentials.secret == "a%%b"


def test_default_section_is_inherited():
    """What a section leaves out comes from [DEFAULT], which by itself answers for no server."""
    default = "[DEFAULT]\nusername = shared\npassword = common\n"

    credentials = from_cfg(default + "[h.example/artifactory]\npassword = own\n", SERVER, "cfg")

    assert credentials == Credentials.basic("shared", "own")
    assert from_cfg(default, SERVER, "cfg") is None


def test_anonymous_section_asks_for_anonymous_access():
    """A section may say that a server is used without credentials."""
    credentials = from_cfg(cfg("h.example/artifactory", username="anonymous", password=""), SERVER, "cfg")

    assert credentials == Credentials.anonymous()


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        pytest.param(f"password = {CANARY}", "username", id="no-user"),
        pytest.param("username = u", "password", id="no-password"),
        pytest.param(f"username = u\n  password = {CANARY}", "password", id="password-indented-by-accident"),
        pytest.param(f"username = u\npasword = {CANARY}", "password", id="misspelled"),
    ],
)
def test_incomplete_section_names_file_section_and_key(body, missing):
    """A section without user name or password is an error that says what is missing where."""
    with pytest.raises(CredentialsError) as caught:
        resolve(SERVER, environ={}, read={CFG: f"[h.example/artifactory]\n{body}\n"}.get, home=HOME)

    assert str(caught.value) == f"read ~/.artifactory_python.cfg: section [h.example/artifactory] has no {missing}"
    assert CANARY not in everything_shown(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(f"[h.example]\nusername = u\n{CANARY}\n", 3, id="no-equals-sign"),
        pytest.param(f"[h.example]\n{CANARY}\nusername = u\n{CANARY}\n", 2, id="several-faults"),
        pytest.param(f"[h.example]\nusername = {CANARY}\n[g]\n[h.example]\n", 4, id="section-twice"),
        pytest.param(f"[h.example]\npassword = a\npassword = {CANARY}\n", 3, id="key-twice"),
        pytest.param(f"[a]\nx = 1\n[DEFAULT]\n{CANARY}\n[h.example]\nusername = u\n", 4, id="defaults"),
    ],
)
def test_malformed_section_of_the_server_names_file_and_line_only(text, line):
    """A section that cannot be parsed is named with the line, and nothing of its content is shown."""
    with pytest.raises(CredentialsError, match="line") as caught:
        resolve(SERVER, environ={}, read={CFG: text}.get, home=HOME)

    assert caught.value.message == f"read ~/.artifactory_python.cfg: line {line} is malformed"
    assert caught.value.source == f"~/.artifactory_python.cfg line {line}"
    assert CANARY not in everything_shown(caught.value)


@pytest.mark.parametrize(
    ("other", "line"),
    [
        pytest.param(f"username = u\npassword = {CANARY}\n", 1, id="no-section-header"),
        pytest.param(f"[g]\nusername = u\n{CANARY}\n", 3, id="no-equals-sign"),
        pytest.param(f"[g]\nusername = {CANARY}\n[g]\n", 3, id="section-twice"),
        pytest.param(f"[g]\npassword = a\n  b\npassword = {CANARY}\n", 4, id="key-twice"),
        pytest.param(f"[g\npassword = {CANARY}\n", 1, id="bracket-missing"),
        pytest.param(f"[]\npassword = {CANARY}\n", 1, id="no-name"),
    ],
)
def test_fault_of_another_section_does_not_matter(other, line):
    """What is wrong elsewhere in the file, before or after, hides nothing; without a section, it is mentioned."""
    own = cfg("h.example/artifactory")
    for text in (other + own, own + other if other.startswith("[") else own):
        assert from_cfg(text, SERVER, "cfg") == Credentials.basic("cfg-user", "cfg-pass")

    resolved = resolve(SERVER, environ={}, read={CFG: other}.get, home=HOME)

    assert resolved.kind == "anonymous"
    assert resolved.skipped[0].startswith(f"file ~/.artifactory_python.cfg: line {line} is malformed; expected")
    assert CANARY not in repr(resolved.skipped)


def test_brackets_in_a_continued_value_begin_no_section():
    """An indented line belongs to the value above it, as in configparser."""
    text = "[h.example/artifactory]\nnote = a\n  [other]\n\n  b\nusername = u\n# [c]\npassword = p\n"

    assert from_cfg(text, SERVER, "cfg") == Credentials.basic("u", "p")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param("", None, id="alone"),
        pytest.param(cfg("h.example"), Credentials.basic("cfg-user", "cfg-pass"), id="shorter-section"),
        pytest.param("[DEFAULT]\nusername = u\npassword = p\n", Credentials.basic("u", "p"), id="defaults"),
    ],
)
def test_section_with_only_verify(more, expected):
    """A section that only configures TLS leaves the credentials to others, and is mentioned if there are none."""
    text = "[h.example/artifactory]\nverify = false\n" + more

    resolved = resolve(SERVER, environ={}, read={CFG: text}.get, home=HOME)

    assert resolved == (expected or Credentials.anonymous())
    reason = "file ~/.artifactory_python.cfg section [h.example/artifactory]: no username and no password"
    assert resolved.skipped == (() if expected else (reason,))


# jfrog-cli


def token(**claims: object) -> str:
    """An access token with these *claims*, as JFrog issues them."""
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "RS256"}, claims))
    return ".".join([*(part.decode() for part in parts), "c2ln"])


def entry(**fields: object) -> dict[str, object]:
    return {"serverId": "prod", "url": "https://h.example/", **fields}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(cli(entry(accessToken="t")), Credentials.bearer("t"), id="token"),
        pytest.param(
            cli(entry(accessToken="t", user="u", password="p")), Credentials.bearer("t"), id="token-beats-password"
        ),
        pytest.param(cli(entry(user="u", password="p")), Credentials.basic("u", "p"), id="password"),
        pytest.param(cli(entry(user="u", password=API_KEY)), Credentials.basic("u", API_KEY), id="api-key-with-user"),
        pytest.param(cli(entry(password=API_KEY)), Credentials.api_key(API_KEY), id="api-key-alone"),
        pytest.param(cli(entry(accessToken=API_KEY)), Credentials.api_key(API_KEY), id="api-key-is-no-token"),
        pytest.param(
            cli({"artifactoryUrl": "https://h.example/artifactory/", "accessToken": "t"}),
            Credentials.bearer("t"),
            id="artifactory-url",
        ),
        pytest.param(
            cli(entry(accessToken="a"), entry(accessToken="b", isDefault=True)),
            Credentials.bearer("b"),
            id="default-of-two",
        ),
        pytest.param(
            cli(entry(isDefault=True, clientCertPath="c.pem"), entry(accessToken="b")),
            Credentials.bearer("b"),
            id="entry-without-secret-is-skipped",
        ),
        pytest.param(cli(entry(url="https://other/", accessToken="t", isDefault=True)), None, id="other-server"),
        pytest.param(cli(entry(url="ssh://h.example:1339", accessToken="t")), None, id="ssh"),
        pytest.param(cli(entry(url="https://h.example.evil/", accessToken="t")), None, id="longer-host"),
        pytest.param('{"version": "6"}', None, id="no-servers"),
        pytest.param('{"servers": {}, "version": "6"}', None, id="servers-of-another-type"),
        pytest.param('{"servers": ["x"], "version": "6"}', None, id="entry-of-another-type"),
    ],
)
def test_jfrog_cli_entry(text, expected):
    """An entry for this server is read as jfrog-cli reads it; others are passed over."""
    assert from_jfrog_cli(text, SERVER, "cli") == expected


NOW = 1_800_000_000
SHORT = token(iat=NOW - 60, exp=NOW + 3540)
LONG = token(iat=NOW - 60, exp=NOW + 30 * 86400)
EXPIRED = token(iat=NOW - 30 * 86400, exp=NOW - 1)
ENDING = token(iat=NOW - 30 * 86400, exp=NOW)
LONGER = token(iat=NOW - 60, exp=NOW + 3541)
OWN = Credentials.basic("u", "p")


@pytest.mark.parametrize(
    ("access_token", "login", "from_file", "from_environment"),
    [
        pytest.param(EXPIRED, True, OWN, OWN, id="expired"),
        pytest.param(SHORT, True, OWN, Credentials.bearer(SHORT), id="issued-for-an-hour"),
        pytest.param(ENDING, True, OWN, OWN, id="expires-now"),
        pytest.param(LONGER, True, Credentials.bearer(LONGER), Credentials.bearer(LONGER), id="issued-for-longer"),
        pytest.param(LONG, True, Credentials.bearer(LONG), Credentials.bearer(LONG), id="valid"),
        pytest.param(EXPIRED, False, Credentials.bearer(EXPIRED), Credentials.bearer(EXPIRED), id="without-password"),
        pytest.param(token(sub="u"), True, Credentials.bearer(token(sub="u")), None, id="without-expiry"),
        pytest.param(token(exp="x", iat=[]), True, Credentials.bearer(token(exp="x", iat=[])), None, id="odd-claims"),
        pytest.param("a.b.c", True, Credentials.bearer("a.b.c"), None, id="not-a-jwt"),
        pytest.param("cmVmdGtuOjAx", True, Credentials.bearer("cmVmdGtuOjAx"), None, id="reference-token"),
    ],
)
def test_token_beside_a_password(access_token, login, from_file, from_environment):
    """An expired token does not hide a password; nor does the one that jfrog-cli made of that password."""
    user, password = ("u", "p") if login else ("", "")
    text = cli(entry(accessToken=access_token, user=user, password=password))
    environ = {"JF_ACCESS_TOKEN": access_token, "JF_USER": user, "JF_PASSWORD": password, "JF_URL": "https://h.example"}

    assert from_jfrog_cli(text, SERVER, "cli", now=NOW) == from_file
    assert from_jfrog_environment(environ, SERVER, now=NOW) == (from_environment or from_file)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param(" \n", "empty", id="blank"),
        pytest.param(f'{{\n"servers": [\n{CANARY}', "line 3 is malformed", id="not-json"),
        pytest.param(f'["{CANARY}"]', "line 1 is malformed", id="not-an-object"),
        pytest.param("1" * 5000, "line 1 is malformed", id="absurd-number"),
        pytest.param("[" * 100_000, "line 1 is malformed", id="absurd-depth"),
        pytest.param(cli(entry(accessToken=CANARY), enc=True), "encrypted by jfrog-cli", id="encrypted"),
        pytest.param(cli(entry(password=CANARY)), "server id prod: no access token", id="password-without-user"),
        pytest.param(
            cli(entry(user="u", password=7)), "server id prod: no access token", id="password-of-a-wrong-type"
        ),
        pytest.param(cli(entry(sshKeyPath="k")), "server id prod: no access token", id="ssh-key"),
    ],
)
def test_unusable_jfrog_cli_config_is_skipped(text, reason):
    """jfrog-cli's file may be unusable for us: the next source counts, the reason is kept, without its content."""
    resolved = resolve(SERVER, environ={}, read=({CLI: text} | IN_NETRC).get, home=HOME)

    assert found(resolved) == FROM_NETRC
    assert len(resolved.skipped) == 1
    assert resolved.skipped[0].startswith("file ~/.jfrog/jfrog-cli.conf.v6")
    assert reason in resolved.skipped[0]
    assert CANARY not in resolved.skipped[0]


def test_encrypted_entry_of_another_server_is_not_mentioned():
    """Only what might have had credentials for the server is worth a mention."""
    text = cli(entry(url="https://other.example/", accessToken="t"), enc=True)

    assert resolve(SERVER, environ={}, read={CLI: text}.get, home=HOME).skipped == ()


# netrc


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("machine h.example login u password p", ("u", "p"), id="one-line"),
        pytest.param("machine h.example\n\tlogin u\n\tpassword p\n", ("u", "p"), id="lines"),
        pytest.param("machine H.Example login u password p", ("u", "p"), id="case-of-host"),
        pytest.param("machine h.example user u account a password p", ("u", "p"), id="user-and-account"),
        pytest.param('machine h.example login u password "p q\\"r"', ("u", 'p q"r'), id="quoted"),
        pytest.param("machine h.example login u password p\\ q", ("u", "p q"), id="escaped"),
        pytest.param("machine h.example login u password #p", ("u", "#p"), id="hash-in-password"),
        pytest.param("# machine h.example password x\nmachine h.example login u password p", ("u", "p"), id="comment"),
        pytest.param("machine h.example login u password p # password x", ("u", "p"), id="comment-after"),
        pytest.param("machine h.example password p", ("", "p"), id="no-login"),
        pytest.param(
            "machine a login x password y\nmachine h.example login u password p\nmachine b login x password y",
            ("u", "p"),
            id="among-others",
        ),
        pytest.param(
            "macdef init\nmachine h.example login x password y\n\nmachine h.example login u password p",
            ("u", "p"),
            id="macro",
        ),
        pytest.param(
            "machine h.example login x\nmachine h.example login u password p", ("u", "p"), id="first-with-password"
        ),
        pytest.param(
            'machine a login x password "y\nmachine h.example login u password "p"', ("u", "p"), id="quote-left-open"
        ),
        pytest.param("default login u password p", None, id="default-is-nobodys"),
        pytest.param("machine h.example.evil login u password p", None, id="longer-host"),
        pytest.param("machine example login u password p", None, id="shorter-host"),
        pytest.param("", None, id="empty"),
    ],
)
def test_netrc_entry(text, expected):
    """The entry of exactly this host is read, with the quoting that Python's own reader knows."""
    credentials = from_netrc(text, SERVER, "netrc")

    assert (credentials and (credentials.username, credentials.secret)) == expected


@pytest.mark.parametrize(
    "text",
    ["machine h.example login u", "machine h.example login u password", "machine h.example\ndefault password p"],
    ids=["no-password", "cut-off", "default-is-an-entry-of-its-own"],
)
def test_netrc_entry_without_a_password_is_mentioned(text):
    """An entry for the host that has no password is the reason for anonymous access."""
    resolved = resolve(SERVER, environ={}, read={NETRC: text}.get, home=HOME)

    assert resolved.kind == "anonymous"
    assert resolved.skipped == ("file ~/.netrc machine h.example: no password",)


# Real files, through the public functions

URL = "https://h.example/artifactory/libs/a/b.jar"


def test_authentification_reads_the_file_of_the_home_folder(home):
    """The pair of the section is returned for any URL on the server."""
    (home / ".artifactory_python.cfg").write_text(cfg("h.example/artifactory", password="50%"), encoding="utf-8")

    assert authentification(URL) == ("cfg-user", "50%")
    assert authentification(f"{URL}?list&deep=1") == ("cfg-user", "50%")
    assert authentification("https://h.example.evil/artifactory/libs") == ("anonymous", "")


def test_authentification_prefers_the_environment(home, monkeypatch):
    """Both variables together beat the file, for every server."""
    (home / ".artifactory_python.cfg").write_text(cfg("h.example/artifactory"), encoding="utf-8")
    monkeypatch.setenv("ARTIFACTORY_USERNAME", "env-user")
    assert authentification(URL) == ("cfg-user", "cfg-pass")

    monkeypatch.setenv("ARTIFACTORY_API_KEY", "env-key")
    assert authentification(URL) == authentification("https://other/") == ("env-user", "env-key")


def test_file_is_read_anew_for_each_call(home):
    """A changed password is seen without a new process."""
    file = home / ".artifactory_python.cfg"
    assert authentification(URL) == ("anonymous", "")

    file.write_text(cfg("h.example/artifactory", password="old"), encoding="utf-8")
    assert authentification(URL) == ("cfg-user", "old")

    file.write_text(cfg("h.example/artifactory", password="new"), encoding="utf-8")
    assert authentification(URL) == ("cfg-user", "new")


def test_authentication_is_the_same_function():
    """The name spelled right is no second implementation."""
    assert authentication is authentification


def test_resolve_credentials_says_where_they_come_from(home):
    """The path under the home folder is shown with a tilde, and the secret not at all."""
    (home / ".netrc").write_text(f"machine h.example login me password {CANARY}\n", encoding="utf-8")
    (home / "_netrc").write_text(f"machine h.example login me password {CANARY}\n", encoding="utf-8")

    shown = repr(resolve_credentials(URL))

    assert "netrc machine h.example" in shown
    assert "file ~/" in shown
    assert str(home) not in shown
    assert CANARY not in shown


def test_byte_order_mark_is_no_content(home):
    """A file saved by an editor that marks UTF-8 is read like any other."""
    (home / ".artifactory_python.cfg").write_text(cfg("h.example/artifactory"), encoding="utf-8-sig")

    assert authentification(URL) == ("cfg-user", "cfg-pass")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_encodings_of_windows(home, encoding):
    """PowerShell writes UTF-16, editors mark UTF-8."""
    text = cfg("h.example/artifactory", password="pässwörd").replace("\n", "\r\n")
    (home / ".artifactory_python.cfg").write_bytes(text.encode(encoding))

    assert authentification(URL) == ("cfg-user", "pässwörd")


def test_secret_in_another_encoding_names_the_section_only(home):
    """Bytes that are not UTF-8 are an error in the entry of the server, which does not show them."""
    content = cfg("h.example/artifactory", password=f"{CANARY}ä").encode("latin-1")
    (home / ".artifactory_python.cfg").write_bytes(content)

    with pytest.raises(CredentialsError, match=r"section \[h\.example/artifactory\].*UTF-8") as caught:
        authentification(URL)

    assert CANARY not in everything_shown(caught.value)


@pytest.mark.parametrize("name", [".artifactory_python.cfg", ".jfrog/jfrog-cli.conf.v6", ".netrc"])
def test_another_encoding_elsewhere_does_not_matter(home, monkeypatch, name):
    """Bytes that are not UTF-8 in the entry of another host hide nothing."""
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    other = {
        ".artifactory_python.cfg": cfg("other.example", password="geheimä") + cfg("h.example/artifactory"),
        ".jfrog/jfrog-cli.conf.v6": '{"servers": [{"user": "geheimä"}, {"url": "https://h.example", "user": "cfg-user",'
        ' "password": "cfg-pass"}]}',
        ".netrc": "machine a login x password geheimä\nmachine h.example login cfg-user password cfg-pass\n",
    }
    (home / name).parent.mkdir(exist_ok=True)
    (home / name).write_bytes(other[name].encode("latin-1"))

    assert resolve_credentials(URL) == Credentials.basic("cfg-user", "cfg-pass")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "", id="folder"),
        pytest.param(b"\xff\xfea", "neither UTF-8 nor UTF-16", id="half-a-character"),
    ],
)
def test_unreadable_file_is_skipped(home, monkeypatch, content, reason):
    """A file that exists but cannot be read does not fail the call; the next source counts."""
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    (home / ".netrc").write_text("machine h.example login me password p\n", encoding="utf-8")
    file = home / ".artifactory_python.cfg"
    file.mkdir() if content is None else file.write_bytes(content)

    resolved = resolve_credentials(URL)

    assert resolved == Credentials.basic("me", "p")
    assert len(resolved.skipped) == 1
    assert resolved.skipped[0].startswith(f"file ~/.artifactory_python.cfg: {reason}")
    assert authentification(URL) == ("anonymous", "")


def test_home_of_another_user():
    """Where no file may be read, access is anonymous, and the words of the operating system are kept."""

    def refuse(path: Path) -> str | None:
        raise PermissionError(13, "Permission denied", str(path))

    resolved = resolve(SERVER, environ={}, read=refuse, home=HOME)

    assert found(resolved) == NOWHERE
    files = ("~/.artifactory_python.cfg", "~/.jfrog/jfrog-cli.conf.v6", "~/.netrc")
    assert resolved.skipped == tuple(f"file {file}: Permission denied" for file in files)
    assert configured_servers(environ={}, read=refuse, home=HOME) == ()


# Context paths


@pytest.mark.parametrize(
    ("environ", "files", "servers"),
    [
        pytest.param({}, {CFG: cfg("https://a.example/acme")}, ["acme", "acme/artifactory"], id="section"),
        pytest.param(
            {}, {CFG: "[https://a.example/acme]\nverify = false\n"}, ["acme", "acme/artifactory"], id="verify"
        ),
        pytest.param({"JF_URL": "https://a.example/x/y/"}, {}, ["x/y", "x/y/artifactory"], id="platform"),
        pytest.param(
            {},
            {CLI: cli({"artifactoryUrl": "https://a.example/rt/"}, {"url": "ssh://a.example"}, {"url": 3})},
            ["rt", "rt/artifactory"],
            id="jfrog-cli",
        ),
        pytest.param(
            {"JF_URL": "https://a.example/acme"},
            {CFG: cfg("https://a.example/acme")},
            ["acme", "acme/artifactory"],
            id="twice",
        ),
        pytest.param({}, {CFG: cfg("https://a.example", "https://a.example/artifactory/r")}, [], id="seen-in-the-url"),
        pytest.param({"JF_URL": "nonsense"}, {CFG: "nonsense", CLI: "nonsense"}, [], id="malformed"),
    ],
)
def test_configured_servers(environ, files, servers):
    """Addresses of the configuration name servers, whether or not they have credentials."""
    found = configured_servers(environ=environ, read=files.get, home=HOME)

    assert [str(server) for server in found] == [f"https://a.example/{path}" for path in servers]


def test_section_without_scheme_names_servers_of_both():
    """A section for http is for https, too."""
    known = {
        section: {str(s) for s in configured_servers(environ={}, read={CFG: cfg(section)}.get, home=HOME)}
        for section in ("a.example/x", "http://a.example/x", "https://a.example/x")
    }
    plain, tls = ({f"{scheme}://a.example/{p}" for p in ("x", "x/artifactory")} for scheme in ("http", "https"))
    assert list(known.values()) == [plain | tls, plain | tls, tls]


@pytest.mark.parametrize(
    "url", ["https://a.example/acme", "https://a.example/acme/repo/file", "https://a.example/acme/"]
)
def test_context_path_of_a_section(home, url):
    """The path of a section says where the server ends, in whatever URL is given."""
    (home / ".artifactory_python.cfg").write_text(cfg("a.example/acme"), encoding="utf-8")

    assert resolve_credentials(url).username == "cfg-user"
    assert authentification(url.removeprefix("https://")) == ("cfg-user", "cfg-pass")
    assert resolve_credentials("https://a.example/acme-evil/repo").kind == "anonymous"


def test_user_without_a_home_folder_has_the_environment(monkeypatch):
    """In a container whose user is in no database, nothing is read, and variables still count."""
    for name in ("HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "pwd", None)
    assert resolve_credentials(URL).kind == "anonymous"

    monkeypatch.setenv("JF_URL", "https://h.example")
    monkeypatch.setenv("JF_ACCESS_TOKEN", "token")
    assert resolve_credentials(URL) == Credentials.bearer("token")


def test_url_that_is_no_address_is_refused():
    """Credentials are looked up for servers only, and a URL that carries its own is sent back."""
    with pytest.raises(InvalidURLError):
        authentification("https://")
    with pytest.raises(InvalidURLError) as caught:
        resolve_credentials(f"https://user:{CANARY}@h.example/artifactory")

    assert CANARY not in everything_shown(caught.value)
