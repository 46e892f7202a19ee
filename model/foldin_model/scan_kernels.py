"""Exact scores, whole numbers and the search of a block's scores, in machine code."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.compiling import DOUBLES, QUERIES, ROWS, STARTS, VECTORS, compiled

LANES: Final = 512
MOST: Final = 127  # the greatest whole number that is used of int8
_LISTS: Final = "int32[:, ::1], float64[:, ::1], int64[::1]"


@compiled()
def _score(vector: Floats, query: Doubles) -> float:
    """The inner product of (d,) numbers in float64, always summed in the same order.

    That is the order of numpy's sums of up to 128 numbers: eight sums of every eighth.
    """
    whole = len(query) - len(query) % 8
    a = b = c = d = e = f = g = h = 0.0
    for start in range(0, whole, 8):
        v, q = vector[start : start + 8], query[start : start + 8]
        a += np.float64(v[0]) * q[0]
        b += np.float64(v[1]) * q[1]
        c += np.float64(v[2]) * q[2]
        d += np.float64(v[3]) * q[3]
        e += np.float64(v[4]) * q[4]
        f += np.float64(v[5]) * q[5]
        g += np.float64(v[6]) * q[6]
        h += np.float64(v[7]) * q[7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for place in range(whole, len(query)):
        total += np.float64(vector[place]) * query[place]
    return float(total)


@compiled(f"float64[::1]({VECTORS}, {DOUBLES})")
def scores(vectors: Floats, query: Doubles) -> Doubles:
    """The inner product of each of (n, d) rows with the query (d,)."""
    totals = np.empty(len(vectors))
    for row in range(len(vectors)):
        totals[row] = _score(vectors[row], query)
    return totals


@compiled(f"float64[::1]({VECTORS}, {QUERIES}, {STARTS})")
def owned_scores(vectors: Floats, queries: Doubles, owners: Integers) -> Doubles:
    """The inner product of each of (n, d) rows with the `owners[i]`-th of (m, d) queries."""
    totals = np.empty(len(vectors))
    for row in range(len(vectors)):
        totals[row] = _score(vectors[row], queries[owners[row]])
    return totals


@compiled(f"Tuple((int8[:, ::1], float64[::1], float64[::1], float64[::1]))({QUERIES}, float64)")
def whole_numbers(
    rows: Doubles, smallest: float
) -> tuple[NDArray[np.int8], Doubles, Doubles, Doubles]:
    """Each of (m, d) rows as int8 times a unit of its own, `smallest` at least.

    What is given: (m, d) int8, the units (m,), the lengths (m,) of the rows and those of what
    rounding took from them.
    """
    whole = np.empty(rows.shape, np.int8)
    units, lengths, lost = np.empty(len(rows)), np.empty(len(rows)), np.empty(len(rows))
    for place in range(len(rows)):
        row = rows[place]
        unit = max(np.abs(row).max() / MOST, smallest)
        squares = lost_squares = 0.0
        for column in range(len(row)):
            rounded = np.rint(row[column] / unit)
            whole[place, column] = np.int8(rounded)
            squares += row[column] ** 2
            lost_squares += (row[column] - rounded * unit) ** 2
        units[place], lengths[place], lost[place] = unit, np.sqrt(squares), np.sqrt(lost_squares)
    return whole, units, lengths, lost


@compiled()
def _hide(numbers: Any, lowest: Any, start: int, hidden: Rows) -> None:
    """Takes rows, counted from `start`, out of (n,) numbers that may have them."""
    for row in hidden:
        if start <= row < start + len(numbers):
            numbers[row - start] = lowest


@compiled()
def _lane_tops(numbers: Any, tops: Any) -> None:
    """The greatest of each lane: those of (n,) numbers that stand `len(tops)` apart."""
    lanes = len(tops)
    tops[:] = numbers[:lanes]
    for start in range(lanes, len(numbers) - len(numbers) % lanes, lanes):
        row = numbers[start : start + lanes]
        for lane in range(lanes):
            tops[lane] = max(tops[lane], row[lane])
    rest = numbers[len(numbers) - len(numbers) % lanes :]
    for lane in range(len(rest)):
        tops[lane] = max(tops[lane], rest[lane])


@compiled()
def _greatest(numbers: Any, lowest: Any, best: Any) -> int:
    """Puts the greatest of (n,) numbers over `lowest` into `best` in order; how many there are."""
    found = 0
    for number in numbers:
        if number <= lowest or (found == len(best) and number <= best[found - 1]):
            continue
        place = min(found, len(best) - 1)
        found = min(found + 1, len(best))
        while place > 0 and best[place - 1] < number:
            best[place] = best[place - 1]
            place -= 1
        best[place] = number
    return found


@compiled()
def _reaching(  # noqa: PLR0917 (numba is quickest with arguments that have no names)
    numbers: Any, lowest: Any, tops: Any, bound: float, most: int, reaching: Any
) -> int:
    """Puts the rows of (n,) numbers over `lowest` that reach the bound into `reaching`.

    How many there are: if that is more than `most`, there may be others. There has to be room for
    so many and a lane.
    """
    found = 0
    for lane in range(len(tops)):
        if tops[lane] <= lowest or np.float64(tops[lane]) < bound:
            continue
        if found > most:
            break
        for row in range(lane, len(numbers), len(tops)):
            reaching[found] = row  # to be overwritten, without a branch that nobody can foretell
            found += (numbers[row] > lowest) & (np.float64(numbers[row]) >= bound)
    return found


@compiled()
def _with_hit(rows: Rows, scores: Doubles, count: int, row: int, score: float) -> int:
    """Puts a hit into a list of `count` in canonical order if it has a place; the new count."""
    if count == len(rows):
        last = count - 1
        if score < scores[last] or (score == scores[last] and row > rows[last]):
            return count
        place = last
    else:
        place, count = count, count + 1
    while place > 0 and (
        scores[place - 1] < score or (scores[place - 1] == score and rows[place - 1] > row)
    ):
        scores[place], rows[place] = scores[place - 1], rows[place - 1]
        place -= 1
    scores[place], rows[place] = score, row
    return count


@compiled(
    *(
        f"int64[::1]({numbers}[:, ::1], {numbers}, {DOUBLES}, {DOUBLES}, int64[::1], int64,"
        f" {VECTORS}, {QUERIES}, {ROWS}, {STARTS}, int64, {_LISTS})"
        for numbers in ("int32", "float32")
    )
)
def scan(  # noqa: PLR0917 (numba is quickest with arguments that have no names)
    numbers: "Rows | Floats",
    lowest: float,
    units: Doubles,
    slack: Doubles,
    places: Integers,
    start: int,
    vectors: Floats,
    queries: Doubles,
    hidden: Rows,
    hidden_starts: Integers,
    most: int,
    rows: Rows,
    scores: Doubles,
    counts: Integers,
) -> Integers:
    """Puts the best rows of a block into the lists of those queries that it is scanned for.

    These are at `places` (k,) of `queries` (m, d). `numbers` (k, n) times `units` (k,) are their
    scores for the block, no further than `slack` (k,) from the exact ones of its `vectors` (n, d).
    Rows are counted from `start`. What a query must not get, `hidden[hidden_starts[i] :
    hidden_starts[i + 1]]`, is set to `lowest`, which is less than all scores. A list has
    `counts[i]` entries of `rows[i]` and `scores[i]` in canonical order. What is given: how many
    rows were scored exactly (k,); where they would be more than `most`, none are and it is -1.
    """
    exact = np.zeros(len(places), np.int64)
    lanes = min(LANES, numbers.shape[1])
    tops, best = np.empty(lanes, numbers.dtype), np.empty(rows.shape[1], numbers.dtype)
    reaching = np.empty(most + numbers.shape[1] // lanes + 1, np.int64)
    for k in range(len(places)):
        own, place = numbers[k], places[k]
        _hide(own, lowest, start, hidden[hidden_starts[place] : hidden_starts[place + 1]])
        _lane_tops(own, tops)
        last, bound = -np.inf, -np.inf
        # The best of each lane are of different rows: the last of them is no better than the
        # last that is sought, but for the slack of both.
        if _greatest(tops, lowest, best) == len(best):
            last = np.float64(best[-1])
            bound = last - 2 * slack[k] / units[k]
        if counts[place] == len(best):
            bound = max(bound, (scores[place, -1] - slack[k]) / units[k])
        found = _reaching(own, lowest, tops, bound, most, reaching)
        if found > most:
            exact[k] = -1
            continue
        for good in (True, False):  # exact scores of good rows spare some of the others
            for row in reaching[:found]:
                if (own[row] >= last) != good or own[row] < bound:
                    continue
                score = _score(vectors[row], queries[place])
                counts[place] = _with_hit(
                    rows[place], scores[place], counts[place], start + row, score
                )
                exact[k] += 1
                if counts[place] == len(best):
                    bound = max(bound, (scores[place, -1] - slack[k]) / units[k])
    return exact
