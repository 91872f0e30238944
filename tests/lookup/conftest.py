"""A lookup table on the embedded server."""

import pytest

import aioartifact
from aioartifact import Lookup

GROUP = "com.acme.models"
FOLDER = "generic-local/com/acme/models/lookup"


@pytest.fixture
def place(server):
    return server.url, "generic-local", GROUP


@pytest.fixture
async def lookup(server, session, place):
    await Lookup.create(*place, "1.0.0", ["rate", "purpose"], session=session)
    server.clear_log()
    return Lookup(*place, version="1.0.0", session=session)


@pytest.fixture
async def names(server):
    """Lists the names in the folder of the version, as another session sees them."""
    async with aioartifact.session(server.url, auth=(server.username, server.password)) as other:

        async def list_names():
            folder = await aioartifact.info(f"{server.url}/{FOLDER}/1.0.0", session=other)
            return [child.name for child in folder.children]

        yield list_names
