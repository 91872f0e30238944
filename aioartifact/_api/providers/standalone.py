"""Providers that can also be called without a session."""

from ..._address import ServerURL, URLLike, parse_server_url
from ..._credentials import Credentials, ServerProvider, read_provided
from ..._errors import InvalidArgumentError
from ..._session import state_of
from ..session import session


class StandaloneProvider(ServerProvider):
    """
    A provider for the server of its session, or, if it is called without a session, for *server*.

    Args:
        server: Base address of a server, or None.
    """

    def __init__(self, server: URLLike | None) -> None:
        self._server: ServerURL | None = None if server is None else parse_server_url(server)
        self._latest: Credentials | None = None

    async def credentials(self, *, force: bool) -> Credentials:
        """
        Return credentials without a session, for instance in a provider of your own.

        Args:
            force: Whether the server has refused the previous credentials.

        Raises:
            InvalidArgumentError: If the provider was created without *server*.
            CredentialsError: If no credentials were found.
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
