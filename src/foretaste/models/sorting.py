"""The best of numbers, and numbers in order.

NumPy does it as well, but to compile these takes a tenth of the time.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from foretaste.domain.arrays import Int64s, Ordinals
from foretaste.domain.kernel import kernel

N = TypeVar("N", np.int64, np.float32)


@kernel
def rise(numbers: Int64s | Ordinals) -> None:
    """Put numbers in order, the smallest first (heapsort: Williams, 1964)."""
    n = len(numbers)
    top = n // 2
    while top > 0:
        top -= 1
        _sink(numbers, top, n)
    for end in range(n - 1, 0, -1):
        numbers[0], numbers[end] = numbers[end], numbers[0]
        _sink(numbers, top, end)


@kernel
def fall(numbers: Int64s) -> None:
    """Put numbers in order, the largest first."""
    rise(numbers)
    for place in range(len(numbers) // 2):
        other = len(numbers) - 1 - place
        numbers[place], numbers[other] = numbers[other], numbers[place]


@kernel
def _sink(heap: Int64s | Ordinals, at: int, n: int) -> None:
    """Let the number at `at` sink until none below it, of `n`, is larger."""
    number = heap[at]
    while 2 * at + 1 < n:
        below = 2 * at + 1
        below += below + 1 < n and heap[below + 1] > heap[below]
        if heap[below] <= number:
            break
        heap[at] = heap[below]
        at = below
    heap[at] = number


@kernel
def keep_best(numbers: NDArray[N], n: int, m: int) -> N:
    """Reorder `numbers[:n]` so that the largest `m` come first, in no order; return the smallest of these.

    `0 < m <= n`. Hoare's selection, the pivot being the median of three.
    """
    low, high = 0, n - 1
    while low < high and m < n:
        a, b, c = numbers[low], numbers[(low + high) // 2], numbers[high]
        pivot = max(min(a, b), min(max(a, b), c))
        left, right = low, high
        while left <= right:
            while numbers[left] > pivot:
                left += 1
            while numbers[right] < pivot:
                right -= 1
            if left <= right:
                numbers[left], numbers[right] = numbers[right], numbers[left]
                left += 1
                right -= 1
        if m - 1 > right and m - 1 < left:
            break
        if m - 1 <= right:
            high = right
        else:
            low = left
    least: N = numbers[0]
    for k in range(1, m):
        least = min(least, numbers[k])
    return least


@kernel
def mth_largest(numbers: NDArray[N], m: int) -> N:
    """Return the `m`th largest of the numbers, `m` above 0, which stay where they are."""
    return keep_best(numbers.copy(), len(numbers), m)
