"""Keeping exchanges: into the recording at once, or in memory until the disk works again."""
