"""``GET /{repository}/{folder}/``: the HTML index."""

from html import escape
from urllib.parse import quote

from .. import views
from ..dates import at
from ..exchange import Exchange
from ..replies import Reply, refuse
from ..repositories import Repository
from ..resolution import demand_read
from ..sizes import human
from ..store import Item

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def index(exchange: Exchange, repository: Repository) -> Reply:
    """Answer with an Apache-style page of what the user may read in a folder."""
    demand_read(exchange, repository, exchange.target.item_path)
    folders = [item for item in views.visible(exchange) if item.is_folder]
    if not folders:
        refuse(404, f"Couldn't find item: {exchange.address}", servlet=True)
    readable = views.children(exchange, folders)
    if not readable and exchange.user.is_anonymous and any(map(exchange.instance.store.children, folders)):
        refuse(401, "Unauthorized", servlet=True, challenge=True)
    page = _page(exchange, views.shown(exchange, folders[0]), readable)
    return Reply(200, {"Content-Type": "text/html;charset=UTF-8"}, page.encode())


def _page(exchange: Exchange, folder: Item, children: list[Item]) -> str:
    title = escape("/".join(filter(None, (folder.repo, folder.path))))
    children = sorted(children, key=lambda child: (not child.is_folder, child.name.lower()))
    width = max((len(child.name) for child in children), default=0) + 5
    lines = ['<a href="../">../</a>'] if folder.path else []
    lines += [_line(exchange, child, width) for child in children]
    listing = "\n".join(lines) or "No items found."
    url, version = exchange.request.url, exchange.instance.profile.version
    return (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n'
        f"<head><title>Index of {title}</title>\n</head>\n<body>\n<h1>Index of {title}</h1>\n"
        f"<pre>{'Name'.ljust(width)}Last modified      Size</pre><hr/>\n<pre>{listing}\n</pre>\n"
        f'<hr/><address style="font-size:small;">Artifactory/{version} Server at {escape(str(url.host))}'
        f" Port {url.port}</address></body></html>"
    )


def _line(exchange: Exchange, child: Item, width: int) -> str:
    name = child.name + "/" * child.is_folder
    date = at(child.modified, exchange.instance.zone)
    shown = f"{date.day:02}-{_MONTHS[date.month - 1]}-{date:%Y %H:%M}"
    href = quote(child.name, safe="+") + "/" * child.is_folder
    size = "-" if child.is_folder else human(child.size)
    return f'<a href="{href}">{escape(name)}</a>{" " * (width - len(name))}{shown}  {size}'
