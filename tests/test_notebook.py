"""``examples/notebook.ipynb``, executed by Jupyter's own client in a kernel of its own."""

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from aioartifact.testing import ThreadedArtifactoryServer
from aioartifact.testing.process import store_example_data

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parent.parent / "examples/notebook.ipynb"


@pytest.fixture
def outputs(tmp_path, monkeypatch):
    """The outputs of each cell by its source, from a run against a server with the example data."""
    # Files of Jupyter go to the home folder of the test.
    for name in list(os.environ):
        if name.startswith(("JUPYTER_", "IPYTHON")):
            monkeypatch.delenv(name)
    with ThreadedArtifactoryServer() as server:
        store_example_data(server)
        monkeypatch.setenv("AIOARTIFACT_SERVER", server.url)
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        client = NotebookClient(
            notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
        )
        client.execute()
    return {cell.source: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def shown(outputs, text, kind):
    """What the cell with *text* shows, in one of its forms."""
    [found] = [each for source, each in outputs.items() if text in source]
    return "".join(output.data[kind] for output in found if kind in output.get("data", {}))


def test_notebook_runs(outputs):
    """Results are shown as tables; nothing is left open."""
    assert shown(outputs, "aioartifact.versions", "text/plain") == "['1.0.0', '1.1.0', '1.1.1']"
    report = shown(outputs, "download_folder", "text/html")
    assert re.match(r"<table><caption[^>]*>4 downloaded; \d+ B in ", report)
    assert re.search(r"4 to fetch", shown(outputs, "plan_sync", "text/html"))
    assert "downloaded" in shown(outputs, "run_sync", "text/html")
    assert "'emodb/db/1.1.1/media/a.wav': 14" in shown(outputs, "read_bytes", "text/plain")
    assert outputs["await session.close()"] == []


def test_notebook_has_no_outputs():
    """It is stored without outputs and counts, so that changes are readable."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
