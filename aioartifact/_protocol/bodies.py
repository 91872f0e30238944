"""What a body is, told before it is believed: JSON, a web page, a file of an Artifactory."""

import json
from collections.abc import Mapping
from typing import Any


def parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python limits how many digits it converts
        raise ValueError("a number of too many digits") from None


def is_html(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").lower().startswith("text/html")


def is_file(headers: Mapping[str, str]) -> bool:
    """Whether Artifactory says that a body is a file it holds; its own web pages come without these fields."""
    return "X-Artifactory-Filename" in headers or "X-Checksum-Sha1" in headers
