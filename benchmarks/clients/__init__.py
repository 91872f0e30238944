"""What is compared: one coroutine function per contender and kind of job; each returns what it counted."""
