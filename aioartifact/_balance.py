"""Items in parts of about the same weight."""

import heapq
from collections.abc import Sequence


def balanced(weights: Sequence[float], n: int) -> list[list[int]]:
    """
    Return the indexes of the items of each of *n* parts, sorted; none is heavier than the mean and one item more.

    The heaviest item comes first, and each goes to the lightest part.
    """
    parts: list[list[int]] = [[] for _ in range(n)]
    lightest = [(0.0, 0, number) for number in range(n)]
    for index in sorted(range(len(weights)), key=lambda index: (-weights[index], index)):
        weight, count, number = lightest[0]
        parts[number].append(index)
        heapq.heapreplace(lightest, (weight + weights[index], count + 1, number))
    return [sorted(part) for part in parts]
