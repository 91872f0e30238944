"""Canaries: secrets that must not turn up in any message, repr, traceback, pickle, log or URL, whatever fails."""

import asyncio
import base64
import copy
import inspect
import logging
import pickle
import socket
import traceback
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

import aioartifact
from aioartifact.testing import Fault

CANARY = "CANARY-do-not-print"
KEY = "AKCp8" + "CANARY" * 12
ENCODED = base64.b64encode(f"ci:{CANARY}".encode()).decode()
PATH = "generic-local/a.bin"

AUTHS = {
    "password": ("ci", CANARY),
    "token": aioartifact.Credentials.bearer(CANARY),
    "key": aioartifact.Credentials.api_key(KEY),
}
SECRETS = {"password": [CANARY, ENCODED], "token": [CANARY], "key": [KEY]}

FAULTS = {
    "none": None,
    "401-echo": Fault.status(401, message=f"Bad props auth token: basictoken={CANARY}"),
    "302-echo": Fault.status(302, message=f"moved, {CANARY} {KEY}"),
    "401-echo-header": Fault.status(401, "text", message=f"cannot read Authorization: Basic {ENCODED}"),
    "403-echo": Fault.status(403, message=f"Bad props auth token: apiKey={KEY}"),
    "500-echo": Fault.status(500, "html", message=f"{CANARY} {KEY}"),
    "502-text": Fault.status(502, "text", message=f"upstream said {CANARY} {KEY}"),
    "reset": Fault.reset(),
    "truncate": Fault.truncate(after=1),
    "flip": Fault.flip(),
    "redirect": Fault.redirect(f"http://127.0.0.1:9/x?X-Amz-Signature={CANARY}"),
    "redirect-user": Fault.redirect(f"http://user:{CANARY}@127.0.0.1:9/x"),
    "redirect-scheme": Fault.redirect(f"gopher://user:{CANARY}@host/x?token={KEY}"),
    "html": Fault.status(200, "html", message=CANARY),
}


@pytest.fixture
def caught_logs(caplog):
    """Everything that anyone logs, down to asyncio's debug messages."""
    caplog.set_level(logging.DEBUG)
    return caplog


async def _drained(results) -> None:
    async for _ in results:
        pass


async def provoke(call) -> list[BaseException]:
    """Run *call*; every exception that came of it, causes, contexts and members of groups included."""
    try:
        await call
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  # whatever it is, it is looked at
        return list(unfolded(error))
    return []


def unfolded(error):
    yield error
    for inner in [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]:
        if inner is not None:
            yield from unfolded(inner)


def shown(error: BaseException) -> str:
    """All that a program may print, log or send of an error."""
    texts = [str(error), repr(error), "".join(traceback.format_exception(error)), repr(error.__dict__)]
    if isinstance(error, aioartifact.ArtifactoryError | aioartifact.BatchError):
        texts += [pickle.dumps(error).decode("latin-1"), repr(copy.copy(error))]
    return "\n".join(texts)


class Place(NamedTuple):
    """Where the calls of the table go."""

    server: str
    url: str
    folder: str
    local: Path
    into: Path
    session: aiohttp.ClientSession


async def _read(block) -> None:
    """Enter a stream or a file, and take all there is."""
    async with block as entered:
        await (_drained(entered) if hasattr(entered, "__aiter__") else entered.read())


async def _planned_and_run(place: Place, source: str, destination: str) -> None:
    plan = await aioartifact.plan_sync(source, destination, session=place.session)
    await aioartifact.run_sync(plan, session=place.session)


G_N = ("generic-local", "g", "n")
CALLS = [
    ("download", lambda at: aioartifact.download(at.url, at.into / "x", session=at.session)),
    ("download", lambda at: aioartifact.download(at.folder, at.into / "x", session=at.session)),
    ("download_many", lambda at: aioartifact.download_many([at.url], at.into / "many", session=at.session)),
    ("download_folder", lambda at: aioartifact.download_folder(at.folder, at.into / "f", session=at.session)),
    (
        "download_folder",
        lambda at: aioartifact.download_folder(at.folder, at.into / "g", archive=True, session=at.session),
    ),
    ("versions", lambda at: aioartifact.versions(at.server, *G_N, denied="raise", session=at.session)),
    ("versions", lambda at: aioartifact.versions(at.server, *G_N, method="aql", denied="raise", session=at.session)),
    ("latest_version", lambda at: aioartifact.latest_version(at.server, *G_N, denied="raise", session=at.session)),
    (
        "versions_many",
        lambda at: aioartifact.versions_many(at.server, "generic-local", [("g", "n")], session=at.session),
    ),
    ("maven_metadata", lambda at: aioartifact.maven_metadata(at.server, *G_N, session=at.session)),
    ("info", lambda at: aioartifact.info(at.url, session=at.session)),
    ("exists", lambda at: aioartifact.exists(at.url, session=at.session)),
    ("walk", lambda at: _drained(aioartifact.walk(at.folder, session=at.session))),
    ("ls", lambda at: _drained(aioartifact.ls(at.folder, session=at.session))),
    ("glob", lambda at: _drained(aioartifact.glob(at.folder, "*.bin", session=at.session))),
    ("aql", lambda at: _drained(aioartifact.aql(at.server, "items.find(", session=at.session))),
    ("search", lambda at: _drained(aioartifact.search(at.server, name="a", session=at.session))),
    ("checksum", lambda at: aioartifact.checksum(f"{at.url}x", session=at.session)),
    ("deploy", lambda at: aioartifact.deploy(at.local, at.url, session=at.session)),
    ("deploy", lambda at: aioartifact.deploy(at.local, at.url, sha1="0" * 40, session=at.session)),
    ("deploy_many", lambda at: aioartifact.deploy_many([at.local], f"{at.folder}/m/", session=at.session)),
    ("deploy_folder", lambda at: aioartifact.deploy_folder(at.local.parent, f"{at.folder}/d/", session=at.session)),
    ("plan_sync", lambda at: aioartifact.plan_sync(at.folder, at.into / "s", session=at.session)),
    ("run_sync", lambda at: _planned_and_run(at, at.folder, str(at.into / "s"))),
    ("run_sync", lambda at: _planned_and_run(at, str(at.local.parent), f"{at.folder}/s")),
    ("sync", lambda at: aioartifact.sync(at.folder, at.into / "s", session=at.session)),
    ("sync", lambda at: aioartifact.sync(at.local.parent, f"{at.folder}/s", session=at.session)),
    ("rest_api_get", lambda at: aioartifact.rest_api_get(f"{at.url}?token={CANARY}&key={KEY}", session=at.session)),
    ("stream", lambda at: _read(aioartifact.stream(at.url, session=at.session))),
    ("open", lambda at: _read(aioartifact.open(at.url, session=at.session))),
    ("read_bytes", lambda at: aioartifact.read_bytes(at.url, session=at.session)),
    ("read_bytes", lambda at: aioartifact.read_bytes(at.url, start=2, session=at.session)),
    ("write_bytes", lambda at: aioartifact.write_bytes(f"{at.url}2", b"bytes", session=at.session)),
    ("list_archive", lambda at: aioartifact.list_archive(at.url, session=at.session)),
    ("read_archive_member", lambda at: aioartifact.read_archive_member(f"{at.url}.zip", "a", session=at.session)),
    ("properties", lambda at: aioartifact.properties(at.url, session=at.session)),
    ("set_properties", lambda at: aioartifact.set_properties(at.url, {"a": "b"}, session=at.session)),
    (
        "update_properties",
        lambda at: aioartifact.update_properties(at.url, {"a": "b"}, recursive=True, session=at.session),
    ),
    ("delete_properties", lambda at: aioartifact.delete_properties(at.url, "a", session=at.session)),
    ("copy", lambda at: aioartifact.copy(at.url, f"{at.url}3", session=at.session)),
    ("move", lambda at: aioartifact.move(at.url, f"{at.url}4", session=at.session)),
    ("copy_many", lambda at: aioartifact.copy_many([(at.url, f"{at.url}6")], session=at.session)),
    ("move_many", lambda at: aioartifact.move_many([(at.url, f"{at.url}7")], session=at.session)),
    ("mkdir", lambda at: aioartifact.mkdir(f"{at.url}5", session=at.session)),
    ("repositories", lambda at: aioartifact.repositories(at.server, session=at.session)),
    ("server_info", lambda at: aioartifact.server_info(at.server, session=at.session)),
    ("diagnose", lambda at: aioartifact.diagnose(at.server, session=at.session)),
    ("ping", lambda at: aioartifact.ping(at.server, session=at.session)),
    ("path", lambda at: _drained(aioartifact.path(at.folder, session=at.session).iterdir())),
    ("Lookup", lambda at: aioartifact.Lookup.create(at.server, "generic-local", "g", "1.0.0", session=at.session)),
    ("Lookup", lambda at: aioartifact.Lookup.latest_version(at.server, "generic-local", "g", session=at.session)),
    ("delete_many", lambda at: aioartifact.delete_many([f"{at.url}6", f"{at.url}8"], session=at.session)),
    ("delete", lambda at: aioartifact.delete(at.url, session=at.session)),
]


def test_table_names_every_function():
    """A new function that takes a session has its row."""
    made = {name: getattr(aioartifact, name) for name in aioartifact.__all__}
    talking = {n for n, f in made.items() if inspect.isfunction(f) and "session" in inspect.signature(f).parameters}
    talking -= {"stats", "with_credentials"}  # these send nothing; see test_tenants.py
    assert talking | {"Lookup"} == {name for name, _ in CALLS}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", AUTHS)
async def test_no_failure_shows_a_secret(server, tmp_path, caught_logs, kind, fault):
    """Every function, with every kind of credentials, through every kind of trouble."""
    server.add_user("ci", password=CANARY, token=CANARY, api_key=KEY, admin=True)
    server.put(PATH, b"some bytes")
    local = tmp_path / "local" / "local.bin"
    local.parent.mkdir()
    local.write_bytes(b"some bytes")
    if FAULTS[fault]:
        server.fail("*", "**", times=None, fault=FAULTS[fault])
    policy = aioartifact.RetryPolicy(attempts=2, backoff_initial=0)
    async with aioartifact.session(server.url, auth=AUTHS[kind], retry=policy) as session:
        folder = f"{server.url}/generic-local"
        place = Place(server.url, f"{server.url}/{PATH}", folder, local, tmp_path / "into", session)
        errors = [error for _, call in CALLS for error in await provoke(call(place))]
        session_text = repr(session)
    texts = [shown(error) for error in errors] + [caught_logs.text, session_text]
    assert not [text for text in texts for secret in SECRETS[kind] if secret in text]


async def test_refused_server_shows_no_secret(tmp_path, caught_logs):
    """A closed port: the error has the URL, not the user."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # without listen(); a port that was closed may be another server's by now
        base = f"http://127.0.0.1:{taken.getsockname()[1]}/artifactory"
        async with aioartifact.session(base, auth=("ci", CANARY), retry=aioartifact.RetryPolicy.none()) as session:
            errors = await provoke(aioartifact.download(f"{base}/{PATH}", tmp_path, session=session))
    assert isinstance(errors[0], aioartifact.ConnectError)
    assert not [error for error in errors if "CANARY" in shown(error)]
    assert "CANARY" not in caught_logs.text


async def test_proxy_password_is_not_shown(tmp_path, caught_logs):
    """A proxy may carry a password in its URL; its failure does not show it."""
    proxy = f"http://user:{CANARY}@127.0.0.1:9"
    async with aioartifact.session(proxy=proxy, retry=aioartifact.RetryPolicy.none()) as session:
        errors = await provoke(aioartifact.info("http://host.invalid/artifactory/r/a", session=session))
    assert errors
    assert not [error for error in errors if "CANARY" in shown(error)]


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{CANARY}@host/artifactory/r/a",
        f"https://host/artifactory/r/a?token={CANARY}",
        f"https://host/artifactory/r/a#{CANARY}",
        f"https://user:{CANARY}/pass@host/artifactory/r/a",
        f"//user:{CANARY}@host/artifactory/r/a",
        f"user:{CANARY}@host/artifactory/r/a",
        f"https://user:{CANARY}\n@host/artifactory/r/a",
    ],
)
async def test_secret_in_a_url_is_not_repeated(url, tmp_path):
    """A URL that holds a secret is refused without repeating the secret."""
    for call in (
        aioartifact.download(url, tmp_path),
        aioartifact.info(url),
        aioartifact.versions(url, "r", "g", "n"),
        aioartifact.download_many([url], tmp_path)._report(),
    ):
        errors = await provoke(call)
        assert errors
        assert not [error for error in errors if "CANARY" in shown(error)]


async def test_secret_in_the_url_of_a_listed_file_is_not_repeated(tmp_path):
    """Not even in the outcome of the refused file."""
    listed = aioartifact.FileInfo(f"https://user:{CANARY}@host/artifactory/r/a?token={CANARY}", "r", "a")
    report = await aioartifact.download_many([listed], tmp_path, on_error="collect")
    assert [outcome.url for outcome in report.failed] == ["https://***@host/artifactory/r/a?***"]
    assert "CANARY" not in repr(report)


@pytest.mark.parametrize("fault", [fault for fault, script in FAULTS.items() if script])
async def test_variables_of_a_traceback_show_no_secret(server, tmp_path, monkeypatch, fault):
    """Crash reporters send the local variables of every frame: what was resolved for a session is in none of them."""
    proxied = f"http://proxy:{CANARY}@127.0.0.1:9"
    monkeypatch.setenv("HTTP_PROXY", proxied)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server.add_user("ci", password=CANARY, admin=True)
    server.put(PATH, b"some bytes")
    server.fail("*", "**", times=None, fault=FAULTS[fault])
    monkeypatch.setenv("ARTIFACTORY_USERNAME", "ci")
    monkeypatch.setenv("ARTIFACTORY_API_KEY", CANARY)
    url, policy = f"{server.url}/{PATH}", aioartifact.RetryPolicy.none()
    async with aioartifact.session(retry=policy) as session:
        await provoke(aioartifact.info("http://host.invalid/artifactory/r/a", session=session))
        errors = [
            *await provoke(aioartifact.download(url, tmp_path / "x", session=session)),
            *await provoke(aioartifact.read_bytes(url, start=2, session=session)),
            *await provoke(aioartifact.write_bytes(f"{url}2", b"bytes", session=session)),
            *await provoke(_drained(aioartifact.aql(server.url, "items.find()", session=session))),
        ]
    assert errors
    for error in errors:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        assert ENCODED not in shown
        assert proxied not in shown


def test_credentials_show_no_secret():
    """repr, str, format and tracebacks mask; pickling refuses."""
    for auth in (aioartifact.Credentials.basic("ci", CANARY), *list(AUTHS.values())[1:]):
        assert "CANARY" not in f"{auth} {auth!r} {[auth]} {copy.copy(auth)}"
        with pytest.raises(TypeError) as caught:
            pickle.dumps(auth)
        assert "CANARY" not in str(caught.value)


async def test_debug_mode_of_the_loop_shows_no_secret(server, tmp_path, caught_logs):
    """The debug mode of asyncio logs slow callbacks with their arguments."""
    asyncio.get_running_loop().set_debug(True)
    asyncio.get_running_loop().slow_callback_duration = 0
    server.put(PATH, b"x")
    server.add_user("ci", password=CANARY, admin=True)
    try:
        async with aioartifact.session(server.url, auth=("ci", CANARY)) as session:
            await aioartifact.download(f"{server.url}/{PATH}", tmp_path, session=session)
    finally:
        asyncio.get_running_loop().set_debug(False)
    assert "CANARY" not in caught_logs.text
