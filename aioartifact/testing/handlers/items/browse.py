"""``GET /{repository}/{folder}/``: the HTML index."""

from html import escape
from urllib.parse import quote

from ...lookup import views
from ...lookup.resolution import demand_read
from ...protocol.formats import at, human
from ...protocol.replies import Reply, refuse
from ...repositories.definitions import Repository
from ...storage.store import Item
from ...wire.exchange import Exchange

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def index(exchange: Exchange, repository: Repository) -> Reply:
    """Answer with an Apache-style page of what the user may read in a folder."""
    is_hidden = exchange.user.is_anonymous or exchange.instance.hide_unauthorized
    if is_hidden:
        demand_read(exchange, repository, exchange.target.item_path)
    items = views.visible(exchange) if is_hidden else views.stored(exchange)
    folders = [item for item in items if item.is_folder]
    if not folders:
        refuse(404, f"Couldn't find item: {exchange.address}", servlet=True)
    readable = views.children(exchange, folders)
    if not readable and exchange.user.is_anonymous and any(map(exchange.instance.store.children, folders)):
        refuse(401, "Unauthorized", servlet=True, challenge=True)
    page = _page(exchange, views.shown(exchange, folders[0]), readable)
    return Reply(200, {"Content-Type": "text/html"}, page.encode())


def _page(exchange: Exchange, folder: Item, children: list[Item]) -> str:
    title = _escape(f"{folder.repo}/{folder.path}")
    children = sorted(children, key=lambda child: (not child.is_folder, child.name.lower()))
    width = max(len("Name"), *(len(child.name) for child in children)) + 2 if children else len("Name") + 2
    lines = ['<a href="../">../</a>'] if folder.path else []
    lines += [_line(exchange, child, width) for child in children]
    listing = "\n".join(lines) or "No items found."
    url, version = exchange.request.url, exchange.instance.profile.version
    return (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n'
        f"<head><title>Index of {title}</title>\n</head>\n<body>\n<h1>Index of {title}</h1>\n"
        f"<pre>{'Name'.ljust(width)}Last modified      Size</pre><hr/>\n<pre>{listing}\n</pre>\n"
        f'<hr/><address style="font-size:small;">Artifactory/{version} Server at {_escape(str(url.host))}'
        f" Port {url.port}</address></body></html>"
    )


def _line(exchange: Exchange, child: Item, width: int) -> str:
    name = child.name + "/" * child.is_folder
    date = at(child.modified, exchange.instance.zone)
    shown = f"{date.day:02}-{_MONTHS[date.month - 1]}-{date:%Y %H:%M}"
    href = quote(child.name, safe="+") + "/" * child.is_folder
    if child.is_folder:
        return f'<a href="{href}">{_escape(name)}</a>{" " * (width - len(name))}{shown}    -'
    size = human(child.size) if child.size else "-"
    return f'<a href="{href}">{_escape(name)}</a>{" " * (width - len(name) + 1)}{shown}  {size}'


def _escape(text: str) -> str:
    """Escape as commons-lang's ``escapeXml`` does: also every character above 127, by its number."""
    escaped = escape(text, quote=True).replace("&#x27;", "&apos;")
    return "".join(each if ord(each) < 128 else f"&#{ord(each)};" for each in escaped)
