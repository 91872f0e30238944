"""
``GET api/pypi/{repository}/...`` (Pro): the simple index of Python packages, and their files.

See: PEP 503; JFrog, "PyPI Repositories"
"""

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from ...indexes import package_links, python_packages
from ...indexes.package_links import PackageLink
from ...lookup.resolution import demand_read, pages
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
    return await _project(exchange, repository, rest[0]) if rest else _projects(exchange)


def demand_served(exchange: Exchange) -> Repository:
    """
    Return the repository of the request.

    Raises:
        RefusalError: 404 if this edition has no such endpoint, or there is no such repository; 400 if it is not for
            Python packages.
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


async def _project(exchange: Exchange, repository: Repository, name: str) -> Reply:
    """List the stored files of a project, then those that upstreams have; of files with the same name, the first."""
    normalized = python_packages.normalized(name)
    found = {item.name: _link(exchange, item) for item in reversed(_packages(exchange, normalized))}
    for remote, page in await pages(exchange, repository, f"{_SIMPLE}/{normalized}/"):
        for link in package_links.links(page.text, page.url):
            if link.name not in found and (html := _link_upstream(exchange, remote, link)):
                found[link.name] = html
    if not found:
        refuse(404, "Not Found")
    return _page(f"Links for {normalized}", (found[each] for each in sorted(found)))


def _link_upstream(exchange: Exchange, remote: Repository, link: PackageLink) -> str:
    """Link to a file through *remote*, or to its own address if that is elsewhere; ``""`` without read permission."""
    path = link.path_below(remote.url)
    if not exchange.instance.accounts.can(exchange.user, "r", remote.key, path or ""):
        return ""
    target = link.url if path is None else f"../../{quote(path)}"
    return _anchor(f"{target}#{link.fragment}" if link.fragment else target, link.requires_python, link.name)


def _packages(exchange: Exchange, name: str) -> list[Item]:
    """Return the files of a project, or of all, that the user may read; those of the first member first."""
    keys = [each.key for each in exchange.instance.storing(exchange.target.repository)]
    wanted = [searches.FILES, searches.in_repositories(keys), searches.having(python_packages.NAME, name)]
    with exchange.instance.store.reader() as connection:
        found = [item for item, _ in searches.find(connection, wanted) if exchange.can_see(item)]
    return sorted(found, key=lambda item: keys.index(item.repo))


def _values(exchange: Exchange, item: Item, key: str) -> list[str]:
    return exchange.instance.store.properties(item).get(key, [])


def _link(exchange: Exchange, item: Item) -> str:
    requires = next(iter(_values(exchange, item, python_packages.REQUIRES_PYTHON)), "")
    return _anchor(f"../../{quote(item.path)}#sha256={item.sha256}", requires, item.name)


def _anchor(target: str, requires_python: str, name: str) -> str:
    requires = f' data-requires-python="{escape(requires_python)}"' if requires_python else ""
    return f'<a href="{escape(target)}" rel="internal"{requires}>{escape(name)}</a>'


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
