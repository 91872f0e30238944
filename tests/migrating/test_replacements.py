"""Every line of docs/howto/migrating.md, on our side."""

import pytest

import aioartifact

pytestmark = pytest.mark.slow


async def test_expression_runs_where_its_names_are_what_the_page_says(line, names, evaluate, artifactory):
    """It gives a value, and asks nothing of the server that this does not serve."""
    await evaluate(line.ours, names)
    assert artifactory.unknown_endpoints == []


async def test_request_reaches_the_server_with_credentials(request_line, artifactory):
    """A session is all that it takes to send it."""
    method, path = request_line.ours.split()
    base = artifactory.origin if path.startswith("access/") else artifactory.url
    async with (
        aioartifact.session(base) as session,
        session.request(method, f"{base}/{path}") as answer,
    ):
        assert answer.status != 401
    (sent,) = artifactory.requests
    assert (sent.method, sent.had_credentials) == (method, True)
    assert sent.raw_path.endswith(f"/{path}")


def test_lines_are_all_that_the_tables_hold(lines, page):
    """No line is lost to its format: each row below a heading is one, with a call and what takes its place."""
    rows = [row for row in page.splitlines() if row.startswith("| ")]
    tables = [row for row in rows if row.startswith("| --- |")]
    assert len(lines) == len(rows) - 2 * len(tables)
    assert all(line.theirs and line.ours for line in lines)
