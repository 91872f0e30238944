"""copy(), move(), delete() and mkdir(): predictable targets, guards, and no guess after a lost answer."""

import pytest

import aioartifact
from aioartifact.testing import ArtifactoryServer, Fault


@pytest.fixture
def base(server):
    server.put("generic-local/a/one", b"1", properties={"k": "v"})
    server.put("generic-local/a/deep/two", b"2")
    server.create_repository("other")
    return server.url


def both(test):
    return pytest.mark.parametrize("relocate", [aioartifact.copy, aioartifact.move], ids=["copy", "move"])(test)


@both
async def test_relocation_of_a_file(server, session, base, relocate):
    """Two requests, no bytes; properties go along, folders on the way are made."""
    done = await relocate(f"{base}/generic-local/a/one", f"{base}/other/new/name", session=session)
    assert (done.url, done.dry_run) == (f"{base}/other/new/name", False)
    assert "completed successfully" in done.messages[0]
    assert server.read("other/new/name") == b"1"
    assert server.properties("other/new/name") == {"k": ["v"]}
    assert server.exists("generic-local/a/one") == (relocate is aioartifact.copy)
    verb = relocate.__name__
    server.assert_requests(["GET api/storage/other/new/name", f"POST api/{verb}/generic-local/a/one"])


@both
@pytest.mark.parametrize("name", ["a b", "c++", "c#", "100%", "x;y", "ü", "a&b=c", "[x]", "%41"])
async def test_relocation_of_every_name(server, session, base, relocate, name):
    """A name survives in the path of the source and in the query for the target."""
    server.put(f"generic-local/from/{name}", name.encode())
    source = aioartifact.url(base, repository="generic-local", group_id="from", name=name)
    target = aioartifact.url(base, repository="other", group_id="to", name=name)
    assert (await relocate(source, target, session=session)).url == target
    assert server.read(f"other/to/{name}") == name.encode()


@pytest.mark.parametrize(
    ("source", "target", "url", "file"),
    [
        pytest.param("generic-local/a", "other/b", "other/b", "other/b/one", id="folder-to-new-name"),
        pytest.param("generic-local/a", "other/there/", "other/there/a", "other/there/a/one", id="folder-into"),
        pytest.param("generic-local/a", "other/", "other/a", "other/a/one", id="folder-into-repository"),
        pytest.param("generic-local/a", "other/none/", "other/none/a", "other/none/a/one", id="into-new-folder"),
        pytest.param("generic-local/a/one", "other/there/", "other/there/one", "other/there/one", id="file-into"),
        pytest.param("generic-local/a", "other/same/a", "other/same/a", "other/same/a/one", id="merge"),
        pytest.param("generic-local/a", "other/a", "other/a", "other/a/one", id="merge-below-the-root"),
        pytest.param("generic-local", "other/all", "other/all", "other/all/a/one", id="repository"),
        pytest.param(
            "generic-local", "other/", "other/generic-local", "other/generic-local/a/one", id="repository-into"
        ),
    ],
)
async def test_copy_goes_where_it_is_said(server, session, base, source, target, url, file):
    """The target is the URL of the copy, whatever is there; a slash at its end means into."""
    server.put("other/there/x", b"")
    server.put("other/same/a/x", b"kept")
    server.put("other/a/x", b"kept")
    done = await aioartifact.copy(f"{base}/{source}", f"{base}/{target}", session=session)
    assert done.url == f"{base}/{url}"
    assert server.read(file) == b"1"
    assert server.read("other/same/a/x") == b"kept"
    assert len(server.requests) == 2


@both
async def test_relocation_replaces_a_file(server, session, base, relocate):
    """As every copy does, unless it is disabled."""
    server.put("other/one", b"old")
    source, target = f"{base}/generic-local/a/one", f"{base}/other/one"
    with pytest.raises(aioartifact.AlreadyExistsError, match="overwrite=True"):
        await relocate(source, target, overwrite=False, session=session)
    assert server.read("other/one") == b"old"
    await relocate(source, target, session=session)
    assert server.read("other/one") == b"1"


@both
async def test_relocation_onto_another_folder(server, session, base, relocate):
    """The server would store it below; the library raises instead."""
    server.put("other/there/x", b"")
    with pytest.raises(FileExistsError, match="slash"):
        await relocate(f"{base}/generic-local/a", f"{base}/other/there", session=session)
    with pytest.raises(FileExistsError, match="slash"):
        await relocate(f"{base}/generic-local/a", f"{base}/other", session=session)
    assert not server.exists("other/there/a")
    assert {request.method for request in server.requests} == {"GET"}


@both
async def test_dry_run_changes_nothing(server, session, base, relocate):
    """The server states what it would do, or why it could not."""
    planned = await relocate(f"{base}/generic-local/a", f"{base}/other/b", dry_run=True, session=session)
    assert planned.dry_run
    assert "2 artifacts" in planned.messages[0]
    assert not server.exists("other/b")
    assert server.exists("generic-local/a/one")
    with pytest.raises(aioartifact.NotFoundError):
        await relocate(f"{base}/generic-local/x", f"{base}/other/b", dry_run=True, session=session)


@both
@pytest.mark.parametrize(
    ("source", "target", "complaint"),
    [
        pytest.param("generic-local/a", "generic-local/a", "same place", id="itself"),
        pytest.param("generic-local/a", "generic-local/a/b", "below it", id="below-itself"),
        pytest.param("generic-local/a/one", "generic-local/a/", "same place", id="into-its-folder"),
        pytest.param("generic-local/a", "https://elsewhere.invalid/artifactory/r/a", "another server", id="server"),
    ],
)
async def test_senseless_relocations(server, session, base, relocate, source, target, complaint):
    """What cannot mean anything is refused before any request."""
    target = target if target.startswith("https:") else f"{base}/{target}"
    with pytest.raises(aioartifact.InvalidArgumentError, match=complaint):
        await relocate(f"{base}/{source}", target, session=session)
    server.assert_requests([])


async def test_whole_repository_only_on_purpose(server, session, base):
    """A repository is not moved or deleted by a variable that happens to be empty."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="whole_repository=True"):
        await aioartifact.move(f"{base}/generic-local", f"{base}/other/all", session=session)
    with pytest.raises(aioartifact.InvalidArgumentError, match="whole_repository=True"):
        await aioartifact.delete(f"{base}/generic-local/", session=session)
    server.assert_requests([])
    await aioartifact.move(f"{base}/generic-local", f"{base}/other/all", whole_repository=True, session=session)
    assert server.read("other/all/a/one") == b"1"
    await aioartifact.delete(f"{base}/other", whole_repository=True, session=session)
    assert not server.exists("other/all")


@both
async def test_relocation_that_is_refused(server, base, relocate):
    """Each refusal is the error of its status, with the server's words."""
    server.add_user("reader", password="secret")
    server.grant("reader", "generic-local", "r")
    async with aioartifact.session(server.url, auth=("reader", "secret")) as session:
        with pytest.raises(aioartifact.ForbiddenError, match="permissions"):
            await relocate(f"{base}/generic-local/a", f"{base}/generic-local/b", session=session)


@both
async def test_relocation_without_a_licence(relocate):
    """The open source edition says what it lacks."""
    async with ArtifactoryServer(edition="oss") as server:
        server.put("generic-local/a", b"")
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            with pytest.raises(aioartifact.BadRequestError, match="Artifactory Pro"):
                await relocate(f"{server.url}/generic-local/a", f"{server.url}/generic-local/b", session=session)


@both
@pytest.mark.parametrize("source", ["generic-local/a/one", "generic-local/a"])
async def test_lost_answer_of_work_that_was_done(server, session, base, relocate, source):
    """The outcome is looked up; the request is not sent again, which would put a second copy below the first."""
    lost = server.fail("POST", "api/**", times=None, fault=Fault.lose())
    done = await relocate(f"{base}/{source}", f"{base}/other/b", session=session)
    assert (done.messages, lost.hits) == ((), 1)
    assert server.exists("other/b")


@both
async def test_lost_request(server, session, base, relocate):
    """If nothing was done, the failure is raised, with what to check; the request is not sent again."""
    broken = server.fail("POST", "api/**", times=None, fault=Fault.reset())
    server.fail("GET", "api/storage/other/b", times=None, fault=Fault.status(404))
    with pytest.raises(aioartifact.ConnectionLostError, match="before you retry"):
        await relocate(f"{base}/generic-local/a", f"{base}/other/b", session=session)
    assert broken.hits == 1


async def test_lost_answer_of_a_move_over_something(server, session, base):
    """The target existed before, so it proves nothing: the failure is raised."""
    server.put("other/one", b"old")
    server.fail("POST", "api/**", fault=Fault.lose())
    with pytest.raises(aioartifact.ConnectionLostError, match="before you retry"):
        await aioartifact.move(f"{base}/generic-local/a/one", f"{base}/other/one", session=session)


async def test_lost_answer_of_a_copy_in_part(server, base):
    """Files that are missing at the target are noticed."""
    server.add_user("ci", password="secret")
    server.grant("ci", "generic-local", "r")
    server.grant("ci", "other", "rw", "b/one")
    server.grant("ci", "other", "r")
    server.fail("POST", "api/**", fault=Fault.lose())
    async with aioartifact.session(server.url, auth=("ci", "secret")) as session:
        with pytest.raises(aioartifact.ConnectionLostError, match="before you retry"):
            await aioartifact.copy(f"{base}/generic-local/a", f"{base}/other/b", session=session)
    assert server.exists("other/b/one")
    assert not server.exists("other/b/deep/two")


async def test_delete_costs_one_request(server, session, base):
    """A file, and a folder with all below it."""
    gone = await aioartifact.delete(f"{base}/generic-local/a/one", session=session)
    assert gone == aioartifact.Deletion(f"{base}/generic-local/a/one", dry_run=False)
    assert gone.size is None
    await aioartifact.delete(f"{base}/generic-local/a/", session=session)
    assert not server.exists("generic-local/a")
    server.assert_requests(["DELETE generic-local/a/one", "DELETE generic-local/a"])


async def test_delete_dry_run_lists(server, session, base):
    """What would go, with its size; one request for a file, and those of a listing for a folder."""
    planned = await aioartifact.delete(f"{base}/generic-local/a", dry_run=True, session=session)
    assert {file.path for file in planned.files} == {"a/deep/two", "a/one"}
    assert (planned.size, planned.dry_run) == (2, True)
    server.assert_requests(["GET api/storage/generic-local/a"] * 2)
    one = await aioartifact.delete(f"{base}/generic-local/a/one", dry_run=True, session=session)
    assert [file.name for file in one.files] == ["one"]
    none = await aioartifact.delete(f"{base}/generic-local/x", dry_run=True, missing_ok=True, session=session)
    assert none.files == ()
    with pytest.raises(aioartifact.NotFoundError):
        await aioartifact.delete(f"{base}/generic-local/x", dry_run=True, session=session)
    assert server.exists("generic-local/a/one")


async def test_delete_of_a_missing_item(server, session, base):
    """An error, unless missing items are accepted."""
    with pytest.raises(aioartifact.NotFoundError, match="Could not locate"):
        await aioartifact.delete(f"{base}/generic-local/x", session=session)
    await aioartifact.delete(f"{base}/generic-local/x", missing_ok=True, session=session)


async def test_delete_from_a_virtual_repository(server, session, base):
    """The server's bare 404 must not pass for "there is none": the item is there, and stays."""
    server.create_repository("all", kind="virtual", members=("generic-local",))
    for missing_ok in (False, True):
        with pytest.raises(aioartifact.NotFoundError, match="not in a virtual one"):
            await aioartifact.delete(f"{base}/all/a/one", missing_ok=missing_ok, session=session)
    assert server.exists("generic-local/a/one")


async def test_delete_whose_answer_is_lost(server, session, base):
    """The second attempt finds nothing, since the first did it."""
    lost = server.fail("DELETE", fault=Fault.lose())
    await aioartifact.delete(f"{base}/generic-local/a/one", session=session)
    assert lost.hits == 1
    assert [request.method for request in server.requests] == ["DELETE", "DELETE", "GET"]
    assert not server.exists("generic-local/a/one")


@pytest.mark.parametrize("context_path", ["/art", "/deep/er"])
@pytest.mark.parametrize("options", [{}, {"missing_ok": True}, {"dry_run": True}], ids=str)
async def test_delete_of_a_repository_behind_an_unknown_context_path(context_path, options):
    """A URL with an unknown context path must not turn a whole repository into a folder of another one."""
    async with ArtifactoryServer(context_path=context_path) as server:
        server.put("generic-local/a", b"1")
        async with aioartifact.session(server.origin, auth=(server.username, server.password)) as session:
            with pytest.raises(aioartifact.ResponseError, match="the base URL"):
                await aioartifact.delete(f"{server.url}/generic-local", session=session, **options)
        assert server.exists("generic-local/a")
        assert "DELETE" not in {request.method for request in server.requests}


async def test_delete_from_a_server_without_a_context_path():
    """The item is checked first; a missing one is reported as elsewhere."""
    async with ArtifactoryServer(context_path="") as server:
        server.put("generic-local/a", b"1")
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            await aioartifact.delete(f"{server.url}/generic-local/a", session=session)
            server.assert_requests(["GET api/storage/generic-local/a", "DELETE generic-local/a"])
            with pytest.raises(aioartifact.NotFoundError):
                await aioartifact.delete(f"{server.url}/generic-local/a", session=session)
            await aioartifact.delete(f"{server.url}/generic-local/a", missing_ok=True, session=session)
        assert not server.exists("generic-local/a")


async def test_delete_that_is_forbidden(server, base):
    """What a user may not delete stays."""
    server.add_user("reader", password="secret")
    server.grant("reader", "generic-local", "r")
    async with aioartifact.session(server.url, auth=("reader", "secret")) as session:
        with pytest.raises(PermissionError):
            await aioartifact.delete(f"{base}/generic-local/a", session=session)
    assert server.exists("generic-local/a/one")


async def test_mkdir_costs_one_request(server, session, base):
    """Folders above are made; a folder that is there is fine."""
    await aioartifact.mkdir(f"{base}/generic-local/x/y z", session=session)
    await aioartifact.mkdir(f"{base}/generic-local/x/y z", session=session)
    assert (await aioartifact.info(f"{base}/generic-local/x/y%20z", session=session)).children == ()
    assert [request.method for request in server.requests] == ["PUT", "PUT", "GET"]


async def test_mkdir_on_conditions(server, session, base):
    """Each condition costs one look."""
    with pytest.raises(aioartifact.AlreadyExistsError):
        await aioartifact.mkdir(f"{base}/generic-local/a", exist_ok=False, session=session)
    with pytest.raises(aioartifact.NotFoundError):
        await aioartifact.mkdir(f"{base}/generic-local/x/y", parents=False, session=session)
    with pytest.raises(aioartifact.NotAFolderError):
        await aioartifact.mkdir(f"{base}/generic-local/a/one/y", parents=False, session=session)
    assert server.count("PUT") == 0
    await aioartifact.mkdir(f"{base}/generic-local/x", parents=False, exist_ok=False, session=session)
    assert server.exists("generic-local/x")


async def test_mkdir_where_a_file_is(session, base):
    """The file stays, and the error says what is there."""
    with pytest.raises(NotADirectoryError, match="is a file"):
        await aioartifact.mkdir(f"{base}/generic-local/a/one", session=session)


async def test_mkdir_of_a_repository(server, session, base):
    """Only administrators make those, and not by a path."""
    with pytest.raises(aioartifact.InvalidArgumentError, match="administrators"):
        await aioartifact.mkdir(f"{base}/new", session=session)
    server.assert_requests([])


async def test_mkdir_in_a_virtual_repository(server, session, base):
    """The server's refusal comes through."""
    server.create_repository("all", kind="virtual", members=("generic-local",))
    with pytest.raises(aioartifact.ServerError, match="not a local repository"):
        await aioartifact.mkdir(f"{base}/all/x", session=session)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda url: aioartifact.copy(url, "https://host/artifactory/r/a"), id="copy-source"),
        pytest.param(lambda url: aioartifact.copy("https://host/artifactory/r/a", url), id="copy-target"),
        pytest.param(lambda url: aioartifact.move(url, "https://host/artifactory/r/a"), id="move"),
        pytest.param(lambda url: aioartifact.delete(url), id="delete"),
        pytest.param(lambda url: aioartifact.mkdir(url), id="mkdir"),
        pytest.param(lambda url: aioartifact.properties(url), id="properties"),
    ],
)
@pytest.mark.parametrize("url", ["generic-local/a", "", "https://host/artifactory/", "https://host/artifactory/r/../a"])
async def test_urls_of_nothing(call, url):
    """What is no item's URL is refused at the call."""
    with pytest.raises(aioartifact.InvalidURLError):
        await call(url)
