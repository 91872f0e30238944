"""The server of this machine where a call names none: ``resolve_server``."""

import json

import pytest

import aioartifact


def jfrog_cli(home, *entries, text=None):
    """Write the configuration of jfrog-cli."""
    (home / ".jfrog").mkdir(exist_ok=True)
    written = json.dumps({"servers": entries, "version": "6"}) if text is None else text
    (home / ".jfrog/jfrog-cli.conf.v6").write_text(written, encoding="utf-8")


def entry(name, **fields):
    return {"serverId": name, "url": f"https://{name}.example/", **fields}


@pytest.mark.parametrize(
    ("value", "url"),
    [
        pytest.param("https://a.example/artifactory", "https://a.example/artifactory", id="plain"),
        pytest.param("https://a.example/artifactory/", "https://a.example/artifactory", id="slash"),
        pytest.param("https://a.example/tools/repo", "https://a.example/tools/repo", id="context-path"),
        pytest.param("http://A.example:8081", "http://a.example:8081", id="host"),
    ],
)
def test_variable_is_the_address_itself(monkeypatch, value, url):
    """AIOARTIFACT_SERVER is used as it is."""
    monkeypatch.setenv("AIOARTIFACT_SERVER", value)
    assert aioartifact.resolve_server() == aioartifact.ConfiguredServer(url, "environment AIOARTIFACT_SERVER")


@pytest.mark.parametrize(
    ("value", "url"),
    [
        pytest.param("https://a.example", "https://a.example/artifactory", id="platform"),
        pytest.param("https://a.example/", "https://a.example/artifactory", id="platform-slash"),
        pytest.param("https://a.example/artifactory/", "https://a.example/artifactory", id="artifactory"),
        pytest.param("https://a.example/tools", "https://a.example/tools/artifactory", id="below-a-path"),
    ],
)
def test_jf_url_is_a_platform_or_its_artifactory(monkeypatch, value, url):
    """JF_URL has the meaning that jf gives it."""
    monkeypatch.setenv("JF_URL", value)
    assert aioartifact.resolve_server() == aioartifact.ConfiguredServer(url, "environment JF_URL")


def test_order(home, monkeypatch):
    """The library's own variable, JF_URL, jfrog-cli; an empty variable counts as not set."""
    jfrog_cli(home, entry("c", isDefault=True))
    assert aioartifact.resolve_server().url == "https://c.example/artifactory"
    monkeypatch.setenv("JF_URL", "https://b.example")
    assert aioartifact.resolve_server().url == "https://b.example/artifactory"
    monkeypatch.setenv("AIOARTIFACT_SERVER", "https://a.example")
    assert aioartifact.resolve_server().url == "https://a.example"
    monkeypatch.setenv("AIOARTIFACT_SERVER", "")
    monkeypatch.setenv("JF_URL", "")
    assert aioartifact.resolve_server().url == "https://c.example/artifactory"


@pytest.mark.parametrize(
    ("entries", "server_id", "name"),
    [
        pytest.param([entry("a"), entry("b", isDefault=True)], "", "b", id="default"),
        pytest.param([entry("a")], "", "a", id="only-one"),
        pytest.param([entry("a"), entry("b", isDefault=True)], "a", "a", id="named"),
    ],
)
def test_entry_of_jfrog_cli(home, monkeypatch, entries, server_id, name):
    """The entry that JFROG_CLI_SERVER_ID names, the default one, or the only one."""
    jfrog_cli(home, *entries)
    monkeypatch.setenv("JFROG_CLI_SERVER_ID", server_id)
    found = aioartifact.resolve_server()
    assert found.url == f"https://{name}.example/artifactory"
    assert found.source == f"file ~/.jfrog/jfrog-cli.conf.v6 server id {name}"


def test_artifactory_url_of_jfrog_cli(home):
    """The address of the Artifactory itself takes precedence over that of the platform."""
    jfrog_cli(home, entry("a", artifactoryUrl="https://art.example/artifactory/"))
    assert aioartifact.resolve_server().url == "https://art.example/artifactory"


def test_encrypted_jfrog_cli(home):
    """Addresses are not encrypted, so that no key is needed for them."""
    text = json.dumps({"servers": [entry("a", accessToken="c2VjcmV0", isDefault=True)], "enc": True})
    jfrog_cli(home, text=text)
    assert aioartifact.resolve_server().url == "https://a.example/artifactory"


@pytest.mark.parametrize("name", ["AIOARTIFACT_SERVER", "JF_URL"])
@pytest.mark.parametrize("value", ["nas/repo", "ftp://h", "https://ada:s3cr3t@h", "https://h/a?token=s3cr3t"])
def test_variable_that_is_not_a_url(monkeypatch, name, value):
    """It is an error that names the variable and does not quote it: the value may contain a secret."""
    monkeypatch.setenv(name, value)
    with pytest.raises(aioartifact.ConfigurationError, match=name) as raised:
        aioartifact.resolve_server()
    assert value not in str(raised.value)
    assert "s3cr3t" not in str(raised.value)
    assert raised.value.source == f"environment {name}"


@pytest.mark.parametrize(
    ("text", "server_id", "reason"),
    [
        pytest.param(None, "", None, id="no-file"),
        pytest.param('{"servers": []}', "", None, id="no-entry"),
        pytest.param("{", "", "line 1 is malformed", id="malformed"),
        pytest.param(json.dumps({"servers": [entry("a"), entry("b")]}), "", "none of 2 servers", id="no-default"),
        pytest.param(json.dumps({"servers": [entry("a")]}), "x", "no server id x", id="unknown-id"),
        pytest.param('{"servers": [{"serverId": "a", "url": "?"}]}', "", "no URL", id="no-url"),
        pytest.param('{"servers": [1, {"serverId": 2, "url": 3}]}', "", "no URL", id="other-types"),
    ],
)
def test_no_default_server(home, monkeypatch, text, server_id, reason):
    """The error lists the ways to set one, and why the file of jfrog-cli was skipped."""
    if text is not None:
        jfrog_cli(home, text=text)
    monkeypatch.setenv("JFROG_CLI_SERVER_ID", server_id)
    with pytest.raises(aioartifact.ConfigurationError, match="none is configured") as raised:
        aioartifact.resolve_server()
    hint = raised.value.hint or ""
    assert hint.startswith("set AIOARTIFACT_SERVER or JF_URL, or")
    assert ("skipped" in hint) is (reason is not None)
    assert (reason or "") in hint
