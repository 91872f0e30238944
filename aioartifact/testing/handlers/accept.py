"""Which of the media types of a resource the client takes."""

from ..exchange import Exchange
from ..replies import Reply, error, refuse

JSON = "application/json"


def _accepted(exchange: Exchange) -> list[str]:
    return [each.partition(";")[0].strip() for each in exchange.request.headers.get("Accept", "*/*").split(",")]


def negotiated(exchange: Exchange, produced: str) -> str:
    """
    Choose between *produced*, the vendor's name for a kind of document, and plain JSON.

    Raises:
        RefusalError: 406, the client takes neither.
    """
    accepted = _accepted(exchange)
    if {produced, "application/*", "*/*"} & set(accepted):
        return produced
    if JSON not in accepted:
        refuse(406, f"Resource produces {produced} but client only accepts [{', '.join(accepted)}]")
    return JSON


def text_error(exchange: Exchange, status: int, message: str) -> Reply:
    """
    Build the error of a resource that returns its text: bare where plain JSON was negotiated, else as always.

    The filter that wraps errors passes what is called JSON already.
    """
    if not {"application/*", "*/*"} & set(_accepted(exchange)):
        return Reply(status, {"Content-Type": JSON}, message.encode())
    return error(status, message)
