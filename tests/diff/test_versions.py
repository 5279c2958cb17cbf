"""What the benchmark of made-up webhooks demands, of a few of them."""

from __future__ import annotations

import pytest

from tests.bench.versions import measured


@pytest.mark.parametrize("seed", range(5001, 5041))
def test_all_that_changed_is_reported_and_nothing_else(tmp_path, seed):
    """Whatever is noise, echoed, counted or looked up."""
    truth, found = measured(seed, tmp_path)
    assert found == truth
