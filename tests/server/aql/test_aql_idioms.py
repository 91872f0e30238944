"""Queries as real clients send them."""

import pytest

CLI = '"name","repo","path","actual_md5","actual_sha1","sha256","size","type","modified","created","property"'
IDIOMS = [
    pytest.param(
        'items.find({"repo":"libs","path":{"$ne":"."},"$or":[{"$and":[{"path":{"$match":"org/app"},'
        '"name":{"$match":"*.jar"}}]},{"$and":[{"path":{"$match":"org/app/*"},"name":{"$match":"*.jar"}}]}]})'
        f".include({CLI})",
        ["app-1.0.jar", "app-2.0.jar"],
        id="jfrog-cli-search",
    ),
    pytest.param(
        'items.find({"$and":[{"repo":"tools","type":"file"},{"@build.name":"x*"}]})'
        '.include("name","repo","path","created").sort({"$desc":["created"]}).limit(1)',
        ["größe.bin"],
        id="latest-of-a-build",
    ),
    pytest.param(
        'items.find({"type":"any","repo":"libs","path":{"$match":"*"}})',
        [".", "org", "readme.txt", "app", "1.0", "app-1.0.jar", "app-1.0.pom", "app-2.0.jar", "App_100%.jar"],
        id="everything",
    ),
    pytest.param(
        'items.find({"$or":[{"repo":{"$match":"*-local"}},{"name":{"$match":"*.jar"}}]},{"stat.downloads":{"$gt":5}})',
        ["app-1.0.jar"],
        id="two-groups",
    ),
    pytest.param(
        'items.find({"created":{"$last":"3d"},"size":{"$gt":1048}}).offset(1).limit(100)',
        ["App_100%.jar"],
        id="lately-and-big",
    ),
    pytest.param(
        'items.find({"$and":[{"$or":[{"repo":{"$eq":"libs"}}]},{"$or":[{"stat.downloaded":{"$lte":"2024-06-28"}},'
        '{"$and":[{"stat.downloads":{"$eq":null}},{"created":{"$lte":"2023-10-10"}}]}]}]})'
        '.include("*","property","stat")',
        ["readme.txt", "app-1.0.jar"],
        id="artifactory-cleanup",
    ),
    pytest.param(
        'items.find({"repo": "tools", "path": {"$match": "*"}}, {"name": {"$ne": "none"}})'
        '.include("name", "size", "repo", "path").sort({"$asc": ["size"]})',
        ["größe.bin", "a[b]^c.zip"],
        id="dohq",
    ),
    pytest.param(
        'items.find({"repo":"libs","$or":[{"path":"org/app"},{"path":{"$match":"org/app/*"}}]})'
        '.include("repo","path","name")',
        ["app-1.0.jar", "app-1.0.pom", "app-2.0.jar"],
        id="files-below",
    ),
]


@pytest.mark.parametrize(("query", "found"), IDIOMS)
def test_idiom_is_answered(names, query, found):
    """The query is understood and finds exactly these items."""
    answer = names(query)
    assert answer == found if ".sort(" in query else sorted(answer) == sorted(found)


def test_cleanup_idiom_shows_everything_there_is(rows):
    """A star beside other domains shows all fields and both nested arrays."""
    (row,) = rows('items.find({"name":"app-1.0.jar"}).include("*","property","stat")')
    assert list(row) == [
        *("repo", "path", "name", "type", "size", "created", "created_by", "modified", "updated", "depth"),
        *("actual_sha1", "properties", "stats"),
    ]
