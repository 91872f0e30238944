"""
Artifactory Query Language: the queries this library sends.

AQL strings know no escape: a value runs to the next double quote, and leading blanks are lost. What cannot be
said is refused here instead of becoming another query.

See: JFrog, "Artifactory Query Language".
"""

from ._errors import InvalidArgumentError

_LISTED_FIELDS = ("repo", "path", "name", "size", "modified", "sha256", "actual_sha1", "actual_md5")


def string(value: str) -> str:
    """
    Write *value* as an AQL string.

    Raises:
        InvalidArgumentError: It has a double quote or a leading blank, which AQL cannot express.
    """
    if '"' in value or value != value.lstrip():
        raise InvalidArgumentError(f"{value!r}: AQL cannot express a double quote or a leading blank")
    return f'"{value}"'


def folders_in(repository: str, path: str) -> str:
    """
    Query for the folders directly in a folder.

    Raises:
        InvalidArgumentError: See :func:`string`.
    """
    criteria = f'"repo":{string(repository)},"path":{string(path or ".")},"type":"folder"'
    return f'items.find({{{criteria}}}).include("repo","path","name")'


def files_below(repository: str, path: str) -> str:
    """
    Query for all files in a folder, on every level.

    ``*`` and ``?`` in *path* also match other characters, so rows may lie elsewhere: compare their path.

    Raises:
        InvalidArgumentError: See :func:`string`.
    """
    criteria = f'"repo":{string(repository)}'
    if path:
        criteria += f',"$or":[{{"path":{string(path)}}},{{"path":{{"$match":{string(path + "/*")}}}}}]'
    fields = ",".join(map(string, _LISTED_FIELDS))
    return f"items.find({{{criteria}}}).include({fields})"
