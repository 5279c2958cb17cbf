"""Whether a diff finds what changed between two versions of a webhook and nothing else.

`uv run python -m tests.bench.versions`: makes a family of webhooks up (stateful, echoing, noisy), changes each in known
ways, records both versions' answers to the same conversations, and holds what `diff_recordings` reports against what was
changed. Precision is the share of reported changes that are true, recall the share of true ones that are reported.
"""

from __future__ import annotations

import argparse
import copy
import random
import tempfile
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from aimyproxy.diff.run import diff_recordings
from aimyproxy.exchange import Body, Exchange, Request, Response, Timing
from aimyproxy.store.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Variables: TypeAlias = dict[str, Any]
Found: TypeAlias = "set[tuple[str, str, str]]"
"""Event, path and kind of changes; a status stands at `status`."""

NAMES = ["Иван", "Анна", "Пётр", "Ольга", "Яна", "Олег"]
SIZES = ["S", "M", "L"]
SEEN = 6
"""How often each event is visited at least."""
BEGUN = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass
class Visit:
    """What a webhook is asked, how often this user was at this event up to now, and when."""

    asked: Variables
    count: int
    at: datetime
    chance: random.Random


Made: TypeAlias = "Callable[[Visit], Any]"


@dataclass
class Screen:
    """How one event is answered: a maker for each variable, whether the request is echoed, and with which status."""

    members: dict[str, Made]
    echoes: bool
    status: int = 200

    def answer(self, visit: Visit) -> tuple[int, Variables]:
        made = {name: maker(visit) for name, maker in self.members.items()}
        return self.status, {**(visit.asked if self.echoes else {}), **made}


def constant(value: Any) -> Made:
    return lambda _: copy.deepcopy(value)


def greeting(words: str) -> Made:
    return lambda visit: f"{words}, {visit.asked['name']}!"


def table(prices: dict[str, int]) -> Made:
    return lambda visit: prices[visit.asked["size"]]


STEADY: dict[str, Callable[[random.Random], Made]] = {
    "const": lambda chance: constant(chance.choice(["ok", 5, True, None, ["a", "b"], {"deep": {"x": 1}}])),
    "text": lambda chance: greeting(chance.choice(["Привет", "Hello", "Добрый день"])),
    "visits": lambda _: lambda visit: visit.count,
    "price": lambda chance: table({size: chance.randrange(1, 99) * 10 for size in SIZES}),
    "menu": lambda chance: constant(
        [{"id": number, "price": 100 + chance.randrange(9) * 50} for number in range(chance.randrange(2, 6))]
    ),
}
NOISE: dict[str, Callable[[random.Random], Made]] = {
    "uid": lambda _: lambda visit: str(uuid.UUID(int=visit.chance.getrandbits(128), version=4)),
    "at": lambda _: lambda visit: visit.at.isoformat(),
    "roll": lambda _: lambda visit: visit.chance.randrange(10**6),
    "order": lambda _: lambda visit: {"token": f"{visit.chance.getrandbits(64):016x}"},
}


def webhook(chance: random.Random) -> dict[str, Screen]:
    """A webhook: some events, each with some variables, one of four of them noise."""
    screens = {}
    for event in ("start", "menu", "order")[: chance.randrange(1, 4)]:
        steady = chance.sample(sorted(STEADY), chance.randrange(2, len(STEADY) + 1))
        noisy = chance.sample(sorted(NOISE), chance.randrange(0, len(NOISE) + 1))
        members = {name: (STEADY | NOISE)[name](chance) for name in [*steady, *noisy]}
        screens[event] = Screen(members, chance.random() < 0.5)
    return screens


def changed(screens: dict[str, Screen], chance: random.Random) -> tuple[dict[str, Screen], Found]:
    """The next version, and what it changes; often nothing."""
    following = {event: replace(screen, members={**screen.members}) for event, screen in screens.items()}
    truth: Found = set()
    places = [(event, name) for event, screen in screens.items() for name in screen.members]
    for event, name in chance.sample(places, min(len(places), chance.choice([0, 0, 1, 1, 2, 3]))):
        truth |= one_change(following[event], event, name, chance)
    if chance.random() < 0.1:
        event = chance.choice(sorted(following))
        following[event].status = 503
        truth.add((event, "status", "changed"))
    if chance.random() < 0.2:
        event = chance.choice(sorted(following))
        following[event].members["promo"] = constant("−10%")
        truth.add((event, "$.promo", "added"))
    return following, truth


def one_change(screen: Screen, event: str, name: str, chance: random.Random) -> Found:
    """Change one variable of a screen."""
    how = chance.choice(["remove", "type", "value"])
    if how == "remove":
        del screen.members[name]
        return {(event, f"$.{name}", "removed")}
    if how == "type" or name in NOISE:
        screen.members[name] = constant([1, 2])
        before = {"const": None, "menu": "changed"}.get(name, "type")
        return {(event, f"$.{name}", "type")} if before == "type" else replaced(screen, event, name)
    return altered(screen, event, name)


def replaced(screen: Screen, event: str, name: str) -> Found:
    """The whole value by one of a type that no constant and no menu has."""
    screen.members[name] = constant(7.5 if name == "menu" else "x" * 3)
    if name == "menu":
        return {(event, "$.menu", "type")}
    screen.members[name] = lambda visit: 2.5
    return {(event, "$.const", "?")}


def altered(screen: Screen, event: str, name: str) -> Found:
    """Another value of the same type."""
    before = screen.members[name]
    if name == "menu":
        screen.members[name] = lambda visit: [{"id": 77, "price": 5}, *before(visit)]
        return {(event, "$.menu[*]", "added")}
    if name == "text":
        screen.members[name] = lambda visit: before(visit).replace(",", " и добро пожаловать,")
        return {(event, "$.text", "changed")}
    if name in ("visits", "price"):
        screen.members[name] = lambda visit: before(visit) + 1
        return {(event, f"$.{name}", "changed")}
    screen.members[name] = lambda visit: {"other": 1}
    return {(event, "$.const", "?")}


@dataclass
class Talks:
    """The same conversations, to be had with any version."""

    seed: int
    users: int
    visits: list[tuple[int, str]] = field(default_factory=list)

    def exchanges(self, screens: dict[str, Screen], seed: int) -> Iterator[Exchange]:
        """What a version answers; `seed` is that of its own noise."""
        counts: Counter[tuple[int, str]] = Counter()
        chance, noise, at = random.Random(self.seed), random.Random(seed), BEGUN + timedelta(hours=seed % 1000)
        for number, (user, event) in enumerate(self.visits):
            counts[user, event] += 1
            at += timedelta(seconds=chance.randrange(1, 90))
            asked = {
                "action": event,
                "queryText": f"/{event}",
                "userId": f"u{user}",
                "channelId": "c",
                "channelType": "telegram",
                "name": NAMES[user % len(NAMES)],
                "size": SIZES[user // 2 % len(SIZES)],
                "rawRequest": {"message": {"message_id": number, "date": number}},
            }
            status, made = screens[event].answer(Visit(asked, counts[user, event], at, noise))
            stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            conversation = ("telegram", "c", f"u{user}")
            yield Exchange(
                stamp,
                event,
                conversation,
                Request("POST", "/", (), Body("json", asked)),
                Response(status, (), Body("json", made)),
                None,
                Timing(40.0, 41.0),
            )


def measured(seed: int, folder: Path) -> tuple[Found, Found]:
    """What was changed between the versions of one pair, and what the diff reports."""
    chance = random.Random(seed)
    before = webhook(chance)
    after, truth = changed(before, chance)
    users = chance.randrange(3, 25)
    visits = [(chance.randrange(users), chance.choice(sorted(before))) for _ in range(users * chance.randrange(2, 6))]
    # Of what was seen once nobody can tell whether it is noise.
    visits += [(user % users, event) for event in sorted(before) for user in range(SEEN)]
    asked = {event for _, event in visits}
    talks = Talks(seed, users, visits)
    recordings = []
    for number, screens in enumerate((before, after)):
        recording = Recording.create(folder / f"v{seed}-{number}", None)
        for exchange in talks.exchanges(screens, seed * 2 + number + 1):
            recording.append(exchange)
        recording.close()
        recordings.append(recording)
    report = diff_recordings(*recordings)
    found = {
        (change.event or "", change.path if change.aspect == "effect" else change.aspect, change.kind)
        for change in report.changes
    }
    return settled({one for one in truth if one[0] in asked}, found), found


def settled(truth: Found, found: Found) -> Found:
    """The truth, in which `?` is whatever the diff makes of a constant that became another one, at or below its path."""
    exact = {one for one in truth if one[2] != "?"}
    for event, path, _ in truth - exact:
        below = {
            one for one in found if one[0] == event and (one[1] == path or one[1].startswith((f"{path}.", f"{path}[")))
        }
        exact |= below or {(event, path, "?")}
    return exact


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    right = wanted = reported = 0
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seed, arguments.seed + arguments.pairs):
            truth, found = measured(seed, Path(folder))
            right += len(truth & found)
            wanted += len(truth)
            reported += len(found)
            if truth != found:
                wrong.append(f"seed {seed}: missed {sorted(truth - found)}, wrongly reported {sorted(found - truth)}")
    print(f"{arguments.pairs} pairs of versions, {wanted} true changes, {reported} reported")
    print(f"precision {right / reported:.4f}, recall {right / wanted:.4f}; all right in {arguments.pairs - len(wrong)}")
    print(*wrong, sep="\n")


if __name__ == "__main__":
    main()
