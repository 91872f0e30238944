"""The public functions for code that blocks: what `aioartifact.blocking` consists of."""
