"""Sizes as people read them."""

_UNITS = ("KB", "MB", "GB", "TB")


def human(size: int) -> str:
    """Print a number of bytes with the largest unit that leaves at least one."""
    if size < 1024:
        return f"{size} bytes"
    power = min((size.bit_length() - 1) // 10, len(_UNITS))
    return f"{size / 1024**power:.2f} {_UNITS[power - 1]}"


def percentage(part: int, whole: int) -> str:
    """Print what share of *whole* a *part* is; of nothing it is all."""
    return f"{100 * part / whole:.2f}%" if whole else "100%"
