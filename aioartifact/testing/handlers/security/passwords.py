"""``GET api/security/encryptedPassword``: what clients keep instead of a password."""

from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange


async def get(exchange: Exchange) -> Reply:
    """Answer with a text that works as the user's password."""
    exchange.demand_user()
    accounts = exchange.instance.accounts
    user = accounts.get(exchange.user.name)
    encrypted = accounts.encrypted_password(user) if user else ""
    if not encrypted:
        refuse(409, "User has no password that could be encrypted")
    return Reply(200, {"Content-Type": "text/plain"}, encrypted.encode())
