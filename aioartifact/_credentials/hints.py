"""What a refusal (401) says about the credentials that were sent: where they come from, never the secret."""

from .value import NONE_FOUND, Credentials

# A session that this library did not open, whose credentials are unknown here.
FOREIGN_HINT = "check the credentials of this session; aioartifact adds none to a session that it has not opened"
# A session of ours to which the user has added credentials as header fields.
HEADERS_HINT = "check the credentials in the headers of the session, which replace all others"


def login_hint(credentials: Credentials) -> str:
    """Say which credentials were sent, where they come from, and which sources were skipped and why."""
    skipped = f"; skipped: {'; '.join(credentials.skipped)}" if credentials.skipped else ""
    return _sent(credentials) + skipped


def _sent(credentials: Credentials) -> str:
    source = "the argument auth" if credentials.source == "argument" else credentials.source
    match credentials.kind:
        case "basic":
            user = f"sent as user {credentials.username!r}" if credentials.username else "sent without a user name"
            return f"check user and password, API key or token: {user}, from {source}"
        case "bearer":
            return f"check the access token, which may have expired: from {source}"
        case "api_key":
            return f"check the API key: from {source}"
    if source.startswith(NONE_FOUND):
        return f"requested anonymously; credentials: {source}"
    return f"requested anonymously, because of {source}"
