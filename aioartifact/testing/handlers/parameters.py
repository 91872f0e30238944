"""Query parameters that are numbers."""

from ..protocol.replies import refuse
from ..wire.exchange import Exchange


def number(exchange: Exchange, name: str, default: int = 0) -> int:
    """
    Return a query parameter as a number; one without a value is *default*.

    Raises:
        RefusalError: 400, it is not a number.
    """
    text = exchange.target.query.get(name) or str(default)
    if not text.isdecimal():
        refuse(400, f'For input string: "{text}"')
    return int(text)


def is_true(text: str | None) -> bool:
    """Whether a header or parameter is on; as with Java's ``parseBoolean``, its case does not matter."""
    return text is not None and text.lower() == "true"
