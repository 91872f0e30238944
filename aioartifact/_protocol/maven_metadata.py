"""
The description of an artifact in the ``maven-metadata.xml`` of a Maven repository.

See: https://maven.apache.org/repositories/metadata.html
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NoReturn
from xml.parsers import expat  # the parser below rejects document types, and so entities

from .._address import ItemURL
from .._errors import ProtocolError
from .._models import MavenMetadata, Response
from .error_responses import raise_for_status
from .request import Request

_FILE = "maven-metadata.xml"
# One of these elements is in the metadata of an artifact, of a group of plugins, or of a snapshot.
_OF_METADATA = frozenset({"metadata/versioning", "metadata/plugins", "metadata/version"})
_MAX_DEPTH = 4  # metadata/versioning/versions/version


def build_maven_metadata(artifact: ItemURL) -> Request:
    """Request the metadata of an artifact, which the server calculates, or merges from the members of a repository."""
    return Request("GET", str(artifact / _FILE), artifact.server)


def read_maven_metadata(request: Request, response: Response) -> MavenMetadata:
    """
    Read the metadata of an artifact.

    Raises:
        ResponseError: If the server refuses the request.
        ProtocolError: If the response is something else, or declares a document type: metadata has none, and entities
            that expand each other could fill the memory.
    """
    raise_for_status(request, response)
    try:
        texts = _texts_of(response.content)
    except (expat.ExpatError, ValueError) as error:
        raise ProtocolError(f"{request.label}: the response is not Maven metadata: {error}") from None
    return MavenMetadata(
        latest=_first(texts, "latest"),
        release=_first(texts, "release"),
        versions=tuple(texts["metadata/versioning/versions/version"]),
        last_updated=_date(_first(texts, "lastUpdated")),
    )


def _first(texts: Mapping[str, Sequence[str]], name: str) -> str | None:
    return next(iter(texts.get(f"metadata/versioning/{name}", ())), None)


def _date(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _texts_of(content: bytes) -> dict[str, list[str]]:
    """
    Return the texts of the elements by their path.

    Raises:
        ExpatError: If it is not XML.
        ValueError: If it declares a document type, or is not Maven metadata.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    path: list[str] = []
    text: list[str] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        path.append(name)
        text.clear()

    def end(name: str) -> None:
        if len(path) <= _MAX_DEPTH:
            found["/".join(path)].append("".join(text).strip())
        path.pop()
        text.clear()

    def refuse(*declaration: object) -> NoReturn:
        raise ValueError("it declares a document type")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.Parse(content, True)
    if "metadata" not in found:
        raise ValueError("its root is another element")
    if _OF_METADATA.isdisjoint(found):
        raise ValueError("it lists nothing")
    return found
