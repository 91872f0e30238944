"""Providers that can also be called without the session that they are given to."""

from ..._address import ServerURL, URLLike, parse_server_url
from ..._credentials import Credentials, ServerProvider, read_provided
from ..._errors import InvalidArgumentError
from ..._session import state_of
from ..session import session


class StandaloneProvider(ServerProvider):
    """
    A provider for the server of the session that it is given to, or for *server* where it is called itself.

    Args:
        server: Base address of a server, or None.
    """

    def __init__(self, server: URLLike | None) -> None:
        self._server: ServerURL | None = None if server is None else parse_server_url(server)
        self._latest: Credentials | None = None

    async def credentials(self, *, force: bool) -> Credentials:
        """
        Return credentials without a session, such as for a provider of your own that calls this one.

        Args:
            force: Whether the server has refused the ones returned before.

        Raises:
            InvalidArgumentError: If no *server* was given to the constructor.
            CredentialsError: If there are no credentials.
        """
        if self._server is None:
            name = type(self).__name__
            raise InvalidArgumentError(
                f"{name} does not know the server", hint=f"give it as auth= of a session, or write {name}(…, server=…)"
            )
        async with session(str(self._server), auth=Credentials.anonymous()) as opened:
            send = state_of(opened).token_sender
            assert send is not None, "our sessions have one"
            found = await self.fetch(self._server, send(opened), self._latest, is_refused=force)
        self._latest = read_provided(found, type(self).__name__)
        return self._latest
