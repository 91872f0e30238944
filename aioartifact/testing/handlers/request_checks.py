"""Checks of requests that all kinds of handlers share: parameters, accepted media types, and the edition."""

from typing import NoReturn

from ..protocol.replies import RefusalError, Reply, refuse
from ..wire.exchange import Exchange

JSON = "application/json"


def number(exchange: Exchange, name: str, default: int = 0) -> int:
    """
    Return a query parameter as a number; one without a value is *default*.

    Raises:
        RefusalError: 400 if it is not a number.
    """
    text = exchange.target.query.get(name) or str(default)
    if not text.isdecimal():
        refuse(400, f'For input string: "{text}"')
    return int(text)


def is_true(text: str | None) -> bool:
    """Whether a header or parameter is on; as with Java's ``parseBoolean``, its case does not matter."""
    return text is not None and text.lower() == "true"


def _accepted(exchange: Exchange) -> list[str]:
    return [each.partition(";")[0].strip() for each in exchange.request.headers.get("Accept", "*/*").split(",")]


def negotiated(exchange: Exchange, produced: str) -> str:
    """
    Choose between *produced*, the vendor's name for a kind of document, and plain JSON.

    Raises:
        RefusalError: 406 if the client accepts neither.
    """
    accepted = _accepted(exchange)
    if {produced, "application/*", "*/*"} & set(accepted):
        return produced
    if JSON not in accepted:
        refuse(406, f"Resource produces {produced} but client only accepts [{', '.join(accepted)}]")
    return JSON


def refuse_in_text(exchange: Exchange, message: str) -> NoReturn:
    """
    Refuse with 400 as a resource that returns text: bare if plain JSON was negotiated, else wrapped as always.

    The filter that wraps errors does not change a response whose media type is JSON already.

    Raises:
        RefusalError: Always.
    """
    if not {"application/*", "*/*"} & set(_accepted(exchange)):
        raise RefusalError(Reply(400, {"Content-Type": JSON}, message.encode()))
    refuse(400, message)


def demand_pro(exchange: Exchange) -> None:
    """
    Accept this call only if the server is Artifactory Pro.

    Raises:
        RefusalError: 400 with the open source edition's text.
    """
    if exchange.instance.edition == "oss":
        refuse(
            400,
            "This REST API is available only in Artifactory Pro (see: jfrog.com/artifactory/features). If you are"
            " already running Artifactory Pro please make sure your server is activated with a valid license key.\n",
        )
