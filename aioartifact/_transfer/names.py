"""Names as file systems see them: which the same file has, and which Windows can hold."""

import hashlib
import re
import unicodedata

_MAX_UNITS = 255
_DIGEST_CHARACTERS = 32
# Reserved with any extension; the superscript digits count as digits there.
# See: Microsoft, "Naming Files, Paths, and Namespaces".
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])[ ]*(?:\.|$)", re.IGNORECASE)
# Last, a percent sign that would read as one of ours.
_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*\x7f]|[. ]$|%(?=[0-9A-Fa-f]{2}|~)')


def windows_name(name: str) -> str:
    """
    Map one segment of a server's path to a name that Windows can hold.

    What Windows refuses is percent-encoded, a name it takes for a device by its first letter; a safe name stays. Names
    of more than 255 UTF-16 units are cut, and end in ``%~`` and a digest of the whole. No two names get the same.
    """
    escaped = _UNSAFE.sub(_escape, name)
    if _DEVICE.match(name):
        escaped = f"%{ord(name[0]):02X}{escaped[1:]}"
    if _units(escaped) <= _MAX_UNITS:
        return escaped
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{_cut(escaped, _MAX_UNITS - len(digest) - 2)}%~{digest}"


def _escape(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


def _units(name: str) -> int:
    return len(name.encode("utf-16-le", "surrogatepass")) // 2


def _cut(name: str, units: int) -> str:
    return name.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore")


def folded(name: str) -> str:
    """What file systems that ignore case, or how an accent is written, take *name* for."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
