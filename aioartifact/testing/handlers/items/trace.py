"""``GET /{repository}/{path}?trace``: how the server determines its response, instead of that response."""

from ...lookup import views
from ...lookup.resolution import demand_read
from ...protocol.replies import Reply
from ...wire.exchange import Exchange


def answer(exchange: Exchange) -> Reply:
    """Report the user of the request, the requested item, and the result."""
    demand_read(exchange, exchange.repository(), exchange.target.item_path)
    return Reply(
        200, {"Content-Type": "text/plain"}, "\n".join([*_about(exchange), "Steps:", *_steps(exchange), ""]).encode()
    )


def _about(exchange: Exchange) -> list[str]:
    instance = exchange.instance
    return [
        f"Repo Path ID: {exchange.address}",
        f"Method Name: {exchange.request.method}",
        f"User: {exchange.user.name}",
        f"Time: {instance.iso(instance.now_ms())}",
    ]


def _steps(exchange: Exchange) -> list[str]:
    target, headers = exchange.target, exchange.request.headers
    item = next(iter(views.stored(exchange)), None)
    if item is None:
        found = "Nothing is there: the answer is 404"
    elif item.is_folder:
        found = "A folder is there: the answer is its listing"
    else:
        found = f"A file of {item.size} bytes with SHA-1 {item.sha1} is there"
    steps = [f"Looking for {target.item_path!r} in the repository {target.repository!r}", found]
    steps += [
        f"Condition: {name}: {headers[name]}" for name in ("If-None-Match", "If-Modified-Since") if name in headers
    ]
    return steps
