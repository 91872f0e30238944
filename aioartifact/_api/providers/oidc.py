"""Access tokens in exchange for the identity token of a CI job."""

import inspect
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio.to_thread

from ..._address import ServerURL, URLLike
from ..._credentials import (
    Credentials,
    SendToken,
    exchange_request,
    github_request,
    read_github_token,
    read_token,
)
from ..._errors import CredentialsError, InvalidArgumentError
from ..._files import read_text_if_exists
from ..._options import check_path, check_texts
from .standalone import StandaloneProvider

_JFROG_VARIABLE = "JFROG_CLI_OIDC_EXCHANGE_TOKEN_ID"
_HINT = (
    "in GitHub Actions, the job needs `permissions: id-token: write`; elsewhere, set "
    f"{_JFROG_VARIABLE}, or give variable=, file= or id_token="
)


class OIDC(StandaloneProvider):
    """
    Access tokens in exchange for the identity token of a CI job (OpenID Connect).

    ::

        async with aioartifact.session(server, auth=aioartifact.OIDC("github")) as session:
            ...

        aioartifact.OIDC("gitlab", variable="JFROG_ID_TOKEN")  # from `id_tokens:` of the job

    Before an access token expires, the next one is requested with a new identity token. That comes from *variable*,
    *file* or *id_token*, if one of them is set; otherwise from the variable ``JFROG_CLI_OIDC_EXCHANGE_TOKEN_ID``, if
    set; otherwise from GitHub, in a job of GitHub Actions.

    Args:
        provider_name: Name of the OIDC integration in Artifactory.
        variable: Environment variable with an identity token.
        file: File with an identity token; it is read each time, because it may be replaced.
        id_token: Function or async function, without arguments, that returns an identity token.
        audience: Audience of the identity token to request from GitHub; None for GitHub's default.
        project_key: Key of the JFrog project that the token is for.
        identity_mapping: Name of the identity mapping to use; None for the first that matches.
        application_key: Key of the JFrog application that the job belongs to.
        provider_type: ``"GitHub"``, ``"Azure"`` or ``"GenericOidc"``; None lets the server decide.
        server: Base address of the server, for calls of :meth:`credentials` without a session.

    Raises:
        InvalidArgumentError: If a name is empty or not a str, or if more than one source of the token is set.

    See: https://docs.jfrog.com/administration/docs/openid-connect-integration
    """

    def __init__(
        self,
        provider_name: str,
        *,
        variable: str | None = None,
        file: str | os.PathLike[str] | None = None,
        id_token: Callable[[], str | Awaitable[str]] | None = None,
        audience: str | None = None,
        project_key: str | None = None,
        identity_mapping: str | None = None,
        application_key: str | None = None,
        provider_type: str | None = None,
        server: URLLike | None = None,
    ) -> None:
        super().__init__(server)
        options = {
            "project_key": project_key,
            "identity_mapping_name": identity_mapping,
            "application_key": application_key,
            "provider_type": provider_type,
        }
        check_texts(variable=variable, audience=audience, **options)
        if provider_name is None:
            raise InvalidArgumentError("provider_name is None; expected the name of the OIDC integration")
        check_texts(provider_name=provider_name)
        if id_token is not None and not callable(id_token):
            raise InvalidArgumentError(
                f"id_token is a {type(id_token).__name__}; expected a function that returns the token"
            )
        if sum(each is not None for each in (variable, file, id_token)) > 1:
            raise InvalidArgumentError("OIDC: give only one of variable, file and id_token")
        self._provider_name = provider_name
        self._variable = variable
        self._file = None if file is None else check_path("file", file)
        self._id_token = id_token
        self._audience = audience
        self._options = {name: value for name, value in options.items() if value is not None}

    def __repr__(self) -> str:
        return f"OIDC({self._provider_name!r})"

    async def fetch(
        self, server: ServerURL, send: SendToken, current: Credentials | None, *, is_refused: bool
    ) -> Credentials:
        """Request a new access token."""
        identity = await self._identity(send)
        response = await send(exchange_request(server, self._provider_name, identity, self._options))
        what = f"OIDC provider {self._provider_name!r}: {server} exchanged no token"
        return read_token(response, what, [identity]).credentials(f"OIDC provider {self._provider_name!r}")

    async def _identity(self, send: SendToken) -> str:
        """Return an identity token."""
        if self._id_token is not None:
            return _checked("id_token", await self._called(self._id_token))
        if self._file is not None:
            return _checked(f"file {self._file}", await _content_of(self._file))
        if self._variable is not None:
            return _checked(f"environment {self._variable}", os.environ.get(self._variable))
        if os.environ.get(_JFROG_VARIABLE):
            return _checked(f"environment {_JFROG_VARIABLE}", os.environ[_JFROG_VARIABLE])
        request = github_request(os.environ, self._audience)
        if request is None:
            raise CredentialsError(f"OIDC provider {self._provider_name!r}: no identity token", hint=_HINT)
        return read_github_token(await send(request))

    @staticmethod
    async def _called(provide: Callable[[], str | Awaitable[str]]) -> object:
        result = provide()
        return await result if inspect.isawaitable(result) else result


async def _content_of(path: str) -> str | None:
    try:
        return await anyio.to_thread.run_sync(read_text_if_exists, Path(path))
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
    raise CredentialsError(f"OIDC: file {path}: {reason}")


def _checked(source: str, token: object) -> str:
    text = token.strip() if isinstance(token, str) else ""
    if not text:
        raise CredentialsError(f"OIDC: no identity token in {source}", hint="expected the text of a JSON Web Token")
    return text
