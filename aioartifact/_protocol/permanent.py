"""Refusals that Artifactory answers with 500, as if they might pass, although no retry changes them."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from .._errors import ArtifactoryError, ConflictError, InvalidURLError, NotAFileError, ServerError
from .._models import Response
from .bodies import parse_json


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    One kind of permanent refusal.

    Attributes:
        words: What its message contains.
        kind: The error for it.
        hint: What to try.
    """

    words: re.Pattern[str]
    kind: type[ArtifactoryError]
    hint: str


_PARENT_HINT = "a file has the name of a folder in this path; delete it or use another path"
# Seen in 4.7.4 and in the sources of 6.20: exceptions for which no status is defined.
_REFUSALS = (
    Refusal(
        re.compile(r"Expected a file but found a folder"),
        NotAFileError,
        "a folder has this name; use another one, or end the URL given to deploy() with a slash to put a file into it",
    ),
    Refusal(re.compile(r"Expected a folder but found a file"), ConflictError, _PARENT_HINT),
    Refusal(re.compile(r"\bParent .* must be a folder", re.DOTALL), ConflictError, _PARENT_HINT),
    Refusal(
        re.compile(r"Invalid path\b|is not a valid name character|\bPath (?:element )?cannot "),
        InvalidURLError,
        "Artifactory does not accept this name; choose another one",
    ),
    Refusal(
        re.compile(r"\bRepository '[^']*' is not a local repository"),
        ServerError,
        "use the URL of the local repository that holds it",
    ),
)


def permanent_refusal(response: Response) -> Refusal | None:
    """Return which permanent refusal *response* is: a 500 in Artifactory's own JSON; None if it may pass."""
    if response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    messages = list(_messages(response.text))
    return next((refusal for refusal in _REFUSALS if any(map(refusal.words.search, messages))), None)


def _messages(text: str) -> list[str]:
    try:
        document = parse_json(text)
    except ValueError:
        return []
    found = [document.get(key) for key in ("errors", "messages")] if isinstance(document, dict) else []
    entries = [entry for each in found if isinstance(each, list) for entry in each]
    messages = [entry.get("message") for entry in entries if isinstance(entry, dict)]
    return [message for message in messages if isinstance(message, str)]
