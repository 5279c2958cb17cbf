"""What is served beside the bot's traffic, on a port of its own: who may ask, health, metrics."""
