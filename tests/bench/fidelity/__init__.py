"""How often replay answers new conversations as the real webhook would have: `uv run python -m tests.bench.fidelity`."""
