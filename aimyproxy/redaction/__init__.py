"""Redaction: secret and personal values replaced before anything reaches a disk, a log or a screen; pure."""
