"""Finds what answers a request: index, learning, rebasing, mocks. Named apart from the public `aimyproxy.replay()`."""
