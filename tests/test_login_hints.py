"""What a refusal says about the credentials: where they come from, what was skipped, and never the secret."""

import base64
import json

import aiohttp
import pytest
from raw_http import raw_server, response

import aioartifact
from aioartifact.testing import ArtifactoryServer, Fault

CANARY = "s3cr3t-canary"
ONCE = {"retry": aioartifact.RetryPolicy.none()}
JSON = ("application/json", b'{"errors": [{"status": 401, "message": "Bad credentials"}]}')
HTML = ("text/html", b"<html><title>Unauthorized</title></html>")
NONE_FOUND = "requested anonymously; credentials: none found in the environment, ~/.artifactory_python.cfg, ~/.jfrog/"


def refusing(kind=JSON, status=401):
    """A server that answers each request with the same refusal."""
    return raw_server(lambda _: response(kind[1], status=status, headers={"Content-Type": kind[0]}))


async def refusal(url: str, **options) -> aioartifact.ResponseError:
    """What a call without a session raises, whose text and attributes never show the secret."""
    with pytest.raises(aioartifact.ResponseError) as caught:
        await aioartifact.info(f"{url}/r/a")
    shown = f"{caught.value} {caught.value!r} {vars(caught.value)}"
    assert CANARY not in shown
    assert base64.b64encode(f"ada:{CANARY}".encode()).decode() not in shown
    return caught.value


def cfg(home, origin):
    section = origin.partition("://")[2]
    text = f"[{section}/artifactory]\nusername = ada\npassword = {CANARY}\n"
    (home / ".artifactory_python.cfg").write_text(text, encoding="utf-8")


def jfrog_cli(home, origin):
    entry = {"serverId": "prod", "url": f"{origin}/", "accessToken": CANARY}
    (home / ".jfrog").mkdir()
    (home / ".jfrog/jfrog-cli.conf.v6").write_text(json.dumps({"servers": [entry]}), encoding="utf-8")


def netrc(home, origin):
    (home / ".netrc").write_text(f"machine 127.0.0.1 login ada password {CANARY}\n", encoding="utf-8")


@pytest.mark.parametrize("kind", [JSON, HTML, ("text/plain", b"")], ids=["json", "page", "empty"])
@pytest.mark.parametrize(
    ("write", "source"),
    [
        pytest.param(cfg, "sent as user 'ada', from file ~/.artifactory_python.cfg section [127.0.0.1:", id="cfg"),
        pytest.param(jfrog_cli, "token, which may have expired: from file ~/.jfrog/jfrog-cli.conf.v6", id="jfrog-cli"),
        pytest.param(netrc, "sent as user 'ada', from file ~/.netrc machine 127.0.0.1", id="netrc"),
        pytest.param(lambda *_: None, NONE_FOUND, id="none"),
    ],
)
async def test_401_names_the_file(home, monkeypatch, kind, write, source):
    """File and section of the credentials, or where they were looked for, whatever the body of the refusal is."""
    monkeypatch.setenv("NETRC", str(home / ".netrc"))
    async with refusing(kind) as server:
        write(home, server.origin)
        error = await refusal(server.url)
    assert isinstance(error, aioartifact.AuthenticationError)
    assert source in error.hint


@pytest.mark.parametrize(
    ("environ", "source"),
    [
        pytest.param(
            {"ARTIFACTORY_USERNAME": "ada", "ARTIFACTORY_API_KEY": CANARY},
            "sent as user 'ada', from environment ARTIFACTORY_USERNAME",
            id="pair",
        ),
        pytest.param({"JF_ACCESS_TOKEN": CANARY}, "expired: from environment JF_ACCESS_TOKEN", id="token"),
        pytest.param({"JF_USER": "ada", "JF_PASSWORD": CANARY}, "'ada', from environment JF_USER", id="login"),
        pytest.param(
            {"ARTIFACTORY_USERNAME": "anonymous", "ARTIFACTORY_API_KEY": ""},
            "requested anonymously, because of environment ARTIFACTORY_USERNAME",
            id="anonymous-on-purpose",
        ),
    ],
)
async def test_401_names_the_variable(monkeypatch, environ, source):
    """The variable of the credentials is named."""
    async with refusing() as server:
        for name, value in {"JF_URL": server.origin, **environ}.items():
            monkeypatch.setenv(name, value)
        error = await refusal(server.url)
    assert source in error.hint


async def test_401_says_what_was_skipped(home, monkeypatch):
    """An unusable source is mentioned where it may be the reason."""
    (home / ".artifactory_python.cfg").mkdir()
    monkeypatch.setenv("ARTIFACTORY_API_KEY", CANARY)
    async with refusing() as server:
        error = await refusal(server.url)
    assert error.hint.startswith(NONE_FOUND)
    assert "; skipped: environment ARTIFACTORY_API_KEY: ARTIFACTORY_USERNAME is not set; " in error.hint
    assert "file ~/.artifactory_python.cfg: " in error.hint


CALLS = {
    "ping": lambda url, session: aioartifact.ping(url, session=session),
    "server_info": lambda url, session: aioartifact.server_info(url, session=session),
    "repositories": lambda url, session: aioartifact.repositories(url, session=session),
    "download": lambda url, session: aioartifact.download(f"{url}/r/a", session=session),
    "read_bytes": lambda url, session: aioartifact.read_bytes(f"{url}/r/a", session=session),
    "write_bytes": lambda url, session: aioartifact.write_bytes(f"{url}/r/a", b"x", session=session),
    "properties": lambda url, session: aioartifact.properties(f"{url}/r/a", session=session),
    "delete": lambda url, session: aioartifact.delete(f"{url}/r/a", session=session),
    "checksum": lambda url, session: aioartifact.checksum(f"{url}/r/a", session=session),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_401_of_each_function(tmp_path, monkeypatch, call):
    """Whatever was requested, the refusal names the source."""
    monkeypatch.chdir(tmp_path)
    async with refusing() as server, aioartifact.session(server.url, auth=("ada", CANARY), **ONCE) as session:
        with pytest.raises(aioartifact.AuthenticationError, match="'ada', from the argument auth") as caught:
            await call(server.url, session)
    assert CANARY not in repr(caught.value)


async def test_warning_of_versions_names_the_source():
    """Where a refusal is only a warning, it names the source, too."""
    async with refusing() as server, aioartifact.session(server.url, auth=("ada", CANARY), **ONCE) as session:
        with pytest.warns(UserWarning, match="'ada', from the argument auth"):
            assert await aioartifact.versions(server.url, "r", "g", "n", session=session) == []


async def test_requests_not_sent_name_the_source(server, tmp_path):
    """All errors of a batch that ends with the first refusal say whose credentials were refused."""
    urls = [f"{server.url}/generic-local/{number}" for number in range(20)]
    auth = aioartifact.Credentials.basic("ada", CANARY, source="vault")
    async with aioartifact.session(server.url, auth=auth, **ONCE) as session:
        report = await aioartifact.download_many(urls, tmp_path, on_error="collect", session=session)
    assert len(report.failed) == 20
    assert {outcome.error.hint.partition("sent as ")[2] for outcome in report.failed} == {"user 'ada', from vault"}


async def test_session_from_elsewhere():
    """Of a session of the user's own, nothing is known but that."""
    async with refusing() as server, aiohttp.ClientSession() as session:
        with pytest.raises(aioartifact.AuthenticationError, match="a session that it has not opened"):
            await aioartifact.info(f"{server.url}/r/a", session=session)


async def test_headers_of_the_session():
    """Credentials that the user has put into the headers of a session are those that were sent."""
    async with refusing() as server, aioartifact.session(server.url, auth=("ada", CANARY), **ONCE) as session:
        session.headers["Authorization"] = f"Bearer {CANARY}"
        with pytest.raises(aioartifact.AuthenticationError, match="in the headers of the session") as caught:
            await aioartifact.info(f"{server.url}/r/a", session=session)
    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize("auth", [None, ("ada", CANARY)], ids=["anonymous", "user"])
async def test_403_of_an_anonymous_request(auth):
    """Of a missing permission, the credentials are only worth a word if there were none."""
    async with refusing(status=403) as server, aioartifact.session(server.url, auth=auth, **ONCE) as session:
        with pytest.raises(aioartifact.ForbiddenError) as caught:
            await aioartifact.info(f"{server.url}/r/a", session=session)
    assert "ask for permission" in caught.value.hint
    assert (NONE_FOUND in caught.value.hint) is (auth is None)


async def test_401_of_a_redirect_target_is_not_about_the_credentials():
    """Another host never got the credentials."""
    async with refusing() as storage:
        location = {"Location": f"{storage.origin}/x"}
        async with (
            raw_server(lambda _: response(status=302, headers=location)) as server,
            aioartifact.session(server.url, auth=("ada", CANARY), **ONCE) as session,
        ):
            with pytest.raises(aioartifact.ResponseError) as caught:
                await aioartifact.read_bytes(f"{server.url}/r/a", session=session)
            refused = await aioartifact.rest_api_get(f"{server.url}/r/a", session=session)
    assert "auth" not in caught.value.hint
    assert refused.login_hint == ""


async def test_rest_api_get():
    """The answer of any REST call knows, too, and says it if its status is raised."""
    async with refusing() as server, aioartifact.session(server.url, auth=("ada", CANARY), **ONCE) as session:
        refused = await aioartifact.rest_api_get(f"{server.url}/api/x", session=session)
    assert "'ada', from the argument auth" in refused.login_hint
    assert CANARY not in repr(refused)
    with pytest.raises(aioartifact.AuthenticationError, match="the argument auth"):
        refused.raise_for_status()


async def test_success_and_other_refusals_say_nothing_of_credentials(server, session):
    """Credentials that were accepted are not mentioned."""
    server.put("generic-local/a", b"x")
    assert (await aioartifact.rest_api_get(f"{server.url}/api/system/version", session=session)).login_hint == ""
    server.fail("GET", "generic-local/a", fault=Fault.status(404))
    with pytest.raises(aioartifact.NotFoundError) as caught:
        await aioartifact.read_bytes(f"{server.url}/generic-local/a", session=session)
    assert "credentials" not in caught.value.hint


async def test_public_server_with_an_unreadable_file(home):
    """What was skipped does not disturb a call that succeeds."""
    (home / ".artifactory_python.cfg").mkdir()
    async with ArtifactoryServer(anonymous=True) as server:
        server.grant("anonymous", "generic-local", "r")
        server.put("generic-local/a", b"x")
        assert await aioartifact.read_bytes(f"{server.url}/generic-local/a") == b"x"
