"""
``/api/v1/uploads/...``: uploads in parts, new in 7.82.2; Artifactory Pro in front of object storage.

See: https://github.com/jfrog/jfrog-client-go, ``artifactory/services/utils/multipartupload.go``, JFrog's own client,
which is the only description.
"""

from ...protocol import jackson
from ...protocol.replies import Reply, json_reply, refuse
from ...storage.part_uploads import FOLDER, MultipartUpload
from ...wire import signing
from ...wire.exchange import Exchange
from ..request_checks import number
from .deploy import demand_deploy, enter_local

_MOST_PARTS = 10_000  # of object storage
_JSON = "application/json"


async def config(exchange: Exchange) -> Reply:
    """Report that uploads in parts are supported."""
    _demand_support(exchange)
    exchange.identify()
    return json_reply({"supported": True}, _JSON)


async def create(exchange: Exchange) -> Reply:
    """Start an upload for a user who may deploy there, and return its token."""
    _demand_support(exchange)
    exchange.identify()
    query = exchange.target.query
    key, path = query.get("repoKey", ""), query.get("repoPath", "").strip("/")
    if not key or not path or not number(exchange, "partSizeMB"):
        refuse(400, "repoKey, repoPath and partSizeMB are required")
    exchange.target = exchange.target.in_repository(key).at(path)
    repository = enter_local(exchange, exchange.repository(servlet=False))
    await demand_deploy(exchange)
    upload = exchange.instance.uploads.start(exchange.user, repository.key, path)
    return json_reply({"token": upload.token}, _JSON)


async def url_of_part(exchange: Exchange) -> Reply:
    """Return the signed URL of the second origin to which one part is put."""
    upload = _upload(exchange)
    part = number(exchange, "partNumber")
    if not 0 < part <= _MOST_PARTS:
        refuse(400, f"partNumber must be from 1 to {_MOST_PARTS}")
    if not upload.takes_parts:
        refuse(400, f"The upload takes no parts: it is {upload.status}")
    return json_reply({"url": signing.signed_path(exchange.instance, f"{FOLDER}/{upload.key}/{part}")}, _JSON)


async def complete(exchange: Exchange) -> Reply:
    """Join the parts to a file with the given SHA-1."""
    upload = _upload(exchange)
    sha1 = exchange.target.query.get("sha1") or refuse(400, "sha1 is required")
    upload.complete(sha1)
    return Reply(202)


async def status(exchange: Exchange) -> Reply:
    """Return the progress of joining the parts, and at its end the token for the deploy."""
    upload = _upload(exchange)
    await exchange.instance.in_thread(upload.advance)
    document: dict[str, jackson.JSON] = {"status": upload.status, "progress": upload.progress}
    if upload.error:
        document["error"] = upload.error
    if upload.status == "FINISHED":
        document["checksumToken"] = upload.checksum_token
    return json_reply(document, _JSON)


async def abort(exchange: Exchange) -> Reply:
    """Abort an upload."""
    _upload(exchange).abort()
    return Reply(204)


def _demand_support(exchange: Exchange) -> None:
    if not exchange.instance.profile.is_platform or exchange.instance.edition == "oss":
        exchange.refuse_unknown()


def _upload(exchange: Exchange) -> MultipartUpload:
    """Return the upload whose token the request has."""
    _demand_support(exchange)
    token = exchange.request.headers.get("Authorization", "").removeprefix("Bearer ")
    upload = exchange.instance.uploads.with_token(token)
    return upload or refuse(401, f"Bad props auth token: basictoken={token}", servlet=True, challenge=True)
