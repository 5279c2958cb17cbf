"""Tests of the recording proxy; it comes first, as it decides how mitmproxy is imported."""

import aimyproxy.proxy  # noqa: F401 - for what it does
