"""The public coroutine functions, and the few that need no loop."""
