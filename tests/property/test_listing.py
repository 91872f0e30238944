"""Every way of listing shows the same, whatever the tree."""

import asyncio
from collections.abc import Iterator

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aioartifact
from aioartifact import FileInfo
from aioartifact._address import parse_item_url
from aioartifact._listing import Listing, list_with_fallback
from aioartifact._path_filter import PathFilter, parse_patterns
from aioartifact.testing import ArtifactoryServer

pytestmark = pytest.mark.slow

# Of the specification, 19; and what "*", "?" and quotes in a folder's name do to a query.
HOSTILE = ["a b", "c++", "c#", "100%", "x;y", "ü", "日本", "a&b=c", "it's", "!bang", "[x]", ".hidden", "a?b", "*"]
HOSTILE += [
    "%41",
    " lead",
    "trail ",
    'quo"te',
    "back\\slash",
    "name:properties",
    "f.sha1",
    "e\u0301",
    "\U0001f600",
    "_",
]
NAMES = st.sampled_from(["a", "b", *HOSTILE])
FOLDERS = st.lists(NAMES, max_size=3)
PATTERNS = st.lists(NAMES | st.sampled_from(["**", "*", "?", "[!a]*", "*b*"]), min_size=1, max_size=3).map("/".join)
SCOPES = st.builds(
    lambda depth, kinds, include, exclude: PathFilter(depth, *kinds, parse_patterns(include), parse_patterns(exclude)),
    st.none() | st.integers(1, 3),
    st.sampled_from([(True, True), (True, False), (False, True)]),
    st.lists(PATTERNS, max_size=2),
    st.lists(PATTERNS, max_size=1),
)


class World:
    """A server with a repository for each tree, and one session, in a loop of their own."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.server = ArtifactoryServer()
        self.trees = 0

    def plant(self, tree: dict[tuple[str, ...], list[str]]) -> str:
        """Make a repository of folders with the names of their files."""
        self.trees += 1
        key = f"tree-{self.trees}"
        self.server.create_repository(key)
        for folder, files in tree.items():
            self.server.make_folder("/".join((key, "root", *folder)))
            for name in files:
                # "f-": a file must not take the name of a folder.
                self.server.put("/".join((key, "root", *folder, f"f-{name}")), b"1")
        return f"{self.server.url}/{key}/root"

    async def listed(self, url: str, path_filter: PathFilter) -> list[set[tuple[str, bool]]]:
        """What each way shows."""
        auth = (self.server.username, self.server.password)
        async with aioartifact.session(self.server.url, auth=auth) as session:
            methods = (["file-list"], ["aql", "folders"], ["folders"])
            return [await _listed(session, url, path_filter, each) for each in methods]


async def _listed(
    session: aiohttp.ClientSession, url: str, path_filter: PathFilter, methods: list[str]
) -> set[tuple[str, bool]]:
    item = parse_item_url(url)
    listing = Listing(lambda status: list_with_fallback(session, item, path_filter, status, None, methods))
    found = [(entry.path, isinstance(entry, FileInfo)) async for entry in listing]
    assert len(found) == len(set(found))
    assert listing.is_complete
    assert listing.method == methods[0] or not found
    return set(found)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with asyncio.Runner() as runner:
        made = World(runner)
        runner.run(made.server.__aenter__())
        yield made
        runner.run(made.server.__aexit__(None, None, None))


@settings(max_examples=200)
@given(
    tree=st.dictionaries(FOLDERS.map(tuple), st.lists(NAMES, max_size=3), min_size=1, max_size=6),
    path_filter=SCOPES,
)
def test_every_way_shows_the_same(world, tree, path_filter):
    """File List, AQL and the walk over folders agree on random trees with hostile names, whatever part is wanted."""
    by_list, by_query, by_folders = world.runner.run(world.listed(world.plant(tree), path_filter))
    assert by_list == by_query == by_folders


def test_every_way_shows_a_folder_of_ten_thousand(world):
    """Size makes no difference."""
    url = world.plant({(): [str(number) for number in range(10_000)]})
    shown = world.runner.run(world.listed(url, PathFilter()))
    assert shown == [{(f"root/f-{number}", True) for number in range(10_000)}] * 3
