"""Records, replays and diffs the webhooks of Aimylogic bots."""
