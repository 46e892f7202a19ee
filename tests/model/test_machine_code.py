"""Machine code: exact results, and the cache of compiled code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from foldin_model.index import query_kernels, scan_kernels
from hypothesis import given
from hypothesis import strategies as st

PROGRAM = "from foldin_model.index import scan_kernels; print(scan_kernels.scores.stats.cache_hits)"


@given(n=st.integers(0, 9), d=st.integers(0, 128), seed=st.integers(0, 2**32 - 1))
def test_sums_of_up_to_128_products_equal_numpys(n: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    query, queries = rng.normal(size=d), rng.normal(size=(3, d))
    owners = rng.integers(0, 3, n)
    expected = (vectors.astype(np.float64) * query).sum(axis=1)
    np.testing.assert_array_equal(scan_kernels.scores(vectors, query), expected)
    expected = (vectors.astype(np.float64) * queries[owners]).sum(axis=1)
    np.testing.assert_array_equal(scan_kernels.owned_scores(vectors, queries, owners), expected)


@given(m=st.integers(0, 5), d=st.integers(1, 140), seed=st.integers(0, 2**32 - 1))
def test_codes_and_rounding_errors_make_up_the_rows(m: int, d: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(m, d))
    whole, units, lengths, lost = query_kernels.quantize(rows, 1e-100)
    rounded = whole * units[:, None]
    assert (np.abs(whole).max(axis=1, initial=0) <= 127).all()
    assert (np.abs(rows - rounded) <= 0.5000001 * units[:, None]).all()
    np.testing.assert_allclose(lengths, np.linalg.norm(rows, axis=1))
    np.testing.assert_allclose(lost, np.linalg.norm(rows - rounded, axis=1), atol=1e-12)


@pytest.mark.slow
def test_machine_code_is_compiled_once(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    for hits in ("Counter()", "Counter({"):
        finished = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert finished.stdout.startswith(hits)


@pytest.mark.slow
def test_without_a_writable_cache_machine_code_is_compiled_again(tmp_path: Path) -> None:
    package = tmp_path / "foldin_model"
    index = Path(scan_kernels.__file__).parent
    (package / "index").mkdir(parents=True)
    for name in ("__init__.py", "arrays.py", "machine_code.py", "index/scan_kernels.py"):
        shutil.copy(index.parent / name, package / name)
    (package / "index" / "__init__.py").touch()
    occupied = package / "index" / "__pycache__"
    occupied.touch()
    places = {name: str(occupied) for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR")}
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **places, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout == "Counter()\n"
    assert "set NUMBA_CACHE_DIR" in finished.stderr
