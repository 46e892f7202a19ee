"""Exact scores, products of whole numbers and the search among them, in machine code.

Inner loops read arrays by index: a slice is counted, at the cost of some multiplications.
"""

from typing import Any, Final

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.machine_code import DOUBLES, QUERIES, ROWS, STARTS, VECTORS, compiled

LANES: Final = 512
UNROLLED: Final = 64  # so many products at once: twice as quick as where the compiler knows of none
_LISTS: Final = "int32[:, ::1], float64[:, ::1], int64[::1]"


@compiled()
def _score(vectors: Floats, row: int, queries: Doubles, place: int, products: Doubles) -> float:
    """The inner product of a row and a query in float64, always summed in the same order.

    That is the order of numpy's sums of up to 128 numbers: eight sums of every eighth. `products`
    (d,) is room for what is summed.
    """
    for column in range(len(products)):
        products[column] = np.float64(vectors[row, column]) * queries[place, column]
    whole = len(products) - len(products) % 8
    a = b = c = d = e = f = g = h = 0.0
    for start in range(0, whole, 8):
        a += products[start]
        b += products[start + 1]
        c += products[start + 2]
        d += products[start + 3]
        e += products[start + 4]
        f += products[start + 5]
        g += products[start + 6]
        h += products[start + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for column in range(whole, len(products)):
        total += products[column]
    return float(total)


@compiled(f"float64[::1]({VECTORS}, {DOUBLES})")
def scores(vectors: Floats, query: Doubles) -> Doubles:
    """The inner product of each of (n, d) rows with the query (d,)."""
    totals, products = np.empty(len(vectors)), np.empty(len(query))
    queries = query.reshape(1, len(query))
    for row in range(len(vectors)):
        totals[row] = _score(vectors, row, queries, 0, products)
    return totals


@compiled(f"float64[::1]({VECTORS}, {QUERIES}, {STARTS})")
def owned_scores(vectors: Floats, queries: Doubles, owners: Integers) -> Doubles:
    """The inner product of each of (n, d) rows with the `owners[i]`-th of (m, d) queries."""
    totals, products = np.empty(len(vectors)), np.empty(queries.shape[1])
    for row in range(len(vectors)):
        totals[row] = _score(vectors, row, queries, owners[row], products)
    return totals


@compiled()
def _multiply(rows: Any, queries: Any, place: int, numbers: Any) -> None:
    """Each of (n, p, UNROLLED) rows times a query of (m, p, UNROLLED), into (n,) `numbers`."""
    for row in range(len(rows)):
        total = np.int32(0)
        for part in range(rows.shape[1]):
            some = np.int32(0)
            for column in range(UNROLLED):  # a product of two bytes fits into two
                some += np.int32(np.int16(rows[row, part, column]) * queries[place, part, column])
            total += some
        numbers[row] = total


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
    numbers: Any, lowest: Any, tops: Any, bound: float, most: int, lanes: Any, reaching: Any
) -> int:
    """Puts the rows of (n,) numbers over `lowest` that reach the bound into `reaching`.

    How many there are: if that is more than `most`, there may be others. There has to be room for
    so many and twice as many as there are lanes, and in `lanes` for all of these and one more.
    """
    # What may not stay is overwritten, without a branch that nobody can foretell.
    good = 0
    for lane in range(len(tops)):
        lanes[good] = lane
        good += (tops[lane] > lowest) & (np.float64(tops[lane]) >= bound)
    found = 0
    whole = len(numbers) - len(numbers) % len(tops)
    for start in range(0, whole, len(tops)):
        if found > most:
            return found
        for place in range(good):
            row = start + lanes[place]
            reaching[found] = row
            found += (numbers[row] > lowest) & (np.float64(numbers[row]) >= bound)
    for place in range(good):
        row = whole + lanes[place]
        if row < len(numbers):
            reaching[found] = row
            found += (numbers[row] > lowest) & (np.float64(numbers[row]) >= bound)
    return found


@compiled()
def _put_hit(  # noqa: PLR0917 (numba is quickest with arguments that have no names)
    rows: Rows, scores: Doubles, counts: Integers, own: int, row: int, score: float
) -> None:
    """Puts a hit into one's own list of `counts[own]` in canonical order if it has a place."""
    place = counts[own]
    if place == rows.shape[1]:
        place -= 1
        last = scores[own, place]
        if score < last or (score == last and row > rows[own, place]):
            return
    else:
        counts[own] = place + 1
    while place > 0:
        before = scores[own, place - 1]
        if before > score or (before == score and rows[own, place - 1] < row):
            break
        scores[own, place], rows[own, place] = before, rows[own, place - 1]
        place -= 1
    scores[own, place], rows[own, place] = score, row


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
    products = np.empty(queries.shape[1])
    good, reaching = np.empty(lanes + 1, np.int64), np.empty(most + 2 * lanes + 1, np.int64)
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
        found = _reaching(own, lowest, tops, bound, most, good, reaching)
        if found > most:
            exact[k] = -1
            continue
        for first in (True, False):  # exact scores of good rows spare some of the others
            for row in reaching[:found]:
                if (own[row] >= last) != first or own[row] < bound:
                    continue
                score = _score(vectors, row, queries, place, products)
                _put_hit(rows, scores, counts, place, start + row, score)
                exact[k] += 1
                if counts[place] == len(best):
                    bound = max(bound, (scores[place, -1] - slack[k]) / units[k])
    return exact


@compiled()
def _hopeful(ceilings: Doubles, step: int, place: int, scores: Doubles, counts: Integers) -> bool:
    """Whether rows that score no more than the ceiling of a step can improve a list."""
    if step == ceilings.shape[1]:
        return False
    return bool(counts[place] < scores.shape[1] or scores[place, -1] <= ceilings[place, step])


@compiled(
    "boolean(Tuple((int8[:, :, ::1], float64[::1], float64[::1], float64[::1])), int64,"
    f" Tuple((int8[:, :, ::1], {DOUBLES}, {DOUBLES}, {DOUBLES})),"
    f" {QUERIES}, {VECTORS}, {QUERIES}, {ROWS}, {STARTS}, int64, {_LISTS})"
)
def scan_steps(  # noqa: PLR0917 (numba is quickest with arguments that have no names)
    steps: Any,
    size: int,
    rotated: Any,
    ceilings: Doubles,
    vectors: Floats,
    queries: Doubles,
    hidden: Rows,
    hidden_starts: Integers,
    most: int,
    rows: Rows,
    scores: Doubles,
    counts: Integers,
) -> bool:
    """Multiplies and scans step after step of a matrix for (m, d) queries, as far as one hopes.

    `steps` are (n, p, UNROLLED) whole numbers and, of `size` of their rows each, the units and what
    they lost and kept, as `foldin_model.index.integer_scores` has it; `rotated` are (m, p, UNROLLED), units,
    lengths and what was lost. `ceilings` (m, steps and more) are what no row from a step on
    exceeds, and from what follows the last. All else is as in `scan`, but where more than `most`
    rows of a step would be scored exactly, all are. What is given: whether what follows can improve
    a list.
    """
    whole, units, lost, kept = steps
    whole_queries, query_units, query_lengths, query_lost = rotated
    small_queries = whole_queries.astype(np.int16)
    numbers, products = np.empty((1, size), np.int32), np.empty(queries.shape[1])
    lowest: Any = np.int32(np.iinfo(np.int32).min)
    one, unit, slack = np.empty(1, np.int64), np.empty(1), np.empty(1)
    for step in range(len(units)):
        start, end = step * size, min(len(whole), (step + 1) * size)
        exact = vectors[start:end]
        if end - start < size:
            numbers = np.empty((1, end - start), np.int32)
        for place in range(len(queries)):
            if not _hopeful(ceilings, step, place, scores, counts):
                continue
            _multiply(whole[start:end], small_queries, place, numbers[0])
            one[0], unit[0] = place, query_units[place] * units[step]
            slack[0] = query_lengths[place] * lost[step] + query_lost[place] * kept[step]
            found = scan(
                numbers, lowest, unit, slack, one, start, exact, queries, hidden, hidden_starts,
                most, rows, scores, counts,
            )  # fmt: skip
            if found[0] < 0:
                for row in range(end - start):
                    if numbers[0, row] > lowest:
                        score = _score(exact, row, queries, place, products)
                        _put_hit(rows, scores, counts, place, start + row, score)
    for place in range(len(queries)):
        if _hopeful(ceilings, len(units), place, scores, counts):
            return True
    return False
