"""Which of the media types of a resource the client takes."""

from typing import NoReturn

from ..protocol.replies import RefusalError, Reply, refuse
from ..wire.exchange import Exchange

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


def refuse_in_text(exchange: Exchange, message: str) -> NoReturn:
    """
    Refuse with 400 as a resource that returns text: bare where plain JSON was negotiated, else wrapped as always.

    The filter that wraps errors passes what is called JSON already.

    Raises:
        RefusalError: Always.
    """
    if not {"application/*", "*/*"} & set(_accepted(exchange)):
        raise RefusalError(Reply(400, {"Content-Type": JSON}, message.encode()))
    refuse(400, message)
