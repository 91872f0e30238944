"""What notebooks show of results: HTML of a bounded size, in which names are escaped."""

from html.parser import HTMLParser

import pytest

import aioartifact
from aioartifact._reprs import html_size, html_table

EVIL = "<script>alert('x')</script>&"


class Tables(HTMLParser):
    """The texts of all cells, row by row; fails where a tag is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.caption = ""
        self._open: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self._open.append(tag)
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open[-1] == "caption":
            self.caption += data
        else:
            self.rows[-1][-1] += data


def test_report():
    """Counts, and a row for each file; failures come first, with their error."""
    failure = aioartifact.NotFoundError("GET https://h/r/x: 404", url="https://h/r/x", status=404)
    done = aioartifact.Outcome("https://h/r/a", f"/data/{EVIL}", "downloaded", 2048, seconds=1.0)
    failed = aioartifact.Outcome("https://h/r/x", None, "failed", error=failure)
    table = Tables(aioartifact.Report((done, failed), 1.5)._repr_html_())
    assert table.caption == "1 downloaded, 1 failed; 2.0 KiB in 1.5 s"
    assert table.rows == [
        ["status", "file", "size", "error"],
        ["failed", "https://h/r/x", "0 B", str(failure)],
        ["downloaded", f"/data/{EVIL}", "2.0 KiB", ""],
    ]
    assert "script" not in table.tags


def test_empty_report():
    """No table of no rows."""
    table = Tables(aioartifact.Report()._repr_html_())
    assert (table.caption, table.rows) == ("no files; 0 B in 0.0 s", [])


def test_plan(tmp_path):
    """The changes, and not what is kept."""
    file = aioartifact.SyncFile(EVIL, 5)
    actions = (
        aioartifact.SyncAction("fetch", EVIL, source=file),
        aioartifact.SyncAction("keep", "b", source=file, target=file),
    )
    plan = aioartifact.SyncPlan("https://h/artifactory/r/a", str(tmp_path), "download", actions, method="aql")
    table = Tables(plan._repr_html_())
    assert table.caption.startswith(f"https://h/artifactory/r/a → {tmp_path}: 1 to fetch, 1 kept")
    assert [row[:3] for row in table.rows] == [["action", "path", "size"], ["fetch", EVIL, "5 B"]]


async def test_listing(server, session):
    """How far it is; nothing is requested for it."""
    server.put("generic-local/a", b"1")
    listing = aioartifact.walk(f"{server.url}/generic-local", session=session)
    before = Tables(listing._repr_html_())
    assert before.caption.startswith("FileListing: use `async for")
    assert before.rows[1] == ["not started", "not at its end"]
    assert server.requests == []
    assert [file.name async for file in listing] == ["a"]
    assert Tables(listing._repr_html_()).rows[1] == ["file-list", "complete"]


def test_many_rows():
    """A hundred rows, and the number of the others."""
    table = Tables(html_table("c", ("n",), [(number,) for number in range(250)]))
    assert len(table.rows) == 102
    assert table.rows[-1] == ["… 150 more"]


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, ""), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3 << 20, "3.0 MiB"), (5 << 50, "5120.0 TiB")],
)
def test_size(size, text):
    """Powers of 1024."""
    assert html_size(size) == text
