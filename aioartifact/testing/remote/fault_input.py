"""Faults as JSON: ``{"cut": {"after": 10}, "ignore_range": {}}``, or a name for one without arguments."""

from collections.abc import Callable
from functools import reduce
from operator import or_

from ..wire.faults import BodyKind, Fault
from .json_fields import BadInputError, Fields, shown

_BODIES = ("json", "html", "text")


def fault_of(value: object) -> Fault:
    """
    Make the fault that *value* describes.

    Raises:
        BadInputError: If a name or an argument is not known, or two faults do not go together.
    """
    named = {value: {}} if isinstance(value, str) else value
    if not isinstance(named, dict) or not named:
        raise BadInputError(f"'fault' must be a name or an object of arguments by name, not {shown(value)}")
    try:
        return reduce(or_, (_single(name, arguments) for name, arguments in named.items()))
    except ValueError as error:
        raise BadInputError(str(error)) from None


def _single(name: str, arguments: object) -> Fault:
    make = _FAULTS.get(name)
    if make is None:
        raise BadInputError(f"no fault {name!r}: one of {', '.join(_FAULTS)}")
    fields = Fields(arguments, f"fault {name!r}")
    fault = make(fields)
    fields.finish()
    return fault


def _status(fields: Fields) -> Fault:
    status = fields.whole("status", minimum=200, maximum=599)
    headers, message = fields.headers("headers"), fields.text("message", "")
    return Fault.status(status, _body(fields), headers, message)


def _body(fields: Fields) -> BodyKind | bytes:
    body = fields.take("body", "json")
    if isinstance(body, dict):
        return fields.content("body")
    kind: BodyKind = fields.text("body", "json", choices=_BODIES)
    return kind


def _retry_after(fields: Fields) -> Fault:
    return Fault.retry_after(fields.whole("status", 429, minimum=400, maximum=599), fields.header("value"))


def _redirect(fields: Fields) -> Fault:
    return Fault.redirect(fields.header("location"), fields.whole("status", 302, minimum=300, maximum=399))


def _rate_limit(fields: Fields) -> Fault:
    return Fault.rate_limit(fields.whole("requests"), fields.number("per", 1.0, positive=True))


def _slow(fields: Fields) -> Fault:
    return Fault.slow(fields.number("latency", 0.0), fields.number("bandwidth", None, positive=True))


_FAULTS: dict[str, Callable[[Fields], Fault]] = {
    "status": _status,
    "retry_after": _retry_after,
    "rate_limit": _rate_limit,
    "expired_token": lambda _: Fault.expired_token(),
    "redirect": _redirect,
    "reset": lambda fields: Fault.reset(fields.whole("after", 0)),
    "lose": lambda _: Fault.lose(),
    "truncate": lambda fields: Fault.truncate(fields.whole("after", 0)),
    "cut": lambda fields: Fault.cut(fields.whole("after", 0)),
    "stall": lambda fields: Fault.stall(fields.whole("after", 0)),
    "hold": lambda _: Fault.hold(),
    "slow": _slow,
    "flip": lambda fields: Fault.flip(fields.whole("at", 0)),
    "replace": lambda fields: Fault.replace(fields.content("data")),
    "overwrite": lambda fields: Fault.overwrite(*fields.contents("contents")),
    "drop_checksums": lambda _: Fault.drop_checksums(),
    "wrong_etag": lambda fields: Fault.wrong_etag(fields.header("etag", "0" * 40)),
    "ignore_range": lambda _: Fault.ignore_range(),
}
