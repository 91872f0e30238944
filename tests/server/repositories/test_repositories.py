"""Kinds and settings of repositories, without a server."""

import pytest

from aioartifact.testing.repositories.definitions import (
    Repository,
    configured,
    members_of,
    problem,
    storing,
    with_caches,
)

JAR, SNAPSHOT = "org/app/1.0/app-1.0.jar", "org/app/1.0-SNAPSHOT/app-1.0-SNAPSHOT.jar"
UNREADABLE = "readme.txt"


@pytest.mark.parametrize(
    ("settings", "path", "is_deploy", "expected"),
    [
        pytest.param({}, JAR, False, None, id="everything by default"),
        pytest.param({"blacked_out": True}, JAR, False, 404, id="blacked out"),
        pytest.param({"handle_releases": False}, JAR, False, 409, id="no releases"),
        pytest.param({"handle_releases": False}, SNAPSHOT, False, None, id="snapshots where there are no releases"),
        pytest.param({"handle_snapshots": False}, SNAPSHOT, True, 409, id="no snapshots"),
        pytest.param({"handle_snapshots": False}, f"{SNAPSHOT}.sha1", True, 409, id="no checksums of snapshots"),
        pytest.param({"handle_snapshots": False}, JAR, True, None, id="releases where there are no snapshots"),
        pytest.param({"handle_releases": False}, UNREADABLE, False, None, id="what the layout cannot read"),
        pytest.param({"includes": "com/**"}, JAR, False, 404, id="not included"),
        pytest.param({"includes": "com/**"}, JAR, True, 409, id="not included in deploys"),
        pytest.param({"includes": "com/**, org/**"}, JAR, True, None, id="one of the included"),
        pytest.param({"includes": ""}, JAR, False, None, id="no pattern includes all"),
        pytest.param({"excludes": "**/*.jar"}, JAR, False, 404, id="excluded"),
        pytest.param({"excludes": "**/*.jar"}, f"{JAR}.sha1", False, 404, id="checksum of what is excluded"),
        pytest.param({"excludes": "**/*.war"}, JAR, False, None, id="something else excluded"),
    ],
)
def test_what_settings_keep_out(settings, path, is_deploy, expected):
    """Flags, release handling by layout, and patterns refuse with the status of the real server."""
    repository = Repository("libs", layout="maven-2-default", **settings)
    rejected = repository.rejection(path, is_deploy=is_deploy)
    assert (rejected and rejected[0]) == expected
    assert expected is None or f"'libs:{path}'" in rejected[1]


def test_releases_without_a_known_layout():
    """An unknown layout distinguishes nothing, so nothing is refused."""
    assert Repository("libs", layout="our-own", handle_snapshots=False).rejection(SNAPSHOT) is None


@pytest.mark.parametrize(
    ("options", "layout", "policy"),
    [
        pytest.param({}, "simple-default", "client", id="generic"),
        pytest.param({"package_type": "maven"}, "maven-2-default", "client", id="maven"),
        pytest.param({"package_type": "npm", "layout": "our-own"}, "our-own", "client", id="said otherwise"),
        pytest.param({"kind": "remote", "url": "http://x"}, "simple-default", "generate-if-absent", id="remote"),
        pytest.param({"kind": "remote", "checksum_policy": "fail"}, "simple-default", "fail", id="strict remote"),
    ],
)
def test_defaults_depend_on_kind_and_type(options, layout, policy):
    """What is left out is as the real server has it."""
    repository = configured("x", options)
    assert (repository.layout, repository.checksum_policy) == (layout, policy)


@pytest.fixture
def repositories():
    configurations = [
        Repository("far", "remote", url="http://x"),
        Repository("local"),
        Repository("other"),
        Repository("inner", "virtual", members=("far", "other", "outer")),
        Repository("outer", "virtual", members=("inner", "local", "other", "gone")),
    ]
    return {each.key: each for each in with_caches(configurations)}


def test_members_of_members(repositories):
    """Virtual repositories unfold in place, each member once; a circle of them ends."""
    keys = [each.key for each in members_of(repositories["outer"], repositories)]
    assert keys == ["far", "other", "local"]


def test_search_order(repositories):
    """Local repositories come first, then caches; a remote repository stores in its cache."""
    assert [each.key for each in storing(repositories["outer"], repositories)] == ["other", "local", "far-cache"]
    assert [each.key for each in storing(repositories["far"], repositories)] == ["far-cache"]
    assert [each.key for each in storing(repositories["far-cache"], repositories)] == ["far-cache"]


@pytest.mark.parametrize(
    ("repository", "text"),
    [
        pytest.param(Repository("a/b"), "Invalid repository key: 'a/b'", id="slash"),
        pytest.param(Repository(""), "Invalid repository key: ''", id="nothing"),
        pytest.param(Repository("far-cache"), "Repository key 'far-cache' is that of a cache", id="cache"),
        pytest.param(Repository("x", "remote"), "Remote repository 'x' needs a url", id="no url"),
        pytest.param(
            Repository("x", "virtual", members=("gone",)),
            "Virtual repository 'x' names an unknown member: 'gone'",
            id="unknown member",
        ),
        pytest.param(
            Repository("x", "virtual", deploy_to="far"), "'far' is not a local repository to deploy to", id="deploy to"
        ),
    ],
)
def test_settings_that_do_not_fit(repositories, repository, text):
    """What cannot work is refused when it is configured."""
    assert problem(repository, repositories) == text


def test_settings_that_fit(repositories):
    """A sound configuration has no problem, a change of an existing repository included."""
    assert [problem(each, repositories) for each in repositories.values() if each.kind != "cache"][:3] == [None] * 3


def test_repository_without_a_member():
    """A removed repository is no member any more, nor what deploys go to."""
    virtual = Repository("v", "virtual", members=("a", "b"), deploy_to="a")
    assert virtual.without("a") == Repository("v", "virtual", members=("b",))
    assert virtual.without("b").deploy_to == "a"
