from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from aimyproxy.admin.metrics import OTHER, Metrics


def samples(metrics):
    """By name and labels, as Prometheus reads them."""
    text = metrics.page().body.decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def exchanges(metrics):
    """How many by event and status."""
    return {
        (dict(labels)["event"], dict(labels)["status"]): value
        for (name, *labels), value in samples(metrics).items()
        if name == "aimyproxy_exchanges_total"
    }


def test_exchanges_are_counted_by_event_and_status():
    """Or by what failed; what has no event has none there, either."""
    metrics = Metrics()
    for event, status in (("start", 200), ("start", 200), ("start", 500), ("order", "timeout"), (None, None)):
        metrics.exchange(event, status, 1.0)
    assert exchanges(metrics) == {
        ("start", "200"): 2,
        ("start", "500"): 1,
        ("order", "timeout"): 1,
        ("", "none"): 1,
    }


def test_labels_are_bounded_whatever_is_sent():
    """Events beyond the first ones share a label; unknown statuses, too; long events are cut."""
    metrics = Metrics(most=2)
    for event, status in (("a", 200), ("b" * 1000, 200), ("c", 299), ("d", 298), ("a", 200)):
        metrics.exchange(event, status, 1.0)
    assert exchanges(metrics) == {("a", "200"): 2, ("b" * 100, "200"): 1, (OTHER, "2xx"): 2}


@pytest.mark.parametrize("event", ['"', "\\", "\n", "Заказ 🍕", "\udce9", "}", ""])
def test_any_event_can_be_a_label(event):
    """And is read back as it was, as far as UTF-8 can spell it."""
    metrics = Metrics()
    metrics.exchange(event, 200, 1.0)
    assert exchanges(metrics) == {(event.encode("utf-8", "replace").decode(), "200"): 1}


def test_times_are_seconds_in_buckets():
    """Those of the webhook only where it was asked."""
    metrics = Metrics()
    metrics.exchange("start", 200, 40.0, 30.0)
    metrics.exchange("start", 200, 4000.0)
    found = samples(metrics)
    assert found[("aimyproxy_total_seconds_count",)] == 2
    assert found[("aimyproxy_total_seconds_sum",)] == pytest.approx(4.04)
    assert found[("aimyproxy_total_seconds_bucket", ("le", "0.05"))] == 1
    assert found[("aimyproxy_total_seconds_bucket", ("le", "5.0"))] == 2
    assert found[("aimyproxy_upstream_seconds_count",)] == 1
    assert found[("aimyproxy_upstream_seconds_bucket", ("le", "0.025"))] == 0


def test_what_is_watched_is_read_when_somebody_asks():
    """Refusals by reason; a number that grows; one that comes and goes."""
    metrics, now = Metrics(), {"lost": 1, "waiting": 5}
    metrics.watch("counter", "lost", "Lost.", lambda: now["lost"])
    metrics.watch("gauge", "waiting", "Waiting.", lambda: now["waiting"])
    metrics.refused("rate")
    now.update(lost=2, waiting=0)
    found = samples(metrics)
    assert found[("aimyproxy_lost_total",)] == 2
    assert found[("aimyproxy_waiting",)] == 0
    assert found[("aimyproxy_refused_total", ("reason", "rate"))] == metrics.refusals == 1
    assert found[("process_open_fds",)] > 0
    assert not any(name.endswith("_created") for name, *_ in found)


def test_two_of_them_know_nothing_of_one_another():
    """Nor does the library's global registry of either."""
    one, two = Metrics(), Metrics()
    one.exchange("start", 200, 1.0)
    assert exchanges(two) == {}
    assert not any(family.name.startswith("aimyproxy") for family in REGISTRY.collect())
