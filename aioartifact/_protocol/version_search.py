"""The newest version of an artifact as the server sees it: by the layout of its repository, in Maven's order."""

from urllib.parse import urlencode

from .._address import ServerURL, has_surrogates
from .._models import Response
from .bodies import readable_text
from .error_responses import raise_for_status
from .json_values import not_artifactory
from .request import Request


def build_latest_version(server: ServerURL, repository: str, group_id: str, name: str) -> Request:
    """
    Ask for the newest release; 404 where there is none.

    See: JFrog REST API, "Artifact Latest Version Search Based on Layout".
    """
    query = urlencode({"g": group_id, "a": name, "repos": repository})
    return Request("GET", f"{server}/api/search/latestVersion?{query}", server)


def read_latest_version(request: Request, response: Response) -> str:
    """
    Read the version, which is the whole of the text.

    Raises:
        ResponseError: The server said no.
        ProtocolError: The answer is no version.
    """
    raise_for_status(request, response)
    version = readable_text(response)
    if not version or version[0] in "<{[" or "<" in version or "\n" in version or has_surrogates(version):
        raise not_artifactory(request, "something that is no version")
    return version
