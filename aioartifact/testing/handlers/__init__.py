"""The responses of the server: one module per group of endpoints, each a set of coroutine functions."""
