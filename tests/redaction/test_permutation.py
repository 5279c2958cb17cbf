"""A keyed permutation without fixed points."""

import pytest

from aimyproxy.redaction.permutation import Permutation


@pytest.mark.parametrize("size", [2, 3, 10, 81, 1000])
def test_every_number_gets_another_and_no_two_the_same(size):
    """It is a permutation that leaves no number where it was."""
    permutation = Permutation(b"key", b"tweak", size)
    made = [permutation.of(number) for number in range(size)]
    assert sorted(made) == list(range(size))
    assert all(one != other for one, other in enumerate(made))


def test_a_single_number_stays():
    """There is no other to stand for it."""
    assert Permutation(b"key", b"tweak", 1).of(0) == 0


def test_key_and_tweak_decide():
    """Another key or another tweak makes another permutation."""
    spelled = {
        tuple(Permutation(key, tweak, 1000).of(number) for number in range(50))
        for key, tweak in [(b"a", b"t"), (b"b", b"t"), (b"a", b"u")]
    }
    assert len(spelled) == 3


def test_large_numbers():
    """Bounds far beyond what can be listed work alike."""
    size = 10**40 + 7
    permutation = Permutation(b"key", b"", size)
    made = {permutation.of(number) for number in (0, 1, 2, size - 1)}
    assert len(made) == 4
    assert all(0 <= number < size for number in made)
