"""The programs in examples/clusters: each engine starts here, with two worker processes."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from anyio import to_thread

from aioartifact.testing import Fault

PROGRAMS = Path(__file__).parents[2] / "examples" / "clusters"
COUNT = 2000


@pytest.fixture(scope="module")
def contents():
    return {f"folder{number % 20}/{number}.bin": b"%d" % number * (number % 50) for number in range(COUNT)}


@pytest.mark.parametrize("engine", ["dask", "ray", "spark"])
def test_fetch_on_a_cluster(server, contents, tmp_path, engine):
    """Each of 2,000 files is downloaded once, by two workers that look up their own credentials."""
    for name, content in contents.items():
        server.put(f"data/set/{name}", content)
    server.clear_log()
    target = tmp_path / "shared"
    command = [sys.executable, str(PROGRAMS / f"with_{engine}.py"), f"{server.url}/data/set", str(target)]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    first = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert first.stdout.splitlines()[-1:] == [f"{COUNT} files downloaded, 0 unchanged, in 2 parts"], first.stderr
    found = {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*.bin")}
    assert found == contents
    assert server.count("GET", "data/set/**") == COUNT
    assert len(server.requests) == COUNT + 1


async def test_parts_that_are_run_again(server, contents, tmp_path, monkeypatch):
    """A part whose worker died is run again: it downloads what is missing, and reports what failed."""
    monkeypatch.syspath_prepend(str(PROGRAMS))
    import fetch_part

    for name in list(contents)[:20]:
        server.put(f"data/set/{name}", contents[name])
    parts = await to_thread.run_sync(fetch_part.list_parts, f"{server.url}/data/set", 3)
    assert sorted(len(part.files) for part in parts) == [6, 7, 7]
    assert pickle.loads(pickle.dumps(parts)) == parts
    (tmp_path / "folder3").mkdir()
    (tmp_path / "folder3" / "3.bin").write_bytes(contents["folder3/3.bin"])
    server.fail("GET", "data/set/folder5/**", times=None, fault=Fault.status(404))
    results = [await to_thread.run_sync(fetch_part.fetch_part, part, str(tmp_path)) for part in parts]
    counts, *errors = fetch_part.summary(results).splitlines()
    assert counts == "18 files downloaded, 1 unchanged, in 3 parts"
    assert len(errors) == 1
    assert errors[0].startswith(f"{server.url}/data/set/folder5/5.bin: ")
    assert not (tmp_path / "folder5" / "5.bin").exists()
