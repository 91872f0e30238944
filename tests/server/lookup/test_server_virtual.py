"""Virtual repositories: their members as one tree."""

import pytest

from aioartifact.testing import ArtifactoryServer

FILE = "/v/org/a.txt"
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture
async def server():
    """A virtual repository of two local ones, one of which deploys go to."""
    async with ArtifactoryServer(anonymous=True) as server:
        for key in ("first", "second"):
            server.create_repository(key)
        server.create_repository("v", kind="virtual", members=("first", "second"), deploy_to="second")
        server.create_repository("closed", kind="virtual", members=("first",))
        server.add_user("ann", password="pw")
        server.put("first/org/a.txt", b"from the first")
        server.put("second/org/a.txt", b"from the second")
        server.put("second/org/deep/b.txt", b"b", properties={"os": "linux"})
        server.make_folder("first/org/empty")
        yield server


@pytest.fixture
def ann(basic):
    return basic("ann", "pw")


async def test_first_member_wins(server, ask):
    """Of several members that have a file the first serves it; one that others lack comes from wherever it is."""
    assert (await ask(server, "GET", FILE)).body == b"from the first"
    assert (await ask(server, "GET", "/v/org/deep/b.txt")).body == b"b"
    server.create_repository("v", kind="virtual", members=("second", "first"))
    assert (await ask(server, "GET", FILE)).body == b"from the second"


async def test_checksum_of_a_member(server, ask):
    """Checksum siblings are there where the file is."""
    answer = await ask(server, "GET", FILE + ".sha1")
    assert answer.body.decode() == server.checksums("first/org/a.txt")["sha1"]


async def test_nowhere(server, ask):
    """A file that no member has is missing, in the words of the virtual repository."""
    answer = await ask(server, "GET", "/v/org/missing")
    assert (answer.status, answer.message) == (404, "Could not find resource")


async def test_file_info(server, ask):
    """The info is that of the first member's file, under the virtual key."""
    info = (await ask(server, "GET", f"/api/storage{FILE}")).json()
    assert (info["repo"], info["size"]) == ("v", str(len(b"from the first")))
    assert info["downloadUri"] == f"{server.url}{FILE}"
    assert info["uri"] == f"{server.url}/api/storage{FILE}"
    assert "remoteUrl" not in info


async def test_folder_info_is_a_union(server, ask):
    """A folder shows the children of every member's, each name once."""
    info = (await ask(server, "GET", "/api/storage/v/org")).json()
    assert (info["repo"], info["path"]) == ("v", "/org")
    assert info["children"] == [
        {"uri": "/deep", "folder": True},
        {"uri": "/empty", "folder": True},
        {"uri": "/a.txt", "folder": False},
    ]
    root = (await ask(server, "GET", "/api/storage/v")).json()
    assert (root["path"], root["children"]) == ("/", [{"uri": "/org", "folder": True}])


async def test_missing_info(server, ask):
    """The text for missing items is another one than elsewhere."""
    answer = await ask(server, "GET", "/api/storage/v/missing")
    assert (answer.status, answer.message) == (404, "Not Found")
    assert (await ask(server, "GET", "/api/storage/v/missing?stats")).message == "Unable to find item path"


async def test_statistics(server, ask):
    """Downloads through the virtual repository count for the member's file."""
    await ask(server, "GET", FILE)
    stats = (await ask(server, "GET", f"/api/storage{FILE}?stats")).json()
    assert (stats["uri"], stats["downloadCount"]) == (f"{server.url}{FILE}", 1)
    assert (await ask(server, "GET", "/api/storage/first/org/a.txt?stats")).json()["downloadCount"] == 1


async def test_file_list_is_a_union(server, ask):
    """The deep list walks all members in the order of the paths, a path of several members once."""
    listed = (await ask(server, "GET", "/api/storage/v?list&deep=1&listFolders=1&includeRootPath=1")).json()
    assert listed["uri"] == f"{server.url}/api/storage/v"
    assert [(each["uri"], each["size"]) for each in listed["files"]] == [
        ("/", -1),
        ("/org", -1),
        ("/org/a.txt", 14),
        ("/org/deep", -1),
        ("/org/empty", -1),
        ("/org/deep/b.txt", 1),
    ]
    assert (await ask(server, "GET", "/api/storage/v/missing?list")).message == "Unable to find item"


async def test_properties_are_those_of_a_member_that_has_some(server, ask):
    """The first member with the item and with properties answers."""
    server.put("second/org/a.txt", b"x", properties={"k": "second"})
    answer = await ask(server, "GET", f"/api/storage{FILE}?properties")
    assert answer.json() == {"properties": {"k": ["second"]}, "uri": f"{server.url}/api/storage{FILE}"}
    server.put("first/org/a.txt", b"x", properties={"k": "first"})
    assert (await ask(server, "GET", f"/api/storage{FILE}?properties")).json()["properties"] == {"k": ["first"]}
    xml = await ask(server, "GET", f"/api/storage{FILE}?propertiesXml")
    assert b"<k>first</k>" in xml.body
    assert (await ask(server, "GET", "/api/storage/v/gone?properties")).message == "No properties could be found."


async def test_html_index_is_a_union(server, ask):
    """Folders redirect to their index, which has the virtual name and everybody's children."""
    assert (await ask(server, "GET", "/v/org")).headers["location"] == f"{server.url}/v/org/"
    assert (await ask(server, "GET", "/v")).headers["location"] == f"{server.url}/v/"
    page = (await ask(server, "GET", "/v/org/")).body.decode()
    assert "<title>Index of v/org</title>" in page
    assert [name in page for name in ('href="deep/"', 'href="empty/"', 'href="a.txt"')] == [True] * 3
    assert (await ask(server, "GET", "/v/missing/")).status == 404


async def test_matrix_parameters_choose_the_member(server, ask):
    """A member with exactly the properties asked for wins over one that lacks them; a conflict counts as missing."""
    server.put("second/org/a.txt", b"for linux", properties={"os": "linux"})
    assert (await ask(server, "GET", FILE + ";os=linux")).body == b"for linux"
    assert (await ask(server, "GET", FILE + ";os=mac")).body == b"from the first"
    assert (await ask(server, "GET", FILE + ";os+=linux")).body == b"for linux"
    assert (await ask(server, "GET", FILE + ";os+=mac")).message == "Could not find resource"


async def test_deploy_goes_to_the_default_repository(server, ask):
    """The answer to a deploy shows the local repository, not the virtual one."""
    answer = await ask(server, "PUT", "/v/new/c.txt;os=mac", body=b"new")
    assert (answer.status, answer.json()["repo"]) == (201, "second")
    assert answer.headers["location"] == f"{server.url}/second/new/c.txt"
    assert server.read("second/new/c.txt") == b"new"
    assert server.properties("second/new/c.txt") == {"os": ["mac"]}
    sha1 = server.checksums("second/new/c.txt")["sha1"]
    checksum = await ask(server, "PUT", "/v/new/c.txt.sha1", body=sha1.encode())
    assert (checksum.status, checksum.headers["location"]) == (201, f"{server.url}/second/new/c.txt")


async def test_deploy_by_checksum_through_a_virtual_repository(server, ask, admin):
    """Content by reference goes to the default repository, too."""
    headers = admin | {"X-Checksum-Deploy": "true", "X-Checksum-Sha1": server.checksums("first/org/a.txt")["sha1"]}
    answer = await ask(server, "PUT", "/v/copy.txt", headers=headers, body=b"")
    assert (answer.status, answer.json()["repo"]) == (201, "second")


async def test_deploy_without_a_default_repository(server, ask):
    """Deploys that go nowhere are 405, with what is allowed."""
    answer = await ask(server, "PUT", "/closed/a.txt", body=b"x")
    assert (answer.status, answer.headers["allow"]) == (405, "GET")
    assert answer.message == (
        "No local repository was configured as local deployment repository for the (closed) virtual repository."
    )


async def test_folders_cannot_be_made(server, ask):
    """A folder would be made in the virtual repository itself: 500, even where deploys work."""
    answer = await ask(server, "PUT", "/v/new/", body=b"")
    assert (answer.status, answer.message) == (500, "Repository 'v' is not a local repository")


async def test_delete_and_other_methods(server, ask):
    """Nothing is deleted through a virtual repository: 404 without a body; that of POST lists what is allowed."""
    answer = await ask(server, "DELETE", FILE)
    assert (answer.status, answer.body) == (404, b"")
    assert server.exists("first/org/a.txt")
    assert (await ask(server, "POST", FILE, body=b"")).headers["allow"] == "GET"


async def test_unreadable_members_do_not_count(server, ask, ann):
    """Users get the content of members they may read; a refusal is sent only if no other member has the file."""
    server.grant("ann", "second")
    assert (await ask(server, "GET", FILE, headers=ann)).body == b"from the second"
    assert (await ask(server, "GET", f"/api/storage{FILE}", headers=ann)).json()["size"] == "15"
    missing = await ask(server, "GET", "/v/org/missing", headers=ann)
    assert (missing.status, "'first:org/missing' is forbidden" in missing.message) == (403, True)
    listed = (await ask(server, "GET", "/api/storage/v/org", headers=ann)).json()["children"]
    assert [each["uri"] for each in listed] == ["/deep", "/a.txt"]


async def test_nothing_readable(server, ask, ann):
    """Who may read no member is refused downloads, and finds nothing by the storage API."""
    assert (await ask(server, "GET", FILE, headers=ann)).status == 403
    anonymous = await ask(server, "GET", FILE, headers={})
    assert (anonymous.status, "www-authenticate" in anonymous.headers) == (401, True)
    assert (await ask(server, "GET", f"/api/storage{FILE}", headers=ann)).message == "Not Found"
    assert (await ask(server, "GET", "/v/org/", headers=ann)).status == 200


async def test_deploy_permission_is_that_of_the_local_repository(server, ask, ann):
    """To deploy through a virtual repository takes the right for the local one."""
    refused = await ask(server, "PUT", "/v/x", headers=ann, body=b"x")
    assert (refused.status, "into 'second:x'" in refused.message) == (403, True)
    server.grant("ann", "second", "w")
    assert (await ask(server, "PUT", "/v/x", headers=ann, body=b"x")).status == 201


async def test_aql_expands_virtual_repositories(server, ask, admin):
    """A query for a virtual repository finds the items of its members, under their real keys."""
    query = (
        b'items.find({"repo":"v","name":"a.txt"}).include("repo","path","name","virtual_repos").sort({"$asc":["repo"]})'
    )
    answer = await ask(server, "POST", "/api/search/aql", headers=admin | TEXT, body=query)
    assert [(row["repo"], row["virtual_repos"]) for row in answer.json()["results"]] == [
        ("first", ["v", "closed"]),
        ("second", ["v"]),
    ]


async def test_virtual_of_virtual(server, ask):
    """A virtual repository may be a member of another; a circle of them does not matter."""
    server.create_repository("outer", kind="virtual", members=("closed", "v"))
    server.create_repository("closed", kind="virtual", members=("first", "outer"))
    assert (await ask(server, "GET", "/outer/org/deep/b.txt")).body == b"b"
    assert (await ask(server, "GET", "/closed/org/deep/b.txt")).body == b"b"


async def test_settings_of_virtual_and_members(server, ask):
    """Patterns of the virtual repository keep out what members have; a member that is blacked out is as if empty."""
    server.create_repository("v", kind="virtual", members=("first", "second"), excludes="org/deep/**")
    answer = await ask(server, "GET", "/v/org/deep/b.txt")
    assert (answer.status, "include/exclude" in answer.message) == (404, True)
    server.create_repository("first", blacked_out=True)
    assert (await ask(server, "GET", FILE)).body == b"from the second"


async def test_virtual_repositories_hold_nothing(server):
    """What a test puts belongs into a member."""
    with pytest.raises(LookupError, match="'v' is a virtual repository: its members hold the items"):
        server.put("v/a", b"x")


async def test_trace_of_a_virtual_repository(server, ask):
    """The trace lists what is found behind it."""
    trace = (await ask(server, "GET", FILE + "?trace")).body.decode()
    assert "A file of 14 bytes" in trace


async def test_folders_on_the_way_to_what_may_be_read(server, ask, ann):
    """Who may read something deep inside is shown the way to it, and nothing else."""
    server.grant("ann", "second", path="org/deep/**")
    assert (await ask(server, "GET", "/v/org", headers=ann)).status == 302
    page = (await ask(server, "GET", "/v/org/", headers=ann)).body.decode()
    assert ('href="deep/"' in page, "a.txt" in page, "empty" in page) == (True, False, False)
