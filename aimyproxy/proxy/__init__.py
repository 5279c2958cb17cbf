"""The recording proxy: the only place that imports mitmproxy. Measured with 11.0.2 and 12.2."""
