"""Where in a query a server got lost."""

_NEAR = "near the following sub-query: "
_BEFORE, _BEHIND = 60, 40


def point_at(query: str, words: str) -> str | None:
    """
    Show the place in *query* that the *words* of a refusal complain about; None where they name none.

    ::

        items.find({"nam": "a.jar"})
                    ^
    """
    rest = words.partition(_NEAR)[2].strip()
    at = query.rfind(rest) if rest else -1
    if at < 0:
        return None
    start = max(0, at - _BEFORE)
    line = query[start : at + _BEHIND].replace("\n", " ").replace("\t", " ")
    return f"    {line}\n    {' ' * (at - start)}^"
