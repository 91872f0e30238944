"""Control of a server over HTTP, for tests in other languages."""

from .dispatch import RemoteControl as RemoteControl

__all__ = ["RemoteControl"]
