"""Signed URLs of the second origin, in the shape of S3's: short-lived and good for one path."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import quote

from ..instance import Instance
from ..storage.store import Item

LIFETIME = 30  # seconds, the real server's default (signedUrlExpirySeconds)

_KEY = secrets.token_bytes(32)


def signed_url(instance: Instance, item: Item) -> str:
    """Return the URL under which the second origin serves *item* for a while."""
    return signed_path(instance, f"{item.repo}/{item.path}")


def signed_path(instance: Instance, path: str) -> str:
    """Return the URL under which the second origin takes requests for *path* for a while."""
    expires = str(int(instance.clock()) + LIFETIME)
    query = f"X-Amz-Date={expires}&X-Amz-Expires={LIFETIME}&X-Amz-Signature={_sign(path, expires)}"
    return f"{instance.storage_origin}/{quote(path)}?{query}"


def is_signed(path: str, query: Mapping[str, str]) -> bool:
    """Return whether *query* carries our signature for *path*."""
    wanted = _sign(path, query.get("X-Amz-Date", ""))
    return hmac.compare_digest(wanted, query.get("X-Amz-Signature", ""))


def is_expired(instance: Instance, query: Mapping[str, str]) -> bool:
    """Return whether the time of a URL with a good signature is over."""
    return int(query["X-Amz-Date"]) < instance.clock()


def _sign(path: str, expires: str) -> str:
    return hmac.new(_KEY, f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()
