"""The pages of the documentation whose examples use other libraries."""

import pytest
from doc_examples import ROOT, example_server, run_page

__all__ = ["example_server"]


@pytest.mark.filterwarnings("ignore::zarr.errors.ZarrUserWarning", "ignore::pandas.errors.Pandas4Warning")
def test_data_frames(example_server, tmp_path, monkeypatch):
    """Every example of the page runs, and prints what the page says."""
    monkeypatch.chdir(tmp_path)
    run_page(ROOT / "docs" / "howto" / "dataframes.md", example_server.url)
