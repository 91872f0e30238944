"""The demo: what it shows is true, and nothing of it remains."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from aioartifact.cli import demo, demo_files
from aioartifact.cli.demo_steps import Steps

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "aioartifact", "demo", "--quick"]
SECONDS = 100


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The system's temporary folder for this process and its children."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def steps():
    return Steps(lambda: 0, quiet=True)


def rows(out):
    """Cells of the table, by the name of the step."""
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in out.splitlines()]
    return {row[0]: row[1:] for row in cells if len(row) > 1}


def test_demo_does_what_it_says(temporary):
    """The quick demo succeeds, transfers exactly what was spoilt the second time, and removes all of it."""
    run = subprocess.run(COMMAND, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert run.returncode == 0, run.stderr  # which has lines of progress where the machine is slow
    assert run.stdout.count("\n  fetched ") == 2
    table = rows(run.stdout)
    deployed, downloaded = table["deploy them"], table["download everything"]
    assert deployed[:2] == downloaded[:2]
    assert int(deployed[0]) >= 100
    # One request lists, and each file takes one; where the machine is slow, a large file takes several.
    assert int(deployed[0]) < int(downloaded[-1]) < 1.1 * int(deployed[0])
    again = table["download everything again"]
    assert (again[0], again[-1]) == ("2", "3")
    assert list(temporary.iterdir()) == []


def test_demo_keeps_files_where_it_is_told(tmp_path, temporary):
    """With --keep the downloaded files stay in the folder given; quiet shows the table alone."""
    folder = tmp_path / "kept"
    command = [*COMMAND[:-2], "--quiet", "demo", "--quick", "--keep", "--folder", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert (run.returncode, run.stderr) == (0, "")
    assert "Download everything" not in run.stdout
    [place] = folder.iterdir()
    assert run.stdout.endswith(f"Everything is left in {place}\n")
    assert sorted(path.name for path in place.iterdir()) == ["bundle.tar", "downloaded"]
    copies = [path for path in place.joinpath("downloaded").rglob("*") if path.is_file()]
    assert len(copies) == int(rows(run.stdout)["deploy them"][0])


# The demo, with a step in its middle that does not end, so that an interrupt is never too late.
ENDLESS = """
import signal
import anyio
from aioartifact.__main__ import main
from aioartifact.cli import demo

async def _list_versions(*_):
    await anyio.sleep_forever()

demo._list_versions = _list_versions
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job, such as CI, ignores Ctrl-C
raise SystemExit(main())
"""


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        pytest.param(signal.SIGINT, 130, "\ninterrupted\n", id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 143, "terminated\n", id="SIGTERM"),
    ],
)
def test_demo_interrupted_leaves_nothing(temporary, number, code, said):
    """Ctrl-C or SIGTERM in the middle: its exit code, no file, no server."""
    command = [sys.executable, "-c", ENDLESS, *COMMAND[-2:]]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as process:
        while process.stdout.readline() != "Deploy them\n":
            assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate(timeout=SECONDS)  # ends with the last process that holds the pipe
    assert process.returncode == code, err
    assert err.endswith(said), "after what progress there was"
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("copies", "complaint"),
    [
        pytest.param({"a": "one", "b": "two!"}, "1 files differ", id="corrupt"),
        pytest.param({"a": "one", "b": "two", "c": "?"}, "3 files are there, 2 were deployed", id="too-many"),
    ],
)
async def test_verify_finds_what_differs(tmp_path, steps, copies, complaint):
    """The comparison fails for content that differs, and for files that were not deployed."""
    originals, target = tmp_path / "originals", tmp_path / "target"
    for folder, contents in (originals, {"a": "one", "b": "two"}), (target, copies):
        folder.mkdir()
        for name, content in contents.items():
            (folder / name).write_text(content)
    files = {name: originals / name for name in ("a", "b")}
    with pytest.raises(click.ClickException, match=complaint):
        await demo._verify(steps, files, target)


def test_spoil_deletes_one_and_corrupts_another(tmp_path, steps):
    """Two files with content are spoilt: one is gone, one has the same size and another byte."""
    contents = {"a": b"", "b": b"one", "c": b"two"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    files = {name: tmp_path / name for name in contents}
    assert demo._spoil(steps, files, tmp_path) == {str(tmp_path / "b"), str(tmp_path / "c")}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"", "c": b"\x8bwo"}


@pytest.mark.parametrize(
    ("version", "semantic"),
    [
        ("1.2.3", "1.2.3"),
        ("26.3", "26.3.0"),
        ("1.0.0b2", "1.0.0"),
        ("2025.12", "2025.12.0"),
        ("1.2.3.4", "1.2.3"),
        ("3+local.1", "3.0.0"),
    ],
)
def test_versions_become_semantic(version, semantic):
    """Any version of a distribution becomes X.Y.Z."""
    assert demo_files.semantic(version) == semantic


def test_bundle_has_the_size_asked_for(tmp_path):
    """The large file is made of real files until it is large enough."""
    artifact = demo_files.bundle(tmp_path / "bundle.tar", 1 << 20)
    assert artifact.files == {"bundle.tar": tmp_path / "bundle.tar"}
    assert 1 << 20 <= Path(tmp_path / "bundle.tar").stat().st_size <= 6 << 20
