"""Questions to a server: versions, search, aql, ping, info, repos."""

import hashlib

import pytest

from aioartifact.testing import Fault

pytestmark = pytest.mark.slow

FOLDER = "generic-local/emodb/db"
QUERY = 'items.find({"name": "a.wav", "path": {"$match": "*/1.0.0/*"}}).include("name", "size", "actual_sha1")'
SHA1 = hashlib.sha1(b"a.wav of 1.0.0").hexdigest()


# versions


def test_versions_by_spec(server, cli):
    """--spec, --match and --latest take some of the versions."""
    words = ("versions", server.url, "generic-local", "emodb", "db")
    assert cli(*words, "--spec", ">=1.9,<2").out == "1.9.0\n1.10.0\n"
    assert cli(*words, "--spec", "<1.10", "--latest").out == "1.9.0\n"
    assert cli(*words, "--match", "1[.]1.*").out == "1.10.0\n"


def test_versions_by_scheme_and_prerelease(server, cli):
    """--scheme says what a version is; pre-releases may be left out or taken alone."""
    for version in ("2.0.0-rc.1", "latest"):
        server.put(f"{FOLDER}/{version}/a.txt", b"text")
    words = ("versions", server.url, "generic-local", "emodb", "db")
    assert cli(*words, "--latest").out == "1.10.0\n"
    assert cli(*words, "--spec", ">1.10", "--latest").out == "2.0.0-rc.1\n"
    assert cli(*words, "--no-prerelease", "--latest").out == "1.10.0\n"
    assert cli(*words, "--prerelease", "--json").objects == [{"version": "2.0.0-rc.1"}]
    assert "latest" in cli(*words, "--scheme", "natural").out.split()


def test_versions_of_a_missing_repository(server, cli):
    """A repository that does not exist is an error; an artifact without versions in one that exists is not."""
    missing = cli("versions", server.url, "no-such-repository", "emodb", "db")
    assert (missing.code, missing.out) == (4, "")
    assert "no-such-repository" in missing.err
    nothing = cli("versions", server.url, "generic-local", "emodb", "none")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "")


def test_versions_by_property(server, cli):
    """--method properties takes the values of a property."""
    server.put("generic-local/tool/a.bin", b"1", properties={"release": "1.0.0"})
    words = ("versions", server.url, "generic-local", "", "tool", "--method", "properties")
    assert cli(*words, "--property-name", "release").out == "1.0.0\n"


@pytest.mark.parametrize(
    "words", [["--spec", "newest"], ["--scheme", "roman"], ["--match", "("], ["--method", "guess"]], ids=" ".join
)
def test_versions_refuses_what_means_nothing(server, cli, words):
    """An option that cannot be read is a usage error before any request."""
    run = cli("versions", server.url, "generic-local", "emodb", "db", *words)
    assert (run.code, run.out, server.requests) == (2, "", [])


# search


def test_search_by_name(server, cli, folder):
    """What is found is a URL a line, and an object with the keys of ls."""
    run = cli("search", server.url, "--name", "a.wav", "--repository", "generic-local")
    assert run.code == 0
    assert f"{folder}/1.0.0/media/a.wav" in run.out.splitlines()
    assert len(run.out.splitlines()) == 3
    objects = cli("search", server.url, "--name", "a.wav", "--json").objects
    assert {each["size"] for each in objects} == {14, 15}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--checksum", SHA1], id="checksum"),
        pytest.param(["-p", "os=linux"], id="property"),
        pytest.param(["--created-after", "1h"], id="date"),
    ],
)
def test_search_by_other_things(server, cli, folder, words):
    """A checksum, a property or a date finds a file."""
    server.put(f"{FOLDER}/1.0.0/media/a.wav", b"a.wav of 1.0.0", properties={"os": "linux"})
    assert f"{folder}/1.0.0/media/a.wav" in cli("search", server.url, *words).out.splitlines()


def test_search_that_finds_nothing(server, cli):
    """Nothing found is no error."""
    assert cli("search", server.url, "--name", "none.wav") == (0, "", "")


def test_search_that_is_capped_warns(server, cli):
    """As many results as many servers cap at may not be all: that is said, and all that came is shown."""
    for number in range(1000):
        server.put(f"generic-local/many/{number}.cap", b"")
    run = cli("search", server.url, "--name", "*.cap")
    assert (run.code, len(run.out.splitlines())) == (0, 1000)
    assert run.err == "warning: these may not be all results: the server may have left some out\n"


# aql


def test_aql_prints_rows(server, cli):
    """Fields are separated by tabs; --json has the row as it is."""
    assert cli("aql", server.url, QUERY) == (0, f"a.wav\t14\t{SHA1}\n", "")
    assert cli("aql", server.url, QUERY, "--json").objects == [{"name": "a.wav", "size": 14, "actual_sha1": SHA1}]


def test_aql_from_file_and_stdin(server, cli, tmp_path):
    """A query may come from a file, or from stdin."""
    (tmp_path / "query.aql").write_text(f"{QUERY}\n")
    expected = cli("aql", server.url, QUERY)
    assert cli("aql", server.url, "--file", tmp_path / "query.aql") == expected
    assert cli("aql", server.url, "-", stdin=f"{QUERY}\n") == expected


def test_aql_with_a_mistake_shows_its_place(server, cli):
    """The server's words are an error, its place a hint."""
    run = cli("aql", server.url, 'items.find({"name": "a.wav")')
    assert (run.code, run.out) == (1, "")
    assert "hint: " in run.err


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["aql", "URL"], id="no-query"),
        pytest.param(["aql", "URL", QUERY, "--file", __file__], id="two-queries"),
        pytest.param(["aql", "URL", 'items.delete({"name": "a"})'], id="no-find"),
        pytest.param(["search", "URL"], id="search-for-nothing"),
        pytest.param(["search", "URL", "--name", "a", "--checksum", "0" * 40], id="search-for-two-things"),
        pytest.param(["search", "URL", "--checksum", "xyz"], id="no-checksum"),
        pytest.param(["search", "URL", "--created-after", "soon"], id="no-date"),
        pytest.param(["search", "not-a-url", "--name", "a"], id="search-no-url"),
        pytest.param(["aql", "not-a-url", QUERY], id="aql-no-url"),
        pytest.param(["ping", "not-a-url"], id="ping-no-url"),
        pytest.param(["info", "not-a-url"], id="info-no-url"),
        pytest.param(["repos", "not-a-url"], id="repos-no-url"),
        pytest.param(["repos", "URL", "--kind", ""], id="empty-kind"),
    ],
)
def test_query_that_means_nothing(server, cli, words):
    """It is a usage error before any request."""
    run = cli(*(word.replace("URL", server.url) for word in words))
    assert (run.code, run.out, server.requests) == (2, "", [])
    assert run.err.startswith("error: ")


# ping, info, repos


def test_ping(server, cli):
    """A server that is up is exit code 0, one that is down 1."""
    assert cli("ping", server.url) == (0, "up\n", "")
    server.fail("GET", "api/system/ping", fault=Fault.status(503))
    run = cli("ping", server.url, "--json")
    assert (run.code, run.objects) == (1, [{"server": server.url, "up": False}])


def test_info_tells_version_and_capabilities(server, cli):
    """Parts are lines, and an object with --json."""
    assert "edition\tpro" in cli("info", server.url).out.splitlines()
    [known] = cli("info", server.url, "--json").objects
    assert list(known) == ["url", "version", "revision", "edition", "addons", "capabilities"]
    assert "aql" in known["capabilities"]


def test_repos_are_listed(server, cli):
    """Keys are lines; kind and type of package narrow the list."""
    server.create_repository("libs-local", package_type="maven")
    assert cli("repos", server.url) == (0, "generic-local\nlibs-local\n", "")
    [found] = cli("repos", server.url, "--package-type", "maven", "--kind", "local", "--json").objects
    assert list(found) == ["key", "kind", "package_type", "url", "description", "upstream"]
    assert found["key"] == "libs-local"


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["search", "URL", "--name", "a"], "api/search/**"),
        (["aql", "URL", QUERY], "api/search/aql"),
        (["info", "URL"], "api/system/version"),
        (["ping", "URL"], "api/system/ping"),
        (["repos", "URL"], "api/repositories"),
    ],
    ids=lambda it: it[0] if isinstance(it, list) else "",
)
@pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 3), (404, 4)])
def test_query_that_is_refused(server, cli, words, path, status, code):
    """What the server says decides the exit code, and nothing is on stdout."""
    server.fail("*", path, fault=Fault.status(status, message="said so"))
    run = cli(*(word.replace("URL", server.url) for word in words))
    assert (run.code, run.out) == (code, "")
    assert "said so" in run.err


def test_auth(cli, home, monkeypatch):
    """Kind, user and source of the credentials, and what was skipped; never the secret, and without a request."""
    (home / ".artifactory_python.cfg").mkdir()
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    (home / ".netrc").write_text("machine h.example login ada password s3cr3t-canary\n", encoding="utf-8")

    plain, machine = (
        cli("auth", "https://h.example/artifactory"),
        cli("auth", "https://h.example/artifactory", "--json"),
    )

    assert (plain.code, machine.code) == (0, 0)
    assert plain.out.startswith(
        "server\thttps://h.example/artifactory\nkind\tbasic\nuser\tada\nsource\tfile ~/.netrc machine h.example\n"
        "skipped\tfile ~/.artifactory_python.cfg: "
    )
    [found] = machine.objects
    assert list(found) == ["server", "server_source", "kind", "user", "source", "skipped"]
    assert found["skipped"][0].startswith("file ~/.artifactory_python.cfg: ")
    assert "s3cr3t" not in plain.out + plain.err + machine.out + machine.err


def test_auth_without_credentials(cli):
    """Where nothing is configured, the output says where it was looked for."""
    run = cli("auth", "https://h.example/artifactory")

    assert run.code == 0
    assert "kind\tanonymous\nsource\tnone found in the environment, ~/.artifactory_python.cfg" in run.out
    assert "user" not in run.out
    assert "skipped" not in run.out


@pytest.mark.parametrize(
    ("words", "kind", "source"),
    [
        (["--token-stdin"], "bearer", "--token-stdin"),
        (["--user", "ada", "--password-stdin"], "basic", "--password-stdin"),
    ],
)
def test_auth_of_options(cli, words, kind, source):
    """Credentials of stdin are shown like any others."""
    run = cli(*words, "auth", "https://h.example/artifactory", "--json", stdin="s3cr3t-canary\n")

    assert run.code == 0
    assert (run.objects[0]["kind"], run.objects[0]["source"]) == (kind, source)
    assert "s3cr3t" not in run.out + run.err


def test_auth_of_a_broken_entry(cli, home):
    """An entry of the server that cannot be used is an error."""
    (home / ".artifactory_python.cfg").write_text("[h.example]\nusername = ada\n", encoding="utf-8")

    run = cli("auth", "https://h.example/artifactory")

    assert run.code == 3
    assert "has no password" in run.err


def test_auth_shows_no_secret_of_a_url(cli):
    """A URL with credentials is refused, not repeated."""
    run = cli("--token-stdin", "auth", "https://ada:s3cr3t-canary@h.example", stdin="token\n")

    assert run.code == 2
    assert "s3cr3t" not in run.out + run.err


def test_doctor(server, cli):
    """A line for each check, with tabs; the exit code is 0 although there are warnings."""
    server.fail("POST", "api/search/aql", fault=Fault.status(403))
    run = cli("doctor", f"{server.url}/generic-local")
    rows = [line.split("\t") for line in run.out.splitlines()]
    assert (run.code, run.err) == (0, "")
    assert [row[:2] for row in rows if row[0] != "ok"] == [["warn", "aql"]]
    assert rows[0] == ["ok", "dns", "127.0.0.1"]
    assert rows[-1][1] == "checksums"


def test_doctor_finds_a_fault(server, cli, monkeypatch):
    """The exit code is 1, with the right address in the hint; JSON has the same."""
    run = cli("doctor", server.origin)
    assert run.code == 1
    assert f"fail\taddress\tno Artifactory at {server.origin}, but at {server.url}\tuse {server.url}" in run.out
    found = {each["check"]: each for each in cli("doctor", server.origin, "--json").objects}
    assert found["address"]["hint"] == f"use {server.url}"
    assert found["dns"]["hint"] is None
    monkeypatch.setenv("AIOARTIFACT_SERVER", server.url)
    assert cli("doctor").code == 0
    assert cli("doctor", "generic-local/emodb").code == 0


def test_doctor_with_a_secret_from_stdin(bare, cli):
    """It is sent to the host of the URL, whatever the address is there, and not shown."""
    words = ("--user", "admin", "--password-stdin", "doctor", bare.origin)
    run = cli(*words, stdin=f"{bare.password}\n")
    assert "user 'admin', from --password-stdin" in run.out
    assert [line.split("\t")[1] for line in run.out.splitlines() if line.startswith("fail")] == ["address"]
    refused = cli(*words, stdin="s3cr3t-canary\n")
    assert "fail\tcredentials\t" in refused.out
    assert "s3cr3t" not in refused.out + refused.err


@pytest.mark.parametrize("words", [["doctor", "ftp://h"], ["doctor", "https://ada:s3cr3t@h"], ["doctor"]])
def test_doctor_of_what_is_not_a_url(cli, words):
    """A usage error."""
    run = cli(*words)
    assert (run.code, run.out) == (2, "")
    assert "s3cr3t" not in run.err
