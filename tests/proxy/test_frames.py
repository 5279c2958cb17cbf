from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.proxy.frames import Frame, Frames, Kind

FRAMES = st.builds(Frame, st.sampled_from(Kind), st.integers(0, 2**64 - 1), st.binary())


@given(st.lists(FRAMES), st.lists(st.integers(1, 40)))
def test_frames_come_out_as_they_went_in(sent, cuts):
    """Whatever the pieces are that their bytes come in."""
    text = b"".join(map(bytes, sent))
    reader, received = Frames(), []
    for length in cuts:
        received += reader.feed(text[:length])
        text = text[length:]
    received += reader.feed(text)
    assert received == sent
    assert all(type(frame.kind) is Kind for frame in received)
