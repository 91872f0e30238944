"""copy_many(), move_many() and delete_many(): an outcome for each item, and no failure hides another."""

import asyncio
import itertools

import pytest
import yarl

import aioartifact
from aioartifact.testing import Fault

COUNT = 20
RELOCATIONS = {"copy": (aioartifact.copy_many, "copied"), "move": (aioartifact.move_many, "moved")}
REQUESTS = {"copy": ("POST", "api/copy/**"), "move": ("POST", "api/move/**"), "delete": ("DELETE", "**")}


@pytest.fixture
def urls(server):
    """URLs of twenty files."""
    server.create_repository("other")
    for number in range(COUNT):
        server.put(f"generic-local/d/{number}.bin", b"x" * number)
    server.clear_log()
    return [f"{server.url}/generic-local/d/{number}.bin" for number in range(COUNT)]


@pytest.fixture(params=RELOCATIONS)
def verb(request):
    return request.param


@pytest.fixture
def relocate_many(verb):
    return RELOCATIONS[verb][0]


@pytest.fixture(params=REQUESTS)
def change_name(request):
    return request.param


@pytest.fixture
def change(server, change_name):
    """Any of the three, with URLs as items."""
    if change_name == "delete":
        return aioartifact.delete_many
    function, _ = RELOCATIONS[change_name]
    return lambda items, **options: function(((item, f"{server.url}/other/") for item in items), **options)


def urls_of(outcomes):
    return sorted(outcome.url for outcome in outcomes)


def paths(server):
    return [path for path in map(str, range(COUNT)) if server.exists(f"generic-local/d/{path}.bin")]


async def test_relocations(server, session, urls, verb, relocate_many):
    """Each pair gets its target, for two requests each; a slash at the end means into."""
    other = f"{server.url}/other"
    pairs = [(url, f"{other}/into/") for url in urls[1:]] + [(urls[0], f"{other}/new/name.bin")]
    report = await relocate_many(pairs, session=session)
    expected = [f"{other}/into/{number}.bin" for number in range(1, COUNT)] + [f"{other}/new/name.bin"]
    assert urls_of(getattr(report, RELOCATIONS[verb][1])) == sorted(expected)
    assert {outcome.url: outcome.source for outcome in report} == dict(zip(expected, urls[1:] + urls[:1], strict=True))
    assert (len(report), len(server.requests)) == (COUNT, 2 * COUNT)
    assert all((outcome.path, outcome.error) == (None, None) and outcome.seconds > 0 for outcome in report)
    assert server.read("other/into/7.bin") == b"x" * 7
    assert len(paths(server)) == (COUNT if verb == "copy" else 0)


async def test_deletions(server, session, urls):
    """One request each; folders go with all below them."""
    server.put("generic-local/folder/deep/file", b"1")
    report = await aioartifact.delete_many([*urls, f"{server.url}/generic-local/folder/"], session=session)
    assert len(report.deleted) == len(report) == len(server.requests) == COUNT + 1
    assert paths(server) == []
    assert not server.exists("generic-local/folder")


async def test_items_of_every_kind(server, session, urls):
    """Any iterable, any kind of URL."""

    async def stream():
        yield urls[0]
        yield yarl.URL(urls[1])
        yield aioartifact.path(urls[2])

    other = f"{server.url}/other"
    assert urls_of(await aioartifact.delete_many(stream(), session=session)) == sorted(urls[:3])
    assert (
        len(await aioartifact.move_many({urls[3]: f"{other}/a", urls[4]: f"{other}/b"}.items(), session=session)) == 2
    )
    pairs = ([yarl.URL(url), aioartifact.path(f"{other}/c/") / str(number)] for number, url in enumerate(urls[5:7]))
    assert len((await aioartifact.copy_many(map(tuple, pairs), session=session)).copied) == 2
    assert len(await aioartifact.delete_many([], session=session)) == 0


async def test_missing_items_do_not_stop_the_others(server, session, urls, change):
    """All failures are raised together at the end, and the rest is done."""
    missing = f"{server.url}/generic-local/d/missing"
    with pytest.raises(aioartifact.BatchError, match="1 file failed") as caught:
        await change([*urls[:5], missing, *urls[5:]], session=session)
    [failure] = caught.value.report.failed
    assert isinstance(failure.error, aioartifact.NotFoundError)
    assert missing in (failure.url, failure.source)
    assert len(caught.value.report) == COUNT + 1


async def test_missing_ok(server, session, urls):
    """A missing item is unchanged; one that is deleted by the first of two attempts is deleted."""
    missing = f"{server.url}/generic-local/d/missing"
    server.fail("DELETE", "generic-local/d/3.bin", fault=Fault.lose(), times=1)
    report = await aioartifact.delete_many([missing, *urls], missing_ok=True, session=session)
    assert [outcome.url for outcome in report.unchanged] == [missing]
    assert urls_of(report.deleted) == sorted(urls)


async def test_collect_raises_nothing(server, session, urls, change):
    """Failures are in the report only."""
    report = await change([f"{server.url}/generic-local/none", urls[0]], on_error="collect", session=session)
    assert [type(outcome.error) for outcome in report.failed] == [aioartifact.NotFoundError]
    assert len(report) == 2


async def test_stop_cancels_the_rest(server, session, urls, change):
    """The first failure ends the call; items after it are not requested."""
    items = [urls[0], f"{server.url}/generic-local/d/missing", *urls[1:]]
    with pytest.raises(aioartifact.BatchError) as caught:
        await change(items, on_error="stop", max_concurrency=1, session=session)
    assert len(caught.value.report) == 2
    assert not [request for request in server.requests if f"/{COUNT - 1}.bin" in request.path]


async def test_refused_credentials_end_the_remaining_work(server, urls, change):
    """One failing login for all; further ones may lock the account."""
    async with aioartifact.session(server.url, auth=(server.username, "wrong")) as wrong:
        report = await change(urls, on_error="collect", session=wrong)
    assert {type(outcome.error) for outcome in report.failed} == {aioartifact.AuthenticationError}
    assert (len(report.failed), len(server.requests)) == (COUNT, 1)
    unsent = [outcome for outcome in report if "not requested: the credentials were refused" in str(outcome.error)]
    assert len(unsent) == COUNT - 1
    assert len(paths(server)) == COUNT


async def test_cancellation(server, session, urls, change_name, change):
    """A cancelled call ends at once, and sends nothing more."""
    held = server.fail(*REQUESTS[change_name], fault=Fault.hold(), times=None)
    call = asyncio.create_task(change(urls, max_concurrency=4, session=session))
    await held.reached()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    sent = len(server.requests)
    held.release()
    assert sent < 2 * COUNT
    assert len(server.requests) == sent


async def test_endless_items_are_pulled_as_needed(server, session, urls, change):
    """An endless iterator is read only as far as there is work; leaving the block cancels what is in flight."""
    pulled = []

    def endless():
        for number in itertools.count():
            pulled.append(number)
            yield urls[number] if number < COUNT else f"{server.url}/generic-local/d/{number}.bin"

    async with change(endless(), max_concurrency=2, on_error="collect", session=session) as outcomes:
        first = [await anext(outcomes) for _ in range(3)]
    assert [outcome.error for outcome in first] == [None] * 3
    assert len(pulled) <= 64


@pytest.mark.parametrize("items", ["https://host/a/b", yarl.URL("https://host/a/b"), 7, None], ids=repr)
@pytest.mark.parametrize("call", [aioartifact.copy_many, aioartifact.move_many, aioartifact.delete_many])
def test_one_text_is_not_several_items(call, items):
    """A single URL would be read as a URL for each of its letters."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="items is"):
        call(items)


BAD_ITEMS = [
    pytest.param(7, "InvalidURLError", id="number"),
    pytest.param("relative/path", "InvalidURLError", id="relative"),
    pytest.param("{server}/generic-local", "InvalidArgumentError", id="repository"),
    pytest.param(("{server}/generic-local/d/1.bin", "{server}/other/"), "InvalidURLError", id="pair"),
]


@pytest.mark.parametrize(("item", "error"), BAD_ITEMS)
async def test_bad_item_of_delete_many(server, session, urls, item, error):
    """A bad item is a failure among the others; nothing is requested for it."""
    wrong = item.replace("{server}", server.url) if isinstance(item, str) else item
    report = await aioartifact.delete_many([wrong, *urls], on_error="collect", session=session)
    assert [type(outcome.error).__name__ for outcome in report.failed] == [error]
    assert (len(report.deleted), len(server.requests)) == (COUNT, COUNT)


BAD_PAIRS = [
    pytest.param("{server}/generic-local/d/0.bin", id="one-url"),
    pytest.param("ab", id="two-letters"),
    pytest.param(7, id="number"),
    pytest.param(("{server}/generic-local/d/0.bin",), id="one"),
    pytest.param(("{server}/generic-local/d/0.bin", "{server}/other/a", "{server}/other/b"), id="three"),
    pytest.param(("{server}/generic-local/d/0.bin", 7), id="number-as-target"),
    pytest.param(("{server}/generic-local/d/0.bin", "a/b"), id="relative-target"),
    pytest.param(("{server}/generic-local/d", "{server}/generic-local/d/new"), id="into-itself"),
    pytest.param(("{server}/generic-local/d/0.bin", "https://host/artifactory/r/x"), id="other-server"),
]


@pytest.mark.parametrize("wrong", BAD_PAIRS)
async def test_bad_item_of_relocations(server, session, urls, relocate_many, wrong):
    """Likewise; what is not a pair says what was expected."""

    def filled(value):
        if isinstance(value, tuple):
            return tuple(map(filled, value))
        return value.replace("{server}", server.url) if isinstance(value, str) else value

    pairs = [(url, f"{server.url}/other/") for url in urls]
    report = await relocate_many([filled(wrong), *pairs], on_error="collect", session=session)
    [failure] = report.failed
    assert isinstance(failure.error, aioartifact.InvalidArgumentError | aioartifact.InvalidURLError)
    assert len(server.requests) == 2 * COUNT
    assert len(report) == COUNT + 1


async def test_move_of_a_repository_needs_consent(server, session, urls):
    """As with the single call."""
    pair = (f"{server.url}/generic-local", f"{server.url}/other/all")
    report = await aioartifact.move_many([pair], on_error="collect", session=session)
    assert "whole repository" in str(report.failed[0].error)
    assert server.requests == []
    await aioartifact.move_many([pair], whole_repository=True, session=session)
    assert server.exists("other/all/d/1.bin")


async def test_two_items_with_one_target(server, session, urls, change):
    """The second fails: which of the two came last would depend on chance."""
    with pytest.raises(aioartifact.BatchError, match="another item of this call") as caught:
        await change([urls[1], urls[1]], session=session)
    [failure] = caught.value.report.failed
    assert isinstance(failure.error, aioartifact.InvalidArgumentError)
    assert failure.source in (None, urls[1])
    assert len(caught.value.report) == 2


async def test_dry_run_changes_nothing(server, session, urls, change_name, change):
    """Each item is planned; a deletion knows how many bytes would go."""
    report = await change(urls, dry_run=True, session=session)
    assert len(report.planned) == len(report) == COUNT
    assert len(paths(server)) == COUNT
    assert not server.exists("other/1.bin")
    assert sum(outcome.size for outcome in report) == (sum(range(COUNT)) if change_name == "delete" else 0)


async def test_dry_run_of_a_deletion_lists_folders(server, session, urls):
    """The size is that of all files below; a missing item fails unless it may be missing."""
    items = [f"{server.url}/generic-local/d", f"{server.url}/generic-local/none"]
    report = await aioartifact.delete_many(items, dry_run=True, on_error="collect", session=session)
    assert [outcome.size for outcome in report.planned] == [sum(range(COUNT))]
    assert [type(outcome.error) for outcome in report.failed] == [aioartifact.NotFoundError]
    report = await aioartifact.delete_many(items, dry_run=True, missing_ok=True, session=session)
    assert len(report.planned) == 2


async def test_nothing_is_replaced_without_overwrite(server, session, urls, relocate_many):
    """An existing target is the failure of its item alone."""
    server.put("other/1.bin", b"old")
    pairs = [(url, f"{server.url}/other/") for url in urls]
    report = await relocate_many(pairs, overwrite=False, on_error="collect", session=session)
    [failure] = report.failed
    assert isinstance(failure.error, aioartifact.AlreadyExistsError)
    assert (failure.url, failure.source) == (f"{server.url}/other/1.bin", urls[1])
    assert server.read("other/1.bin") == b"old"
    assert len(report) == COUNT


async def test_progress_counts_items(server, session, urls, change):
    """Done, skipped and failed items add up, and none stays in flight."""
    events = []
    progress = aioartifact.Progress(events.append)
    items = [*urls, f"{server.url}/generic-local/none", "bad"]
    await change(items, on_error="collect", progress=progress, session=session)
    now = progress.snapshot()
    assert (now.files_total, now.files_done, now.files_failed, now.active) == (COUNT + 2, COUNT, 2, ())
    assert {event.kind for event in events} >= {"planned", "started", "failed"}


async def test_bounded_concurrency(server, session, urls, change):
    """No more items are in flight than asked for."""
    active = []
    progress = aioartifact.Progress(lambda _: active.append(len(progress.snapshot().active)))
    await change(urls, max_concurrency=3, progress=progress, session=session)
    assert max(active) == 3


async def test_without_a_session(server, urls, monkeypatch):
    """A session is opened for the call."""
    monkeypatch.setenv("ARTIFACTORY_USERNAME", server.username)
    monkeypatch.setenv("ARTIFACTORY_API_KEY", server.password)
    assert len((await aioartifact.delete_many(urls)).deleted) == COUNT
