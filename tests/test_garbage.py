from __future__ import annotations

import gc

from aimyproxy import garbage


def test_garbage_is_looked_for_from_the_start_on():
    """Not before; and in any case when the command has ended, whether or not it began to serve."""
    assert gc.isenabled()
    try:
        with garbage.not_looked_for():
            assert not gc.isenabled()
            garbage.looked_for()
            assert gc.isenabled()
            assert gc.get_freeze_count()
        with garbage.not_looked_for():
            assert not gc.isenabled()
        assert gc.isenabled()
    finally:
        gc.unfreeze()
