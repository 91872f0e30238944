"""Sends files: hashed first, so that the server can refuse damaged bytes."""
