"""Human-readable sizes and times."""

import re
from datetime import datetime, timedelta

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw])", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def size(count: float) -> str:
    """Bytes in binary units: ``12 B``, ``3.4 MiB``."""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 999.95:  # use the next unit instead of four digits
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} TiB"


def duration(seconds: float) -> str:
    """Seconds in the form of a clock: ``0:07``, ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def files(count: int) -> str:
    """``1 file``, ``12 files``."""
    return f"{count} file" if count == 1 else f"{count} files"


def printable(name: str) -> str:
    """Replace control characters, which a name on a server may contain."""
    return "".join(character if character.isprintable() else "�" for character in name)


def parse_size(text: str) -> int:
    """
    Parse a size in bytes: ``1500``, ``64K``, ``1.5 MiB``; units are powers of 1024.

    Raises:
        ValueError: If *text* is not valid.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a size; expected one like 1500, 64K or 1.5MiB")
    return int(float(match[1]) * 1024 ** _POWERS[match[2].lower()])


def parse_duration(text: str) -> float:
    """
    Parse a time span in seconds: ``90s``, ``15m``, ``12h``, ``7d``, ``2w``.

    Raises:
        ValueError: If *text* is not valid.
    """
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a time span; expected one like 15m, 12h or 7d")
    return float(match[1]) * _SECONDS[match[2].lower()]


def parse_moment(text: str) -> datetime:
    """
    Parse a date, local if it has no time zone, or a time span before now: ``2026-01-31``, ``7d``.

    Raises:
        ValueError: If *text* is not valid.
    """
    if _DURATION.fullmatch(text.strip()):
        return datetime.now().astimezone() - timedelta(seconds=parse_duration(text))
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is not a date; expected one like 2026-01-31, 2026-01-31T12:00Z, or a time span like 7d"
        ) from None
