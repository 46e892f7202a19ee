"""The figures that `foldin bench index` reports for each kind of index."""

import json

import numpy as np
from click.testing import CliRunner
from foldin_model.commands.bench import bench
from foldin_model.commands.index_comparison import KINDS, measure, trained_like
from foldin_model.index.bounds import row_lengths


def test_made_vectors_vary_in_length_and_are_sorted_longest_first() -> None:
    vectors = trained_like(4_000, 16, 0)
    lengths = row_lengths(vectors, 16)[:, 0]
    assert (np.diff(lengths) <= 0).all()
    assert 0.45 < np.log(lengths).std() < 0.55
    np.testing.assert_array_equal(vectors, trained_like(4_000, 16, 0))


def test_exact_kinds_recall_everything_and_approximate_ones_less() -> None:
    vectors = trained_like(2_000, 64, 0)
    queries = np.random.default_rng(1).standard_normal((5, 64)).astype(np.float32)
    measured = {one.kind: one for one in measure(vectors, queries, [*KINDS], rounds=1)}
    assert measured["flat"].recall_at_10 == measured["pruned"].recall_at_10 == 1.0
    assert measured["half"].recall_at_10 > 0.9
    assert 0.0 < measured["ivf"].recall_at_10 <= 1.0
    assert measured["flat"].memory_bytes == vectors.nbytes
    assert measured["half"].memory_bytes < 0.51 * vectors.nbytes
    assert measured["pruned"].memory_bytes < 0.3 * vectors.nbytes
    assert measured["hnsw"].memory_bytes > vectors.nbytes


def test_the_command_prints_a_table_and_json() -> None:
    small = ["index", "--rows", "500", "--queries", "2"]
    table = CliRunner().invoke(bench, small, catch_exceptions=False)
    assert "pruned" in table.output
    assert "chosen" in table.output
    printed = CliRunner().invoke(bench, [*small, "--json"], catch_exceptions=False)
    assert [row["kind"] for row in json.loads(printed.output)] == ["flat", "pruned"]
