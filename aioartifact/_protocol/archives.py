"""
What a server does with archives: hand out a member of one, and a folder as one.

See: JFrog REST API, "Archive Entry Download", "Retrieve Folder or Repository Archive".
"""

from .._address import ItemURL, quote_path
from .request import IDENTITY, Request


def build_archive_member(item: ItemURL, member: str) -> Request:
    """Ask for a file out of an archive (Pro)."""
    return Request("GET", f"{item}!/{quote_path(member)}", item.server, IDENTITY, is_for_file=True)


def build_folder_archive(item: ItemURL) -> Request:
    """
    Ask for a folder as a zip file (Pro, where the administrator allows it).

    Of the types there are, zip alone has a checksum for each file, and an end that tells a whole archive from a
    part of one: the answer has no length.
    """
    url = f"{item.server}/api/archive/download/{item.location}?archiveType=zip"
    return Request("GET", url, item.server, IDENTITY, is_for_file=True)
