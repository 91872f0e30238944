"""Sizes and times as people read them."""


def size(count: float) -> str:
    """Bytes in binary units: ``12 B``, ``3.4 MiB``."""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 999.95:  # what would round to four digits goes to the next unit
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} TiB"


def duration(seconds: float) -> str:
    """Seconds as a clock shows them: ``0:07``, ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def files(count: int) -> str:
    """``1 file``, ``12 files``."""
    return f"{count} file" if count == 1 else f"{count} files"


def printable(name: str) -> str:
    """Replace what would move the cursor or change colours: a server may hold any name."""
    return "".join(character if character.isprintable() else "�" for character in name)
