"""
Requests that copy, move and delete items, and create folders.

See: JFrog REST API, "Copy Item", "Move Item", "Delete Item", "Create Directory".
"""

from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote

from .._address import ItemURL
from .._errors import AlreadyExistsError, InvalidArgumentError
from .._models import FileInfo, FolderInfo, Response
from .error_responses import shortened
from .json_values import objects_of, read_object, text_of
from .request import Request

Verb = Literal["copy", "move"]


def check_relocation(verb: Verb, source: ItemURL, target: ItemURL) -> None:
    """
    Check that a copy or a move is possible.

    Raises:
        InvalidArgumentError: If *target* is on another server, or is *source* or below it.
    """
    if source.server != target.server:
        raise InvalidArgumentError(
            f"{verb} {source}: {target} is on another server", hint="download() it, and deploy() it there"
        )
    if source.repository == target.repository and _is_within(target.path, source.path):
        raise InvalidArgumentError(f"{verb} {source}: {target} is the same place, or below it")


def _is_within(path: str, folder: str) -> bool:
    return not folder or f"{path}/".startswith(f"{folder}/")


def check_scope(what: str, item: ItemURL, *, whole_repository: bool) -> None:
    """
    Raise an error if *item* is a whole repository by mistake.

    Raises:
        InvalidArgumentError: If *item* has no path, and *whole_repository* is not set.
    """
    if not item.path and not whole_repository:
        raise InvalidArgumentError(
            f"{what} {item}: is a whole repository", hint="pass whole_repository=True if that is what you mean"
        )


def destination_of(
    verb: Verb, source: ItemURL, target: ItemURL, there: FileInfo | FolderInfo | None, *, overwrite: bool
) -> ItemURL:
    """
    Return the target to send to the server so that *source* becomes *target*.

    The server puts the source *below* a target that is a folder. To merge two folders of the same name, the parent of
    the target is therefore sent.

    Args:
        verb: Verb for messages.
        source: The item to copy or move.
        target: The requested address.
        there: The existing item at the target, or None.
        overwrite: Whether the existing item may be replaced.

    Raises:
        AlreadyExistsError: If it must not be replaced, or is a folder of another name.
    """
    if there is None:
        return target
    if not overwrite:
        raise AlreadyExistsError(f"{verb} {source}: {target} exists", hint="pass overwrite=True to replace it")
    if isinstance(there, FileInfo):
        return target
    if target.path and target.name == source.name:
        return target.parent
    is_inside = source == target / source.name
    hint = "it is there already" if is_inside else "end the URL with a slash to put it into that folder"
    raise AlreadyExistsError(f"{verb} {source}: {target} is a folder", hint=hint)


def build_relocation(verb: Verb, source: ItemURL, target: ItemURL, *, dry_run: bool) -> Request:
    """
    Request a copy or a move (Pro).

    It must not be sent twice: the second time the target would be a folder, and the source would be put below it.
    """
    to = quote(f"/{target.repository}/{target.path}", safe="/")
    query = f"to={to}&dry={dry_run:d}&suppressLayouts=1"
    url = f"{source.server}/api/{verb}/{source.location}?{query}"
    return Request("POST", url, source.server, repeatable=dry_run)


def read_relocation(request: Request, response: Response) -> tuple[str, ...]:
    """
    Read the response to a copy or a move.

    Raises:
        ResponseError: If the server refuses the request.
        ProtocolError: If the response is not that of a copy or a move.
    """
    return tuple(_messages(request, response))


def _messages(request: Request, response: Response) -> Iterator[str]:
    for entry in objects_of(request, read_object(request, response), "messages"):
        if words := text_of(entry.get("message")):
            yield shortened(words)


def build_delete(item: ItemURL) -> Request:
    """Request the deletion of a file, or of a folder with everything below it."""
    return Request("DELETE", str(item), item.server)


def build_folder(item: ItemURL) -> Request:
    """Request the creation of a folder and its parents."""
    return Request("PUT", f"{item}/", item.server)
