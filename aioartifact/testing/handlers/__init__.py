"""What the server answers: one module per group of endpoints, each a set of coroutine functions."""
