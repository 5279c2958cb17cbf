"""What another version of the webhook would change for the bot's users: pairs, differences, noise, reports."""
