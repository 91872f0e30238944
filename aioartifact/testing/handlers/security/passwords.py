"""``api/security``: what clients keep instead of a password, and new passwords."""

from dataclasses import replace

from ...protocol.replies import Reply, refuse
from ...wire.exchange import Exchange
from .entities import read_object, text

_TEXT = {"Content-Type": "text/plain"}


async def get(exchange: Exchange) -> Reply:
    """Answer with a text that works as the user's password."""
    exchange.demand_user()
    accounts = exchange.instance.accounts
    user = accounts.get(exchange.user.name)
    encrypted = accounts.encrypted_password(user) if user else ""
    if not encrypted:
        refuse(409, "User has no password that could be encrypted")
    return Reply(200, _TEXT, encrypted.encode())


async def change(exchange: Exchange) -> Reply:
    """Change the password of a user, given the old one; a wrong one counts as a failed login."""
    exchange.demand_user()
    sent = await read_object(exchange)
    name, old, new = (text(sent, field) for field in ("userName", "oldPassword", "newPassword1"))
    accounts, now = exchange.instance.accounts, exchange.instance.clock()
    accounts.lockouts.check(name, now)
    user = accounts.get(name)
    if user is None or old != user.password:
        accounts.lockouts.failed(name, now)
        return _refused("Old password is incorrect")
    accounts.lockouts.succeeded(name)
    if new != text(sent, "newPassword2"):
        return _refused("New passwords do not match")
    if new == old:
        return _refused("New password has to be different from the old one")
    if not new:
        return _refused("New passwords cannot be empty")
    accounts.add(replace(user, password=new, password_expired=False))
    return Reply(200, _TEXT, b"Password has been successfully changed")


def _refused(message: str) -> Reply:
    return Reply(400, _TEXT, message.encode())
