"""An observer that remembers what it is told."""

from __future__ import annotations


class Remembering:
    def __init__(self):
        self.all = []
        self.turned_away = []
        self.good = []
        self.bad = []

    def served(self, served):
        self.all.append(served)

    def refused(self, refusal):
        self.turned_away.append(refusal)

    def news(self, message):
        self.good.append(message)

    def trouble(self, message):
        self.bad.append(message)
