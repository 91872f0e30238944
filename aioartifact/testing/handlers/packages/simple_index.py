"""
``GET api/pypi/{repository}/...`` (Pro): the simple index of Python packages, and their files.

See: PEP 503; JFrog, "PyPI Repositories"
"""

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from ...indexes import python_packages
from ...lookup.resolution import demand_read
from ...protocol.replies import Reply, refuse
from ...repositories.definitions import Repository
from ...storage import searches
from ...storage.store import Item
from ...wire.exchange import Exchange
from ..items import methods

_SIMPLE = "simple"


async def get(exchange: Exchange) -> Reply:
    """Answer with the list of projects, with the files of one, or with a file."""
    repository = demand_served(exchange)
    first, *rest = exchange.target.item_path.split("/")
    if first != _SIMPLE or len(rest) > 1:
        return await methods.get(exchange)
    demand_read(exchange, repository, "")
    if not exchange.target.is_folder:
        return Reply(302, {"Location": exchange.link("api/pypi", repository.key, exchange.target.item_path) + "/"})
    return _project(exchange, rest[0]) if rest else _projects(exchange)


def demand_served(exchange: Exchange) -> Repository:
    """
    Return the repository of the request.

    Raises:
        RefusalError: 404, this edition has no such endpoint, or there is no such repository; 400, it holds something
            else than Python packages.
    """
    if exchange.instance.edition == "oss":
        exchange.refuse_unknown()
    repository = exchange.repository(servlet=False)
    if repository.package_type != "pypi":
        refuse(400, f"The repository '{repository.key}' is not a PyPI repository")
    return repository


def _projects(exchange: Exchange) -> Reply:
    names = {name for item in _packages(exchange, "") for name in _values(exchange, item, python_packages.NAME)}
    return _page("Simple Index", (f'<a href="{quote(name)}/">{escape(name)}</a>' for name in sorted(names)))


def _project(exchange: Exchange, name: str) -> Reply:
    normalized = python_packages.normalized(name)
    files = {item.name: item for item in reversed(_packages(exchange, normalized))}  # of one name the first
    if not files:
        refuse(404, "Not Found")
    return _page(f"Links for {normalized}", (_link(exchange, files[name]) for name in sorted(files)))


def _packages(exchange: Exchange, name: str) -> list[Item]:
    """Return the files of a project, or of all, that the user may read; those of the first member in front."""
    keys = [each.key for each in exchange.instance.storing(exchange.target.repository)]
    wanted = [searches.FILES, searches.in_repositories(keys), searches.having(python_packages.NAME, name)]
    with exchange.instance.store.reader() as connection:
        found = [item for item, _ in searches.find(connection, wanted) if exchange.can_see(item)]
    return sorted(found, key=lambda item: keys.index(item.repo))


def _values(exchange: Exchange, item: Item, key: str) -> list[str]:
    return exchange.instance.store.properties(item).get(key, [])


def _link(exchange: Exchange, item: Item) -> str:
    requires = "".join(
        f' data-requires-python="{escape(value)}"'
        for value in _values(exchange, item, python_packages.REQUIRES_PYTHON)[:1]
    )
    target = f"../../{quote(item.path)}#sha256={item.sha256}"
    return f'<a href="{target}" rel="internal"{requires}>{escape(item.name)}</a>'


def _page(title: str, links: Iterable[str]) -> Reply:
    lines = [
        "<!DOCTYPE html>",
        "<html>",
        f'<head><title>{escape(title)}</title><meta name="api-version" value="2" /></head>',
        "<body>",
        f"<h1>{escape(title)}</h1>",
        *(f"{link}<br/>" for link in links),
        "</body>",
        "</html>",
    ]
    return Reply(200, {"Content-Type": "text/html", "Cache-Control": "no-store"}, "\n".join([*lines, ""]).encode())
