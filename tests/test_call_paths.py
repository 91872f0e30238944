"""How many modules a reader passes who follows a call down to the socket and back."""

import sys
from pathlib import Path

import pytest

import aioartifact
from aioartifact.testing import ThreadedArtifactoryServer

PACKAGE = Path(aioartifact.__file__).parent


async def download(folder, target, session):
    await aioartifact.download(f"{folder}/one.bin", target, session=session)


async def sync(folder, target, session):
    await aioartifact.sync(folder, target, session=session)


# Fifteen and thirty were the aims, of 26 and 51 at first. They would need modules with two subjects: of the 22, nine
# are the session's (attempts, limits, middleware, connections, ...), and eight are values and decisions without I/O.
@pytest.mark.parametrize(("call", "most"), [(download, 22), (sync, 42)])
async def test_modules_passed(tmp_path, call, most):
    """Modules whose functions run in the event loop; a call should not need more of them than today."""
    passed = set()

    def note(frame, event, _):
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE) and frame.f_code.co_name[0] != "<":
            passed.add(path.relative_to(PACKAGE).as_posix())

    with ThreadedArtifactoryServer() as server:
        for name in ("one", "two", "three"):
            server.put(f"generic-local/a/{name}.bin", bytes(1024))
        folder = f"{server.url}/generic-local/a"
        (tmp_path / "new").mkdir()
        async with aioartifact.session(server.url, auth=(server.username, server.password)) as session:
            # What happens once does not count: names are imported when they are used, and a connection is opened.
            assert all(getattr(aioartifact, name) for name in aioartifact.__all__)
            await aioartifact.download(f"{folder}/two.bin", tmp_path, session=session)
            before = sys.getprofile()
            sys.setprofile(note)
            try:
                await call(folder, tmp_path / "new", session)
            finally:
                sys.setprofile(before)
    assert len(list((tmp_path / "new").iterdir())) == (1 if call is download else 3)
    assert "_session/limits.py" in passed
    assert len(passed) <= most, sorted(passed)
