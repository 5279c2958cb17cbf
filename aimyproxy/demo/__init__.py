"""A sample webhook, a simulated bot, and the story that shows the whole loop with them."""
