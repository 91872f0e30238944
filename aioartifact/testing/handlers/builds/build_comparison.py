"""How two runs of a build differ, as ``GET api/build/{name}/{number}?diff={number}`` prints it."""

from collections.abc import Mapping, Sequence

from ...protocol import build_info, jackson
from ...protocol.build_info import Document, Produced

_Entries = Mapping[str, list[jackson.JSON]]


def compared(newer: Document, older: Document) -> jackson.JSON:
    """Compare the artifacts, dependencies and properties of two documents."""
    new, old = build_info.modules_of(newer), build_info.modules_of(older)
    return {
        "artifacts": _files(
            {(each.name, file.name): file for each in new for file in each.artifacts},
            {(each.name, file.name): file for each in old for file in each.artifacts},
            ("name", "diffName"),
        ),
        "dependencies": _files(
            {(each.name, file.name): file for each in new for file in each.dependencies},
            {(each.name, file.name): file for each in old for file in each.dependencies},
            ("id", "diffId"),
        ),
        "properties": _properties(build_info.properties_of(newer), build_info.properties_of(older)),
    }


def _files(
    new: Mapping[tuple[str, str], Produced], old: Mapping[tuple[str, str], Produced], names: tuple[str, str]
) -> _Entries:
    found = _empty()
    for (module, name), file in {**old, **new}.items():
        before, after = old.get((module, name)), new.get((module, name))
        kind = _kind(before.sha1 if before else None, after.sha1 if after else None)
        shown: dict[str, jackson.JSON] = {names[0]: name} if after else {}
        shown |= {names[1]: name} if before else {}
        shown |= {"module": module, "type": file.type, "sha1": file.sha1, "md5": file.md5}
        found[kind].append(shown | ({"scopes": list(file.scopes)} if names[0] == "id" else {}))
    return found


def _properties(new: Mapping[str, str], old: Mapping[str, str]) -> _Entries:
    found = _empty()
    for key in {**old, **new}:
        shown: dict[str, jackson.JSON] = {"key": key}
        shown |= {"value": new[key]} if key in new else {}
        shown |= {"diffValue": old[key]} if key in old else {}
        found[_kind(old.get(key), new.get(key))].append(shown)
    return found


def _kind(before: str | None, after: str | None) -> str:
    if before is None:
        return "new"
    if after is None:
        return "removed"
    return "unchanged" if before == after else "updated"


def _empty() -> dict[str, list[jackson.JSON]]:
    kinds: Sequence[str] = ("new", "updated", "unchanged", "removed")
    return {kind: [] for kind in kinds}
