"""
Every line of docs/howto/migrating.md, on the other side, with the releases that pyproject.toml names.

The page has all that these offer, what it has works, and what it calls the same is the same.
"""

import importlib
import inspect
import re

import artifactory as dohq_artifactory
import audfactory
import pyartifactory
import pytest
from dohq_artifactory import admin
from pyartifactory.objects.object import ArtifactoryObject

# Other libraries may leave files and sockets open, and use what is deprecated.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="session")
def aioartifactory(tmp_path_factory):
    """The package; when imported it opens a log file in the current folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("logs"))
        return importlib.import_module("aioartifactory")


@pytest.fixture
def other(start):
    """The server that theirs is run against."""
    return start()


@pytest.fixture
def peers(names, other, aioartifactory):
    """The names of the page, as its lines use them on the other side."""
    server, auth, key = other.url, (other.username, other.password), other.api_key
    url, base = (f"{server}{names[each].removeprefix(names['server'])}" for each in ("url", "base"))
    path = dohq_artifactory.ArtifactoryPath(url, auth=auth)
    shared = {name: names[name] for name in ("repository", "group_id", "name", "item", "uid")}
    functions = {name: getattr(dohq_artifactory, name) for name in ("walk", "get_global_config_entry", "md5sum")}
    return (
        shared
        | functions
        | {
            "server": server,
            "url": url,
            "base": base,
            "target": f"{server}/data-public/released/db.zip",
            "audfactory": audfactory,
            "lookup": audfactory.Lookup(server, "data-public", "emodb.models", version="1.0.0"),
            "path": path,
            "folder": path.parent,
            "sha1": other.checksums(names["item"])["sha1"],
            "artifacts": pyartifactory.Artifactory(url=server, auth=auth).artifacts,
            "key": key,
            "client": aioartifactory.AIOArtifactory(api_key=key),
            "RemotePath": aioartifactory.RemotePath,
            "remote": aioartifactory.RemotePath(url, api_key=key),
            "local": aioartifactory.LocalPath("db.zip"),
        }
    )


def moved(value, source, target):
    """Return the value as if it came from the other server."""
    if isinstance(value, str):
        return value.replace(source, target)
    return [moved(each, source, target) for each in value] if isinstance(value, list) else value


async def test_both_sides_do_what_the_page_says(line, names, peers, evaluate, state, artifactory, other):
    """Their call works; where the page says so, ours gives the same value and leaves the same on the server."""
    theirs = await evaluate(line.theirs[0], peers)
    ours = await evaluate(line.ours, names)
    if line.is_same:
        assert ours == moved(theirs, other.url, artifactory.url)
        assert await state(artifactory) == await state(other)


def public(owner: type) -> set[str]:
    """Names of what the class itself has to call or to ask."""
    members = vars(owner).items()
    return {name for name, value in members if not name.startswith("_") and (callable(value) or is_descriptor(value))}


def is_descriptor(value: object) -> bool:
    return isinstance(value, property | staticmethod | classmethod)


def words(lines, *sections: str) -> set[str]:
    """Names in the first cells: each by itself, and with what it belongs to."""
    cells = [cell for line in lines if line.section in sections for cell in line.theirs]
    return {name for cell in cells for name in (*re.findall(r"\w+", cell), *re.findall(r"\w+(?:\.\w+)+", cell))}


def test_page_has_all_of_audfactory(lines):
    """Each function, and each method of Lookup."""
    functions = {name for name, value in vars(audfactory).items() if inspect.isfunction(value)}
    assert len(functions) == 10
    assert functions | public(audfactory.Lookup) <= words(lines, "audfactory")


def test_page_has_all_of_dohq_artifactory(lines):
    """Each method and property of a path, and what is done with the objects of administration and builds."""
    known = words(lines, "dohq-artifactory", "Administration")
    assert public(dohq_artifactory.ArtifactoryPath) <= known
    administration = [
        owner for owner in vars(admin).values() if inspect.isclass(owner) and owner.__module__ == admin.__name__
    ]
    builds = [
        dohq_artifactory.ArtifactoryBuildManager,
        dohq_artifactory.ArtifactoryBuild,
        dohq_artifactory.ArtifactoryBuildRun,
    ]
    missing = {
        f"{owner.__name__}.{name}"
        for owner in (*administration, *builds)
        for name in public(owner)
        if not any(f"{each.__name__}.{name}" in known for each in (owner, *owner.__subclasses__()))
    }
    assert missing == set()


def test_page_has_all_of_pyartifactory(lines):
    """Each call of each group of an ``Artifactory``."""
    client = pyartifactory.Artifactory("http://localhost")
    groups = {name: type(value) for name, value in vars(client).items() if isinstance(value, ArtifactoryObject)}
    called = {f"artifactory.{group}.{name}" for group, owner in groups.items() for name in public(owner)}
    known = words(lines, "Administration") | {f"artifactory.{name}" for name in words(lines, "pyartifactory")}
    assert len(called) == 49
    assert called <= known


def test_page_has_all_of_aioartifactory(lines, aioartifactory):
    """Each method and property of its three classes."""
    owners = (aioartifactory.AIOArtifactory, aioartifactory.LocalPath, aioartifactory.RemotePath)
    assert set().union(*map(public, owners)) <= words(lines, "aioartifactory")
