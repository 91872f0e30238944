"""Small files are uploaded in groups, and each ends as it does alone."""

import asyncio
import hashlib
import json
from collections import defaultdict

import aiohttp
import anyio
import pytest
from raw_http import Close, RawRequest, raw_server, response

import aioartifact
from aioartifact import Credentials, Limits, Progress, RetryPolicy
from aioartifact._address import parse_item_url
from aioartifact._session import prepare_small_uploads

FILES = 40
ODD = "020.bin"
"""A file in the middle of a group: the first group has one file, all others sixteen."""
RETRY = RetryPolicy(attempts=3, backoff_initial=0)


@pytest.fixture(autouse=True)
def _group_size_independent_of_speed(monkeypatch):
    monkeypatch.setattr("aioartifact._transfer.send.deployer._GROUP_SECONDS", 1e9)


@pytest.fixture
def paths(tmp_path):
    paths = [tmp_path / f"{number:03}.bin" for number in range(FILES)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]) * (number * 100))
    return paths


def name_of(request: RawRequest) -> str:
    return request.target.partition(";")[0].rpartition("/")[2]


def deployed(request: RawRequest, *, repo: str = "r", path: str = "", spoilt: bool = False) -> bytes:
    """What Artifactory answers to an upload."""
    content = request.body + b"!" if spoilt else request.body
    checksums = {name: hashlib.new(name, content).hexdigest() for name in ("sha256", "sha1", "md5")}
    path = path or request.target.partition(";")[0].removeprefix("/artifactory/r")
    return json.dumps({"repo": repo, "path": path, "checksums": checksums}).encode()


def accepted(request: RawRequest) -> bytes:
    if "/api/storage/" in request.target:
        return response(status=404)
    return response(deployed(request), status=201)


def session_of(url: str, *, is_grouped: bool = True, **options):
    """A session; one with something of the user's sends each file by itself."""
    traces = [] if is_grouped else [aiohttp.TraceConfig()]
    return aioartifact.session(url, **{"auth": ("u", "p"), "retry": RETRY, "trace_configs": traces, **options})


async def results(paths, handler, *, is_grouped: bool = True, sink=None, **options):
    """Deploy *paths* in order; return the requests, the outcomes by name, and the final progress."""
    progress = Progress(sink)
    async with raw_server(handler) as server, session_of(server.url, is_grouped=is_grouped) as session:
        report = await aioartifact.deploy_many(
            paths,
            f"{server.url}/r/",
            on_error="collect",
            **{"max_concurrency": 1, **options},
            session=session,
            progress=progress,
        )
        assert not session.connector._acquired
        outcomes = {}
        for outcome in report:
            error = outcome.error and (type(outcome.error), str(outcome.error).replace(server.origin, ""))
            outcomes[outcome.path.rpartition("/")[2]] = (outcome.status, outcome.size, outcome.sha256, error)
        assert len(outcomes) == len(report)
    return server.requests, outcomes, progress.snapshot()


async def test_group_shares_a_connection(paths):
    """Its files are in flight together, and sent in order."""
    progress, most = Progress(), 0

    def handler(request):
        nonlocal most
        most = max(most, len(progress.snapshot().active))
        return accepted(request)

    async with raw_server(handler) as server, session_of(server.url) as session:
        report = await aioartifact.deploy_many(
            paths, f"{server.url}/r/", max_concurrency=1, session=session, progress=progress
        )
    puts = [request for request in server.requests if request.method == "PUT"]
    assert [name_of(request) for request in puts] == [path.name for path in paths]
    assert [outcome.path for outcome in report] == [str(path) for path in paths]
    assert [request.body for request in puts] == [path.read_bytes() for path in paths]
    assert len({id(request.writer) for request in puts}) == 1
    assert most == 16
    assert progress.snapshot().active == ()


@pytest.mark.parametrize("overwrite", ["always", "changed", "never"])
@pytest.mark.parametrize("parameters", [None, {"a.b": ["1", "ü ;,"]}])
@pytest.mark.parametrize("headers", [{}, {"X-Own": "1", "X-Checksum-Sha1": "0" * 40}])
async def test_same_requests_as_alone(paths, overwrite, parameters, headers):
    """The same header fields, properties and bytes."""
    async with raw_server(accepted) as server, session_of(server.url, headers=headers) as session:
        report = await aioartifact.deploy_many(
            paths, f"{server.url}/r/", overwrite=overwrite, parameters=parameters, max_concurrency=1, session=session
        )
        many = [request for request in server.requests if request.method == "PUT"]
        server.requests.clear()
        for path in paths:
            await aioartifact.deploy(path, f"{server.url}/r/{path.name}", parameters=parameters, session=session)
    assert len(report.deployed) == FILES
    sent = [[(each.method, each.target, each.headers, each.body) for each in run] for run in (many, server.requests)]
    assert sent[0] == sent[1]


async def test_same_events_as_alone(paths):
    """For each file: its start, bytes and end, in this order, with the same sizes."""
    seen = []
    for is_grouped in (True, False):
        events = defaultdict(list)
        paths[25].unlink(missing_ok=True)

        def sink(event, events=events):
            events[event.key.rpartition("/")[2]].append((event.kind, event.bytes, event.total))

        def handler(request):
            return response(status=403) if name_of(request) == ODD else accepted(request)

        await results(paths, handler, is_grouped=is_grouped, sink=sink)
        events.pop("")
        seen.append(events)
    assert len(seen[0]) == FILES
    assert seen[0] == seen[1]


ODD_ANSWERS = {
    "forbidden": lambda _: response(b'{"errors":[{"status":403,"message":"no"}]}', status=403),
    "conflict": lambda _: response(status=409),
    "unavailable": lambda _: response(status=503),
    "redirected": lambda request: response(
        status=307, headers={"Location": "/artifactory/r/other/" + name_of(request)}
    ),
    "redirected_elsewhere": lambda _: response(status=302, headers={"Location": "/login"}),
    "page": lambda _: response(b"<html>", status=201, headers={"Content-Type": "text/html"}),
    "deployed_as_page": lambda request: response(deployed(request), status=201, headers={"Content-Type": "text/html"}),
    "errors": lambda _: response(b'{"errors":[{"status":500,"message":"no"}]}', status=201),
    "not_json": lambda _: response(b"{", status=201),
    "nested": lambda _: response(b"[" * 60_000, status=201),
    "a_list": lambda _: response(b"[]", status=201),
    "nothing": lambda _: response(b"", status=201),
    "ok": lambda request: response(deployed(request), status=200),
    "other_checksums": lambda request: response(deployed(request, spoilt=True), status=201),
    "other_path": lambda request: response(deployed(request, path="/elsewhere"), status=201),
    "other_repository": lambda request: response(deployed(request, repo="r-local"), status=201),
    "without_place": lambda _: response(b'{"size": "1"}', status=201),
    "large": lambda request: response(deployed(request) + b" " * 70_000, status=201),
    "surplus": lambda request: response(deployed(request), status=201) + b"surplus",
    "interim": lambda request: b"HTTP/1.1 103 Early Hints\r\n\r\n" + response(deployed(request), status=201),
}


@pytest.mark.parametrize("kind", ODD_ANSWERS)
async def test_unusual_answer_to_one_file(paths, kind):
    """It is judged as it is alone, and the others arrive, once each."""

    def handler(request):
        return ODD_ANSWERS[kind](request) if name_of(request) == ODD else accepted(request)

    grouped, alone = [await results(paths, handler, is_grouped=is_grouped) for is_grouped in (True, False)]
    assert grouped[1] == alone[1]
    assert [name for name, outcome in grouped[1].items() if outcome[0] != "deployed" and name != ODD] == []
    sent = [[name_of(request) for request in run[0] if request.method == "PUT"] for run in (grouped, alone)]
    assert sorted(sent[0]) == sorted(sent[1])
    assert grouped[2].bytes_done == alone[2].bytes_done


@pytest.mark.parametrize("is_begun", [False, True])
async def test_connection_breaks_in_a_group(paths, is_begun):
    """The file is sent once more, the others are not."""

    def handler(request):
        names.append(name_of(request))
        if name_of(request) == ODD and names.count(ODD) == 1:
            raise Close(b"HTTP/1.1 201 Crea" if is_begun else b"")
        return accepted(request)

    names = []
    _, outcomes, _ = await results(paths, handler)
    assert {status for status, *_ in outcomes.values()} == {"deployed"}
    assert {path.name: names.count(path.name) for path in paths} == {
        path.name: 1 + (path.name == ODD) for path in paths
    }


async def test_refused_credentials_end_the_work(paths):
    """No file is sent after the refusal."""

    def handler(request):
        return response(status=401) if name_of(request) == ODD else accepted(request)

    requests, outcomes, _ = await results(paths, handler)
    assert name_of(requests[-1]) == ODD
    failed = {name: outcome[3][0] for name, outcome in outcomes.items() if outcome[3]}
    assert failed == {path.name: aioartifact.AuthenticationError for path in paths if path.name >= ODD}


async def test_credentials_expire_in_a_group(paths):
    """They are renewed once; every file arrives."""
    calls = 0

    async def provide():
        nonlocal calls
        calls += 1
        return Credentials.bearer(f"token-{calls}")

    def handler(request):
        is_late = request.method == "PUT" and name_of(request) >= ODD
        is_expired = is_late and request.headers["authorization"] == "Bearer token-1"
        return response(status=401) if is_expired else accepted(request)

    async with raw_server(handler) as server, session_of(server.url, auth=provide) as session:
        report = await aioartifact.deploy_many(paths, f"{server.url}/r/", max_concurrency=1, session=session)
    assert len(report.deployed) == FILES
    assert calls == 2
    assert sum(request.method == "PUT" for request in server.requests) == FILES + 1


async def test_files_change_in_a_group(paths):
    """Files that are deleted, replaced, or grow after they were looked at fail or arrive as they are then."""

    def handler(request):
        if name_of(request) == "000.bin" and request.method == "PUT":  # a group by itself; others are not read yet
            paths[5].unlink()
            paths[6].write_bytes(b"x" * 100_000)
            paths[7].unlink()
            paths[7].mkdir()
            paths[8].write_bytes(b"new")
        return accepted(request)

    requests, outcomes, end = await results(paths, handler)
    assert outcomes["005.bin"][3][0] is aioartifact.LocalNotFoundError
    assert outcomes["007.bin"][3][0] is aioartifact.LocalFileError
    assert {name for name, outcome in outcomes.items() if outcome[0] != "deployed"} == {"005.bin", "007.bin"}
    bodies = {name_of(request): request.body for request in requests if request.method == "PUT"}
    assert bodies == {path.name: path.read_bytes() for path in paths if path.is_file()}
    assert outcomes["008.bin"][2] == hashlib.sha256(b"new").hexdigest()
    assert list(outcomes) == sorted(outcomes)
    assert (end.files_done, end.files_failed) == (FILES - 2, 2)


async def test_cancelled_in_a_group(paths):
    """No request follows, and no connection or task stays."""
    has_come, may_go = asyncio.Event(), asyncio.Event()

    async def handler(request):
        if name_of(request) == ODD:
            has_come.set()
            await may_go.wait()
        return accepted(request)

    progress = Progress()
    async with raw_server(handler) as server, session_of(server.url) as session:
        before = asyncio.all_tasks()
        call = asyncio.create_task(
            aioartifact.deploy_many(paths, f"{server.url}/r/", max_concurrency=1, session=session, progress=progress)
        )
        await has_come.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not session.connector._acquired
        left = asyncio.all_tasks() - before - {call}
        assert [task for task in left if "raw_server" not in repr(task)] == []
        assert progress.snapshot().active == ()
        assert name_of(server.requests[-1]) == ODD
        may_go.set()
        # Its slot is free again.
        limits = Limits().max_concurrency
        with anyio.fail_after(60):
            await asyncio.gather(
                *(aioartifact.deploy(paths[0], f"{server.url}/r/x{n}", session=session) for n in range(limits))
            )


async def test_left_after_the_first_outcome(paths):
    async with raw_server(accepted) as server, session_of(server.url) as session:
        async with aioartifact.deploy_many(paths, f"{server.url}/r/", session=session) as outcomes:
            assert (await anext(outcomes)).status == "deployed"
        assert not session.connector._acquired


async def test_checksum_files_after_their_files(paths):
    """Those of a group's files: they are sent after them, and not at all if these failed."""
    siblings = []
    for path in (paths[2], paths[20]):
        sibling = path.with_name(path.name + ".sha1")
        sibling.write_text(hashlib.sha1(path.read_bytes()).hexdigest())
        siblings.append(sibling)

    def handler(request):
        return response(status=403) if name_of(request) == ODD else accepted(request)

    requests, outcomes, _ = await results([*siblings, *paths], handler, max_concurrency=4)
    order = [name_of(request) for request in requests if request.method == "PUT"]
    assert order.index("002.bin.sha1") > order.index("002.bin")
    assert ODD + ".sha1" not in order
    assert {name for name, outcome in outcomes.items() if outcome[3]} == {ODD, ODD + ".sha1"}


async def test_same_target_twice_in_a_group(paths):
    items = [*paths, (paths[20], "021.bin")]
    async with raw_server(accepted) as server, session_of(server.url) as session:
        report = await aioartifact.deploy_many(
            items, f"{server.url}/r/", max_concurrency=1, on_error="collect", session=session
        )
    assert len(report.deployed) == FILES
    (failed,) = report.failed
    assert isinstance(failed.error, aioartifact.InvalidArgumentError)


async def test_unusual_answers_over_one_connection(paths):
    """What goes the usual way finds the only connection free."""

    def handler(request):
        number = int(name_of(request)[:3] or 0) if request.method == "PUT" else 0
        return list(ODD_ANSWERS.values())[number % 4](request) if number % 3 == 1 else accepted(request)

    limits = Limits(max_connections=1, max_concurrency=8)
    async with raw_server(handler) as server, session_of(server.url, limits=limits) as session:
        with anyio.fail_after(60):
            report = await aioartifact.deploy_many(paths, f"{server.url}/r/", on_error="collect", session=session)
    assert len(report) == FILES


@pytest.mark.parametrize(
    "options",
    [
        {"trace_configs": [aiohttp.TraceConfig()]},
        {"proxy": "http://proxy.example.com:3128"},
        {"limits": Limits(max_bytes_per_second=1e6)},
    ],
    ids=["trace", "proxy", "rate"],
)
async def test_usual_way_for_what_the_user_adds(options):
    server = parse_item_url("http://localhost:1/artifactory/r/a").server
    async with aioartifact.session(str(server), auth=("u", "p"), **options) as session:
        assert await prepare_small_uploads(session, server) is None


async def test_session_of_the_user(paths):
    """Each file is sent by itself."""
    async with raw_server(accepted) as server, aiohttp.ClientSession() as session:
        report = await aioartifact.deploy_many(paths, f"{server.url}/r/", session=session)
    assert len(report.deployed) == FILES
