"""Kernels in machine code: exact scores, int8 products, and the scan for the best rows.

Inner loops index arrays: counting references to a slice costs as much as some multiplications.
"""

from typing import Any, Final

import numpy as np

from foldin_model.arrays import Doubles, Floats, Integers, Rows
from foldin_model.machine_code import DOUBLES, QUERIES, ROWS, STARTS, VECTORS, compiled

LANES: Final = 512
UNROLLED: Final = 64  # a fixed number of products at once makes the loop twice as fast
_LISTS: Final = "int32[:, ::1], float64[:, ::1], int64[::1]"


@compiled()
def _score(vectors: Floats, row: int, queries: Doubles, place: int, products: Doubles) -> float:
    """Returns the inner product of a row and a query in float64, always summed in the same order.

    That is the order of numpy's sums of up to 128 numbers: eight sums of every eighth number.
    `products` (d,) is a buffer.
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
    """Returns the inner product of each of (n, d) rows with the query (d,)."""
    totals, products = np.empty(len(vectors)), np.empty(len(query))
    queries = query.reshape(1, len(query))
    for row in range(len(vectors)):
        totals[row] = _score(vectors, row, queries, 0, products)
    return totals


@compiled(f"float64[::1]({VECTORS}, {QUERIES}, {STARTS})")
def owned_scores(vectors: Floats, queries: Doubles, owners: Integers) -> Doubles:
    """Returns the inner product of each of (n, d) rows with its query, `queries[owners[i]]`."""
    totals, products = np.empty(len(vectors)), np.empty(queries.shape[1])
    for row in range(len(vectors)):
        totals[row] = _score(vectors, row, queries, owners[row], products)
    return totals


@compiled()
def _multiply(rows: Any, queries: Any, place: int, numbers: Any) -> None:
    """Puts the products of (n, p, UNROLLED) rows and one of `queries` into `numbers` (n,)."""
    for row in range(len(rows)):
        total = np.int32(0)
        for part in range(rows.shape[1]):
            some = np.int32(0)
            for column in range(UNROLLED):  # a product of two int8 fits into int16
                some += np.int32(np.int16(rows[row, part, column]) * queries[place, part, column])
            total += some
        numbers[row] = total


@compiled()
def _hide(numbers: Any, lowest: Any, start: int, hidden: Rows) -> None:
    """Sets the numbers (n,) of hidden rows, counted from `start`, to `lowest`."""
    for row in hidden:
        if start <= row < start + len(numbers):
            numbers[row - start] = lowest


@compiled()
def _lane_tops(numbers: Any, tops: Any) -> None:
    """Puts the greatest number of each lane into `tops`; a lane is every `len(tops)`-th number."""
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
    """Puts the greatest of the numbers above `lowest` into `best`, sorted; returns their count."""
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
    """Puts the rows whose numbers are above `lowest` and reach the bound into `reaching`.

    Returns their count; if it is more than `most`, there may be others. `reaching` must have room
    for `most` rows and twice the number of lanes, `lanes` for all lanes and one more.
    """
    # A row that does not qualify is overwritten by the next: no branch to mispredict.
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
    """Inserts a hit into list `own`, of `counts[own]` hits in canonical order, if it fits."""
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
    scales: Doubles,
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
    """Puts the best rows of a block into the lists of the queries at `places` (k,).

    `numbers` (k, n) times `scales` (k,) are approximate scores of the block's rows for these of the
    `queries` (m, d), within `slack` (k,) of the exact scores of its `vectors` (n, d). Rows are
    counted from `start`. The numbers of rows hidden from query i, which are
    `hidden[hidden_starts[i] : hidden_starts[i + 1]]`, are set to `lowest`, less than all scores.
    List i has `counts[i]` hits in `rows[i]` and `scores[i]`, in canonical order. Returns (k,): how
    many rows were scored exactly, or -1 where they would have been more than `most` and none were.
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
        # The tops of the lanes belong to different rows: the last of the best tops is at most the
        # score of the last hit to find, but for the slack of both.
        if _greatest(tops, lowest, best) == len(best):
            last = np.float64(best[-1])
            bound = last - 2 * slack[k] / scales[k]
        if counts[place] == len(best):
            bound = max(bound, (scores[place, -1] - slack[k]) / scales[k])
        found = _reaching(own, lowest, tops, bound, most, good, reaching)
        if found > most:
            exact[k] = -1
            continue
        for first in (True, False):  # exact scores of the best rows rule out some of the others
            for row in reaching[:found]:
                if (own[row] >= last) != first or own[row] < bound:
                    continue
                score = _score(vectors, row, queries, place, products)
                _put_hit(rows, scores, counts, place, start + row, score)
                exact[k] += 1
                if counts[place] == len(best):
                    bound = max(bound, (scores[place, -1] - slack[k]) / scales[k])
    return exact


@compiled()
def _can_improve(
    ceilings: Doubles, step: int, place: int, scores: Doubles, counts: Integers
) -> bool:
    """Returns whether rows that score at most the ceiling of a step can improve a list."""
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
    quantized: Any,
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
    """Multiplies and scans a matrix step by step for (m, d) queries, while a list can improve.

    `steps` are the codes (n, p, UNROLLED) of all rows and, for each step of `size` rows, scale,
    error and length as in `foldin_model.index.quantized_rows.QuantizedRows`; `quantized` are the
    codes (m, p, UNROLLED) of the queries, their scales, lengths and errors. `ceilings` (m, steps
    and perhaps more) bound the scores from each step on, and from what follows the last. All else
    is as in `scan`, but where more than `most` rows of a step would be scored exactly, all are.
    Returns whether what follows the steps can improve a list.
    """
    row_codes, row_scales, row_errors, row_lengths = steps
    query_codes, query_scales, query_lengths, query_errors = quantized
    wide_queries = query_codes.astype(np.int16)
    numbers, products = np.empty((1, size), np.int32), np.empty(queries.shape[1])
    lowest: Any = np.int32(np.iinfo(np.int32).min)
    one, scale, slack = np.empty(1, np.int64), np.empty(1), np.empty(1)
    for step in range(len(row_scales)):
        start, end = step * size, min(len(row_codes), (step + 1) * size)
        exact = vectors[start:end]
        if end - start < size:
            numbers = np.empty((1, end - start), np.int32)
        for place in range(len(queries)):
            if not _can_improve(ceilings, step, place, scores, counts):
                continue
            _multiply(row_codes[start:end], wide_queries, place, numbers[0])
            one[0], scale[0] = place, query_scales[place] * row_scales[step]
            slack[0] = query_lengths[place] * row_errors[step]
            slack[0] += query_errors[place] * row_lengths[step]
            found = scan(
                numbers, lowest, scale, slack, one, start, exact, queries, hidden, hidden_starts,
                most, rows, scores, counts,
            )  # fmt: skip
            if found[0] < 0:
                for row in range(end - start):
                    if numbers[0, row] > lowest:
                        score = _score(exact, row, queries, place, products)
                        _put_hit(rows, scores, counts, place, start + row, score)
    for place in range(len(queries)):
        if _can_improve(ceilings, len(row_scales), place, scores, counts):
            return True
    return False
