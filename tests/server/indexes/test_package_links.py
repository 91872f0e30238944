"""Links on the pages of simple indexes."""

import pytest

from aioartifact.testing.indexes.package_links import PackageLink, links

PAGE = "https://example.com/api/pypi/x/simple/app/"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        pytest.param(
            '<a href="../../a/b%20c/app-1.0.whl#sha256=ab" data-requires-python="&gt;=3.9">text</a>',
            PackageLink("app-1.0.whl", "https://example.com/api/pypi/x/a/b%20c/app-1.0.whl", "sha256=ab", ">=3.9"),
            id="relative",
        ),
        pytest.param(
            "<A HREF='https://files.example.org/p/app%2B1.tar.gz'>x</A>",
            PackageLink("app+1.tar.gz", "https://files.example.org/p/app%2B1.tar.gz", "", ""),
            id="absolute",
        ),
        pytest.param(
            '<a href="/p/app.whl?token=1">x</a>',
            PackageLink("app.whl", "https://example.com/p/app.whl?token=1", "", ""),
        ),
        pytest.param('<a name="top">x</a>', None, id="anchor"),
        pytest.param('<a href="../other/">x</a>', None, id="folder"),
        pytest.param('<a href="mailto:a@example.com">x</a>', None, id="other scheme"),
        pytest.param('<a href="file:///etc/passwd">x</a>', None, id="file"),
        pytest.param('<a href="http://[broken/app.whl">x</a>', None, id="invalid"),
        pytest.param('<a href="">x</a><a href>y</a><link href="a.whl">', None, id="nothing"),
        pytest.param('<a href="app.whl', None, id="cut"),
    ],
)
def test_links(html, expected):
    assert links(f"<html><body>{html}</body></html>", PAGE) == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("url", "base", "path"),
    [
        ("https://example.com/x/a/b%20c.whl", "https://example.com/x", "a/b c.whl"),
        ("https://example.com/x/a.whl", "https://example.com/x/", "a.whl"),
        ("https://example.com/xy/a.whl", "https://example.com/x", None),
        ("https://other.example.com/x/a.whl", "https://example.com/x", None),
        ("https://example.com/x/a.whl?q=1", "https://example.com/x", None),
    ],
)
def test_path_below(url, base, path):
    assert PackageLink("a.whl", url, "", "").path_below(base) == path
