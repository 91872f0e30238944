"""The configuration of jfrog-cli: encrypted, replaced while a session is open, and never changed by us."""

import asyncio
import base64
import json
import os
import sys
from datetime import UTC, datetime
from functools import partial

import anyio
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tap import tapped

import aioartifact
from aioartifact._session import Clock, SessionState
from aioartifact.testing import ArtifactoryServer, ManualClock

PATH = "generic-local/a.bin"
KEY = "0123456789abcdef0123456789abcdef"
CANARY = "canary-refresh-t0ken"


def sealed(secret: str, key: str = KEY) -> str:
    """Encrypt as jfrog-cli does."""
    nonce = os.urandom(12)
    return base64.b64encode(nonce + AESGCM(key.encode()).encrypt(nonce, secret.encode(), None)).decode()


@pytest.fixture
def folder(home):
    """The folder of jfrog-cli."""
    (home / ".jfrog" / "security").mkdir(parents=True)
    return home / ".jfrog"


def write(folder, *entries: dict[str, object], enc: bool = False) -> None:
    """Replace the file as a whole, as jfrog-cli does."""
    new = folder / "new"
    new.write_text(json.dumps({"servers": entries, "version": "6"} | ({"enc": True} if enc else {})))
    new.replace(folder / "jfrog-cli.conf.v6")


def entry(url: str = "https://host.example/", **fields: object) -> dict[str, object]:
    return {"serverId": "prod", "url": url, "isDefault": True, **fields}


KEYS = {
    "variable": lambda folder, env: env.setenv("JFROG_CLI_ENCRYPTION_KEY", KEY),
    "key file": lambda folder, env: (
        (folder / "my.key").write_text(f"{KEY}\n"),
        env.setenv("JFROG_CLI_ENCRYPTION_KEY", str(folder / "my.key")),
    ),
    "yaml": lambda folder, _: (folder / "security/security.yaml").write_text(f"version: 1\nmasterKey: {KEY}\n"),
    "quoted yaml": lambda folder, _: (folder / "security/security.yaml").write_text(f'masterKey: "{KEY}" # mine\n'),
    "variable before yaml": lambda folder, env: (
        (folder / "security/security.yaml").write_text(f"masterKey: {'x' * 32}\n"),
        env.setenv("JFROG_CLI_ENCRYPTION_KEY", KEY),
    ),
}


@pytest.mark.parametrize("place", KEYS)
@pytest.mark.parametrize("kind", ["token", "password"])
def test_encrypted_configuration(folder, monkeypatch, place, kind):
    """The key is found where jfrog-cli has it; what is not sent is not decrypted."""
    KEYS[place](folder, monkeypatch)
    fields = {"accessToken": sealed("a-token")} if kind == "token" else {"user": "ada", "password": sealed("pw")}
    write(folder, entry(**fields, refreshToken="not base64 at all", sshPassphrase="%%%"), enc=True)
    found = aioartifact.resolve_credentials("https://host.example/artifactory")
    assert (found.kind, found.secret) == (("bearer", "a-token") if kind == "token" else ("basic", "pw"))
    assert found.source == "file ~/.jfrog/jfrog-cli.conf.v6 server id prod"


def no_key(folder, env):
    pass


@pytest.mark.parametrize(
    ("prepare", "secret", "reason"),
    [
        pytest.param(no_key, sealed("x"), "JFROG_CLI_ENCRYPTION_KEY is not set", id="no-key"),
        pytest.param(KEYS["variable"], sealed("x", "y" * 32), "with another key", id="another-key"),
        pytest.param(KEYS["variable"], "%%%", "with another key", id="not-base64"),
        pytest.param(KEYS["variable"], "c2hvcnQ=", "with another key", id="short"),
        pytest.param(KEYS["variable"], base64.b64encode(bytes(60)).decode(), "with another key", id="damaged"),
        pytest.param(
            lambda _, env: env.setenv("JFROG_CLI_ENCRYPTION_KEY", CANARY), sealed("x"), "32 characters", id="length"
        ),
        pytest.param(
            lambda _, env: env.setenv("JFROG_CLI_ENCRYPTION_KEY", "/missing.key"), sealed("x"), "no key", id="file"
        ),
        pytest.param(
            lambda folder, _: (folder / "security/security.yaml").write_bytes(b"\xff\xfe\x00"),
            sealed("x"),
            "no key",
            id="yaml-that-is-no-text",
        ),
    ],
)
def test_configuration_that_cannot_be_decrypted_is_skipped(folder, monkeypatch, prepare, secret, reason):
    """The reason is known, and neither key nor content is shown."""
    prepare(folder, monkeypatch)
    write(folder, entry(accessToken=secret), enc=True)
    found = aioartifact.resolve_credentials("https://host.example/artifactory")
    assert found.kind == "anonymous"
    (skipped,) = found.skipped
    assert "encrypted by jfrog-cli" in skipped
    assert reason in skipped
    assert secret not in skipped
    assert CANARY not in skipped
    assert KEY not in skipped


def test_package_that_is_not_installed(folder, monkeypatch):
    monkeypatch.setenv("JFROG_CLI_ENCRYPTION_KEY", KEY)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    write(folder, entry(accessToken=sealed("x")), enc=True)
    (skipped,) = aioartifact.resolve_credentials("https://host.example/artifactory").skipped
    assert "pip install 'aioartifact[jfrog]'" in skipped


# While a session is open


@pytest.fixture
def time(monkeypatch):
    clock = ManualClock()
    virtual = Clock(
        clock, lambda: datetime.fromtimestamp(clock(), UTC), lambda _: anyio.lowlevel.checkpoint(), lambda: 0.5
    )
    monkeypatch.setattr("aioartifact._api.session.SessionState", partial(SessionState, clock=virtual))
    return clock


@pytest.fixture
async def server(time):
    async with ArtifactoryServer(clock=time) as running:
        running.put(PATH, b"bytes")
        running.add_user("ci", password="pw", admin=True)
        running.clear_log()
        yield running


async def test_file_that_changes_is_read_again(server, time, folder):
    """Another program renews the token in the file: the session follows, and no request is refused."""
    url = f"{server.url}/{PATH}"
    async with aioartifact.session() as session:
        for _ in range(10):
            write(folder, entry(server.url, accessToken=server.issue_token("ci", expires_in=60)))
            for _ in range(8):
                time.advance(6)
                assert await aioartifact.exists(url, session=session)
    assert {request.status for request in server.requests} == {200}


async def test_file_that_changes_just_after_it_was_checked(server, time, folder):
    """The 401 has it read again at once."""
    url = f"{server.url}/{PATH}"
    write(folder, entry(server.url, accessToken=server.issue_token("ci", expires_in=2)))
    async with aioartifact.session() as session:
        assert await aioartifact.exists(url, session=session)
        write(folder, entry(server.url, accessToken=server.issue_token("ci", expires_in=60)))
        time.advance(3)
        assert await aioartifact.exists(url, session=session)


async def test_token_in_a_file_that_nobody_renews(server, time, folder):
    """The error is that of the server, after one request; its hint names the file."""
    url = f"{server.url}/{PATH}"
    write(folder, entry(server.url, accessToken=server.issue_token("ci", expires_in=60)))
    async with aioartifact.session() as session:
        assert await aioartifact.exists(url, session=session)
        time.advance(61)
        server.clear_log()
        with pytest.raises(aioartifact.AuthenticationError, match="server id prod") as caught:
            await aioartifact.info(url, session=session)
        assert len(server.requests) == 1
        write(folder, entry(server.url, accessToken=server.issue_token("ci", expires_in=60)))
        assert await aioartifact.exists(url, session=session)
    assert "may have expired" in str(caught.value)


async def test_file_that_is_broken_for_a_while(server, time, folder):
    """A program writes it at this moment: the credentials that are valid are used."""
    url = f"{server.url}/{PATH}"
    write(folder, entry(server.url, user="ci", password="pw"))
    async with aioartifact.session() as session:
        assert await aioartifact.exists(url, session=session)
        (folder / "jfrog-cli.conf.v6").write_text("{")
        time.advance(6)
        assert await aioartifact.exists(url, session=session)
        write(folder, entry(server.url, user="ci", password="pw"))
        time.advance(6)
        assert await aioartifact.exists(url, session=session)


async def test_checks_that_find_nothing_new_are_not_logged(server, time, folder, caplog):
    """Renewed credentials are worth a line; a file that is the same is not."""
    caplog.set_level("INFO", "aioartifact.credentials")
    write(folder, entry(server.url, user="ci", password="pw"))
    async with aioartifact.session() as session:
        for number in range(10):
            time.advance(6)
            assert await aioartifact.exists(f"{server.url}/{PATH}", session=session)
            if number == 4:
                write(folder, entry(server.url, accessToken=server.issue_token("ci")))
    (record,) = caplog.records
    assert record.getMessage() == f"{server.url}: credentials from the configuration of this machine"


async def test_refresh_token_is_neither_used_nor_written(server, time, folder):
    """Whatever happens to the access token: jfrog-cli's user stays logged in."""
    async with tapped(int(server.origin.rpartition(":")[2])) as tap:
        token = server.issue_token("ci", expires_in=60)
        write(folder, entry(f"{tap.origin}/", accessToken=token, refreshToken=CANARY, artifactoryRefreshToken=CANARY))
        before = (folder / "jfrog-cli.conf.v6").read_bytes()
        async with aioartifact.session() as session:
            url = f"{tap.origin}/artifactory/{PATH}"
            assert await aioartifact.exists(url, session=session)
            time.advance(61)
            results = await asyncio.gather(
                *(aioartifact.exists(url, session=session) for _ in range(50)), return_exceptions=True
            )
        assert {type(each) for each in results} == {aioartifact.AuthenticationError}
        assert CANARY.encode() not in b"".join(tap.requests)
    assert (folder / "jfrog-cli.conf.v6").read_bytes() == before
    assert sorted(each.name for each in folder.iterdir()) == ["jfrog-cli.conf.v6", "security"]
