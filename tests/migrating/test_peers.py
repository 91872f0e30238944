"""
Every line of docs/migrating.md, on the other side, with the releases that pyproject.toml names.

The page has all that these offer, what it has works, and what it calls the same is the same.
"""

import asyncio
import importlib
import inspect
import pathlib
import shutil

import artifactory as dohq_artifactory
import audfactory
import dohq_artifactory as dohq_administration
import pyartifactory
import pytest

# Other libraries may leave files and sockets open, and use what is deprecated.
pytestmark = pytest.mark.filterwarnings("default")

# Constants of dohq-artifactory's classes, and bases that are not used by themselves.
_BASES = {"AdminObject", "GenericRepository"}


def public(owner: type) -> set[str]:
    """Names of what the class itself has to call or to ask."""
    return {
        name
        for name, value in vars(owner).items()
        if not name.startswith("_") and (callable(value) or isinstance(value, property | staticmethod | classmethod))
    }


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
    return {
        **{name: names[name] for name in ("repository", "group_id", "name", "item", "uid")},
        **{name: getattr(dohq_artifactory, name) for name in ("walk", "get_global_config_entry", "md5sum")},
        **{"server": server, "url": url, "base": base, "target": f"{server}/data-public/released/db.zip"},
        **{"audfactory": audfactory, "lookup": audfactory.Lookup(server, "data-public", "emodb.models", version="1.0.0")},
        **{"path": path, "folder": path.parent, "sha1": other.checksums(names["item"])["sha1"]},
        "artifacts": pyartifactory.Artifactory(url=server, auth=auth).artifacts,
        **{"key": key, "client": aioartifactory.AIOArtifactory(api_key=key), "RemotePath": aioartifactory.RemotePath},
        **{"remote": aioartifactory.RemotePath(url, api_key=key), "local": aioartifactory.LocalPath("db.zip")},
    }


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
