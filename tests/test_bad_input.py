"""What a caller gets wrong is said at the call, in one typed error, before any request is sent."""

import inspect
from contextlib import AbstractAsyncContextManager, suppress

import aiohttp
import pytest

import aioartifact
from aioartifact import query

pytestmark = pytest.mark.slow

RELATIVE = "repo/folder/file.bin"
NO_SERVER = "not a url"
BAD_URLS = {"relative": RELATIVE, "words": NO_SERVER, "ftp": "ftp://host/artifactory/repo/x", "number": 7}

# What each function needs besides the one bad argument; "{server}" is the address of the running server.
FILE = "{server}/repo/a.bin"
ITEM = {"url": FILE}
NAMED = {"server": "{server}", "repository": "repo", "group_id": "org.example", "name": "thing"}
COORDINATES = [("org.example", "thing")]
GOOD = {
    "aql": {"server": "{server}", "query": "items.find()"},
    "authentication": ITEM,
    "authentification": ITEM,
    "checksum": {"path_or_url": FILE},
    "copy": {"source": FILE, "target": "{server}/repo/b.bin"},
    "copy_many": {"items": []},
    "delete": ITEM,
    "delete_many": {"items": []},
    "delete_properties": {"url": FILE, "names": ["key"]},
    "deploy": {"path": "missing.bin", "url": FILE},
    "deploy_folder": {"folder": ".", "url": "{server}/repo/folder/"},
    "deploy_many": {"items": [], "url": "{server}/repo/folder/"},
    "download": ITEM,
    "download_folder": ITEM,
    "download_many": {"items": [FILE]},
    "exists": ITEM,
    "glob": {"url": FILE, "pattern": "*"},
    "group_id_to_path": {"group_id": "org.example"},
    "info": ITEM,
    "latest_version": NAMED,
    "list_archive": ITEM,
    "ls": ITEM,
    "maven_metadata": NAMED,
    "mkdir": ITEM,
    "move": {"source": FILE, "target": "{server}/repo/b.bin"},
    "move_many": {"items": []},
    "open": ITEM,
    "path": ITEM,
    "path_to_group_id": {"path": "org/example"},
    "diagnose": ITEM,
    "ping": {"server": "{server}"},
    "plan_sync": {"source": FILE, "destination": "local"},
    "properties": ITEM,
    "read_archive_member": {"url": FILE, "member": "a.txt"},
    "read_bytes": ITEM,
    "remove_parts": {"folder": "."},
    "repositories": {"server": "{server}"},
    "resolve_credentials": ITEM,
    "resolve_server": {},
    "rest_api_get": ITEM,
    "run_sync": {"plan": None},
    "search": {"server": "{server}", "name": "a"},
    "server_info": {"server": "{server}"},
    "open_session": {"server": "{server}"},
    "session": {"server": "{server}"},
    "set_properties": {"url": FILE, "properties": {"key": "value"}},
    "stream": ITEM,
    "sync": {"source": FILE, "destination": "local"},
    "update_properties": {"url": FILE, "changes": {"key": "value"}},
    "url": {"server": "{server}", "repository": "repo"},
    "versions": NAMED,
    "versions_many": {"server": "{server}", "repository": "repo", "names": COORDINATES},
    "walk": ITEM,
    "stats": {"session": None},  # with an open one: test_stats.py
    "with_credentials": {"session": None, "auth": ("ada", "secret")},  # with an open one: test_tenants.py
    "write_bytes": {"url": FILE, "data": b"x"},
}

# The arguments that are an address of a server or of an item.
ADDRESSES = {"url", "server"}
FUNCTIONS = sorted(name for name in aioartifact.__all__ if inspect.isfunction(getattr(aioartifact, name)))

# As in audfactory, credentials are found for an address without a scheme, too.
WITHOUT_SCHEME = {("authentication", "relative"), ("authentification", "relative")}
WRONG_ADDRESSES = [
    pytest.param(name, {argument: wrong}, id=f"{name}-{argument}-{kind}")
    for name in FUNCTIONS
    for argument in GOOD[name]
    if argument in ADDRESSES
    for kind, wrong in BAD_URLS.items()
    if name != "url" and (name, kind) not in WITHOUT_SCHEME
]
OTHERS = [
    pytest.param("aql", {"query": 7}, id="aql-query-number"),
    pytest.param("aql", {"query": "drop table"}, id="aql-query-nonsense"),
    pytest.param("aql", {"query": 'items.delete({"repo":"r"})'}, id="aql-query-that-changes"),
    pytest.param("checksum", {"type": "crc"}, id="checksum-type"),
    pytest.param("copy", {"source": RELATIVE}, id="copy-source"),
    pytest.param("copy", {"target": RELATIVE}, id="copy-target"),
    pytest.param("copy", {"target": "https://other.example/artifactory/repo/x"}, id="copy-server"),
    pytest.param("copy_many", {"items": FILE}, id="copy_many-one-text"),
    pytest.param("copy_many", {"on_error": "x"}, id="copy_many-on_error"),
    pytest.param("delete_many", {"items": FILE}, id="delete_many-one-text"),
    pytest.param("delete_many", {"items": 7}, id="delete_many-number"),
    pytest.param("delete_many", {"progress": 7}, id="delete_many-progress"),
    pytest.param("delete", {"url": "{server}/repo"}, id="delete-repository"),
    pytest.param("delete", {"url": "{server}/"}, id="delete-server"),
    pytest.param("delete_properties", {"names": []}, id="delete_properties-empty"),
    pytest.param("delete_properties", {"names": 7}, id="delete_properties-number"),
    pytest.param("deploy", {"md5": "xyz"}, id="deploy-md5"),
    pytest.param("deploy_folder", {"include": "/x"}, id="deploy_folder-include-slash"),
    pytest.param("deploy_folder", {"include": None}, id="deploy_folder-include-none"),
    pytest.param("deploy_folder", {"exclude": [7]}, id="deploy_folder-exclude-number"),
    pytest.param("deploy_folder", {"on_error": "x"}, id="deploy_folder-on_error"),
    pytest.param("deploy_many", {"on_error": "x"}, id="deploy_many-on_error"),
    pytest.param("download_folder", {"include": "/x"}, id="download_folder-include-slash"),
    pytest.param("download_folder", {"include": None}, id="download_folder-include-none"),
    pytest.param("download_folder", {"exclude": [7]}, id="download_folder-exclude-number"),
    pytest.param("download_folder", {"overwrite": "x"}, id="download_folder-overwrite"),
    pytest.param("download_many", {"items": RELATIVE}, id="download_many-one-text"),
    pytest.param("download_many", {"max_concurrency": 0}, id="download_many-max_concurrency"),
    pytest.param("glob", {"pattern": 7}, id="glob-number"),
    pytest.param("group_id_to_path", {"group_id": 7}, id="group_id_to_path-number"),
    pytest.param("latest_version", {"spec": ">=nonsense,,"}, id="latest_version-spec"),
    pytest.param("latest_version", {"spec": "[1.0,2.0"}, id="latest_version-half-a-range"),
    pytest.param("latest_version", {"where": "("}, id="latest_version-where"),
    pytest.param("move", {"source": "{server}/repo"}, id="move-repository"),
    pytest.param("move", {"target": RELATIVE}, id="move-target"),
    pytest.param("move_many", {"items": FILE}, id="move_many-one-text"),
    pytest.param("move_many", {"max_concurrency": 0}, id="move_many-max_concurrency"),
    pytest.param("path_to_group_id", {"path": 7}, id="path_to_group_id-number"),
    pytest.param("plan_sync", {"source": "a", "destination": "b"}, id="plan_sync-local"),
    pytest.param("read_archive_member", {"member": ""}, id="read_archive_member-empty"),
    pytest.param("read_bytes", {"start": -1}, id="read_bytes-start"),
    pytest.param("remove_parts", {"older_than": -1}, id="remove_parts-older_than"),
    pytest.param("repositories", {"kind": "x"}, id="repositories-kind"),
    pytest.param("run_sync", {"plan": "x"}, id="run_sync-words"),
    pytest.param("search", {"name": None}, id="search-nothing"),
    pytest.param("search", {"name": 7}, id="search-number"),
    pytest.param("search", {"name": None, "checksum": "xyz"}, id="search-checksum"),
    pytest.param("search", {"name": None, "properties": 7}, id="search-properties"),
    pytest.param("search", {"name": None, "properties": {"": "x"}}, id="search-property-without-a-name"),
    pytest.param("session", {"auth": 7}, id="session-auth"),
    pytest.param("set_properties", {"properties": {"": "x"}}, id="set_properties-empty"),
    pytest.param("set_properties", {"properties": 7}, id="set_properties-number"),
    pytest.param("stream", {"start": 5, "end": 1}, id="stream-range"),
    pytest.param("sync", {"source": "a", "destination": "b"}, id="sync-local"),
    pytest.param("update_properties", {"changes": {"a b": "x"}}, id="update_properties-blank"),
    pytest.param("url", {"server": 7}, id="url-number"),
    pytest.param("versions", {"scheme": "x"}, id="versions-scheme"),
    pytest.param("versions", {"spec": 7}, id="versions-number"),
    pytest.param("versions", {"name": '"}).delete("', "method": "aql"}, id="versions-aql-injection"),
    pytest.param("versions", {"name": "../other"}, id="versions-dots"),
    pytest.param("versions", {"repository": "a\0b"}, id="versions-nul"),
    pytest.param("versions_many", {"names": [7]}, id="versions_many-number"),
    pytest.param("walk", {"depth": -1}, id="walk-depth"),
    pytest.param("stats", {"session": "session"}, id="stats-session"),
    pytest.param("with_credentials", {"session": "session"}, id="with_credentials-session"),
    pytest.param("update_properties", {"changes": {"a;b=c": "x"}}, id="update_properties-injection"),
    pytest.param("write_bytes", {"data": "text"}, id="write_bytes-text"),
    pytest.param("write_bytes", {"parameters": {"a b": "x"}}, id="write_bytes-property"),
]
CASES = WRONG_ADDRESSES + OTHERS


def at(server, value):
    """Put the server's address where the table says so."""
    return value.replace("{server}", server.url) if isinstance(value, str) else value


async def use(made):
    """Do with a call's answer what a caller does: await it, enter it or iterate over it."""
    if inspect.isawaitable(made):
        opened = await made
        if isinstance(opened, aiohttp.ClientSession):
            await opened.close()
    elif isinstance(made, AbstractAsyncContextManager):
        async with made:
            pass
    elif hasattr(made, "__aiter__"):
        async for _ in made:
            pass


class Odd:
    """What no argument may be."""

    def __repr__(self) -> str:
        return "Odd()"


# Only asked whether they are true.
FLAGS = {
    *("archive", "delete", "dry_run", "durable", "exist_ok", "files", "folders", "force_download", "missing_ok"),
    *("parents", "recursive", "trust_env", "whole_repository"),
}
ANYTHING = [
    pytest.param(name, parameter, id=f"{name}-{parameter}")
    for name in FUNCTIONS
    for parameter in inspect.signature(getattr(aioartifact, name)).parameters
    if parameter not in FLAGS and not (parameter == "overwrite" and name.startswith(("copy", "move")))  # a flag, too
]


@pytest.mark.parametrize("wrong", [Odd(), 1.5, b"bytes", "a\0b", float("nan")], ids=repr)
@pytest.mark.parametrize(("name", "parameter"), ANYTHING)
async def test_nothing_but_our_own_errors(server, tmp_path, monkeypatch, name, parameter, wrong):
    """Whatever is put in for an argument, no error of Python's own comes out."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "missing.bin").write_bytes(b"there after all")
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)  # else versions() warns
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
    arguments = {key: at(server, value) for key, value in GOOD[name].items()} | {parameter: wrong}
    with suppress(aioartifact.ArtifactoryError, aioartifact.BatchError):
        await use(getattr(aioartifact, name)(**arguments))


def test_table_names_every_function():
    """A public function without bad input in the table is found here."""
    without_arguments = {"resolve_server"}
    assert {case.values[0] for case in CASES} == set(FUNCTIONS) - without_arguments


@pytest.mark.parametrize(("name", "wrong"), CASES)
async def test_bad_input_raises_before_any_request(server, tmp_path, monkeypatch, name, wrong):
    """Each bad argument gives a typed error that says something, and the server hears nothing."""
    monkeypatch.chdir(tmp_path)
    arguments = {key: at(server, value) for key, value in (GOOD[name] | wrong).items()}
    with pytest.raises((aioartifact.InvalidArgumentError, aioartifact.InvalidURLError)) as caught:
        await use(getattr(aioartifact, name)(**arguments))
    assert str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize("item", [pytest.param(RELATIVE, id="relative"), pytest.param(7, id="number")])
async def test_bad_item_of_many_is_one_failure_of_the_batch(server, tmp_path, item):
    """Items are taken as they come, so a bad one is found among the others; no request is sent for it."""
    with pytest.raises(aioartifact.BatchError) as caught:
        await aioartifact.download_many([item], tmp_path)
    (error,) = caught.value.exceptions
    assert isinstance(error, aioartifact.InvalidArgumentError | aioartifact.InvalidURLError)
    assert server.requests == []


ITEM_PATH = aioartifact.path("https://host/artifactory/repo/a.bin")
VALUES = {
    "Credentials.api_key": aioartifact.Credentials.api_key,
    "Credentials.basic-user": lambda wrong: aioartifact.Credentials.basic(wrong, "secret"),
    "Credentials.basic-secret": lambda wrong: aioartifact.Credentials.basic("user", wrong),
    "Credentials.bearer": aioartifact.Credentials.bearer,
    "Credentials.expires_at": lambda wrong: aioartifact.Credentials.bearer("token", expires_at=wrong),
    "Filter-properties": lambda wrong: aioartifact.Filter(properties=wrong),
    "Filter-min_size": lambda wrong: aioartifact.Filter(min_size=wrong),
    "Filter-created_after": lambda wrong: aioartifact.Filter(created_after=wrong),
    "Limits": aioartifact.Limits,
    "Lookup-version": lambda wrong: aioartifact.Lookup("https://host/artifactory", "repo", "group", version=wrong),
    "Progress": aioartifact.Progress,
    "RetryPolicy": aioartifact.RetryPolicy,
    "SyncPlan.from_json": aioartifact.SyncPlan.from_json,
    "Timeouts": aioartifact.Timeouts,
    "path-match": ITEM_PATH.match,
    "path-relative_to": ITEM_PATH.relative_to,
    "path-slash": lambda wrong: ITEM_PATH / wrong,
    "path-with_name": ITEM_PATH.with_name,
    "path-with_session": ITEM_PATH.with_session,
    "path-with_stem": ITEM_PATH.with_stem,
    "path-with_suffix": ITEM_PATH.with_suffix,
    "query.any_of": query.any_of,
    "query.before": query.before,
    "query.field": lambda wrong: query.field(wrong, 1),
    "query.has_property": query.has_property,
    "query.include": lambda wrong: query.items().include(wrong),
    "query.items": query.items,
    "query.last": query.last,
    "query.limit": lambda wrong: query.items().limit(wrong),
    "query.match": query.match,
    "query.sort": lambda wrong: query.items().sort(wrong),
    "query.where": query.where,
}


@pytest.mark.parametrize("wrong", [Odd(), b"bytes", ["list"]], ids=repr)
@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in VALUES.items()])
def test_values_are_checked_where_they_are_made(make, wrong):
    """Settings, conditions, queries and paths say what they expected; none waits until it is used."""
    with pytest.raises(aioartifact.InvalidArgumentError) as caught:
        make(wrong)
    assert str(caught.value)


async def called(name, arguments):
    """Call a function, and await what an ``async def`` makes of that: a batch is left as it is."""
    made = getattr(aioartifact, name)(**arguments)
    if inspect.iscoroutine(made):
        await made


WITH_PROGRESS = [name for name in FUNCTIONS if "progress" in inspect.signature(getattr(aioartifact, name)).parameters]
PLAN = aioartifact.SyncPlan("https://host/artifactory/r", "/data", "download")


@pytest.mark.parametrize("wrong", [7, "bar", print, aioartifact.Progress], ids=["number", "text", "sink", "class"])
@pytest.mark.parametrize("name", WITH_PROGRESS)
async def test_progress_of_another_kind_is_told_at_the_call(server, name, wrong):
    """A bulk call need not be awaited for that."""
    arguments = {key: at(server, value) for key, value in GOOD[name].items()} | {"progress": wrong}
    arguments |= {"plan": PLAN} if name == "run_sync" else {}
    with pytest.raises(aioartifact.InvalidArgumentError, match=r"progress is a .*; expected a Progress"):
        await called(name, arguments)
    assert server.requests == []


HOSTILE = ['"', '\\"', '"}).include("*', "*/../x", "$match", "a\nb", " a"]


@pytest.mark.parametrize("value", HOSTILE)
async def test_value_in_a_query_cannot_become_a_query(server, session, value):
    """What a value says is looked for as it stands, or refused before it is sent; nothing else is found."""
    server.put("generic-local/a.bin", b"1")
    try:
        wanted = query.items(name=value)
    except aioartifact.InvalidArgumentError:
        assert server.requests == []
        return
    assert [row async for row in aioartifact.aql(server.url, wanted, session=session)] == []


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda text, **to: aioartifact.aql(to["server"], f'items.find({{"name": "{text}"}})'), id="aql"),
        pytest.param(lambda text, **to: aioartifact.search(**to, name=text), id="name"),
        pytest.param(lambda text, **to: aioartifact.search(**to, group_id=text), id="coordinates"),
        pytest.param(lambda text, **to: aioartifact.search(**to, properties={text: "value"}), id="key"),
        pytest.param(lambda text, **to: aioartifact.search(**to, properties={"key": text}), id="value"),
        pytest.param(lambda text, **to: aioartifact.search(**to, name="a", repositories=[text]), id="repository"),
        pytest.param(lambda text, **to: aioartifact.repositories(**to, package_type=text), id="package-type"),
    ],
)
@pytest.mark.parametrize("text", ["x\udce4", "\ud83d"], ids=["byte", "half"])
async def test_text_that_no_request_can_hold(server, call, text):
    """Python reads a byte of an argument that is not UTF-8 as half a surrogate pair, and JSON can spell one."""

    async def result():
        begun = call(text, server=server.url)
        return await (anext(begun) if hasattr(begun, "__anext__") else begun)

    with pytest.raises(aioartifact.InvalidArgumentError, match="UTF-8 cannot express it"):
        await result()
    assert server.requests == []
