"""What a body is, told before it is believed: JSON, a web page, the word of an Artifactory."""

import json
from collections.abc import Mapping
from typing import Any


def parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def is_html(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").lower().startswith("text/html")


def is_from_artifactory(headers: Mapping[str, str]) -> bool:
    marks = ("X-Artifactory-Id", "X-JFrog-Version", "X-Artifactory-Filename", "X-Checksum-Sha1")
    return any(mark in headers for mark in marks) or headers.get("Server", "").startswith("Artifactory")
