"""Recordings on disk: TinyDB databases, valid JSON at every moment, with appends of constant cost."""
