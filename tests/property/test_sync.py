"""After a sync both sides are alike, whatever they were; and another one has nothing to do."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aioartifact
from aioartifact import FileInfo
from aioartifact.testing import ArtifactoryServer

pytestmark = pytest.mark.slow

NAMES = st.sampled_from(["a", "B", "b", "c# x", "100%", "ü", "%41", ".hid"])
# "f-": neither side may have a file and a folder of one name, which is a conflict and has a test of its own.
PATHS = st.builds(lambda folders, name: "/".join([*folders, f"f-{name}"]), st.lists(NAMES, max_size=2), NAMES)
TREES = st.dictionaries(PATHS, st.sampled_from([b"", b"1", b"2", b"three", b"seven"]), max_size=6)


class World:
    """A server with a folder for each pair of trees, and a session, in a loop of their own."""

    def __init__(self, runner: asyncio.Runner, folder: Path) -> None:
        self.runner, self.folder = runner, folder
        self.server = ArtifactoryServer()
        self.trees = 0

    def plant(self, local: dict[str, bytes], remote: dict[str, bytes]) -> tuple[Path, str]:
        self.trees += 1
        here, there = self.folder / str(self.trees), f"generic-local/{self.trees}"
        here.mkdir()
        for path, content in local.items():
            (here / path).parent.mkdir(parents=True, exist_ok=True)
            (here / path).write_bytes(content)
        self.server.make_folder(there)
        for path, content in remote.items():
            self.server.put(f"{there}/{path}", content)
        return here, f"{self.server.url}/{there}"

    async def stored(self, session, url: str) -> dict[str, bytes]:
        prefix = url.rpartition("/")[2]
        found = [entry async for entry in aioartifact.walk(url, session=session) if isinstance(entry, FileInfo)]
        return {each.path.removeprefix(f"{prefix}/"): self.server.read(f"generic-local/{each.path}") for each in found}

    async def synced(self, here: Path, url: str, direction: str, delete: bool):
        """Sync twice, the first time by a plan that was written down; what both sides have then, and plan next."""
        ends = (url, here) if direction == "download" else (here, url)
        async with aioartifact.session(self.server.url, auth=(self.server.username, self.server.password)) as session:
            plan = await aioartifact.plan_sync(*ends, delete=delete, session=session)
            plan = aioartifact.SyncPlan.from_json(plan.to_json())
            report = await aioartifact.run_sync(plan, session=session)
            again = await aioartifact.plan_sync(*ends, delete=delete, session=session)
            return len(report), len(plan.actions), again.changes, await self.stored(session, url)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("sync")
    with asyncio.Runner() as runner:
        made = World(runner, folder)
        runner.run(made.server.__aenter__())
        yield made
        runner.run(made.server.__aexit__(None, None, None))
    shutil.rmtree(folder)


@pytest.mark.parametrize("direction", ["download", "upload"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(local=TREES, remote=TREES, delete=st.booleans())
def test_both_sides_are_alike_afterwards(world, direction, local, remote, delete):
    """The destination has all the source has; with deletions nothing else; and the source is as it was."""
    here, url = world.plant(local, remote)
    outcomes, actions, left, stored = world.runner.run(world.synced(here, url, direction, delete))
    kept = {path.relative_to(here).as_posix(): path.read_bytes() for path in here.rglob("*") if path.is_file()}
    source, before = (remote, local) if direction == "download" else (local, remote)
    expected = source if delete else before | source
    assert (kept if direction == "download" else stored) == expected
    assert (stored if direction == "download" else kept) == source
    assert left == ()
    assert outcomes == actions
