"""An admin surface, asked as a test suite or a collector would."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

TOKEN = "s3cret"


class Surface:
    def __init__(self, url, token=TOKEN):
        self.url = url
        self.token = token

    @classmethod
    def of(cls, process, token=TOKEN):
        """That of a process that said where it is."""
        return cls(process.wait_for(r"Admin surface on (http://127\.0\.0\.1:\d+)")[1], token)

    def __call__(self, path, method="GET", host=None):
        """Status and JSON of the reply."""
        status, body = self.raw(path, method, host)
        return status, json.loads(body)

    def raw(self, path, method="GET", host=None):
        """Status and bytes of the reply."""
        asked = urllib.request.Request(self.url + path, method=method)
        if self.token:
            asked.add_header("Authorization", f"Bearer {self.token}")
        if host:
            asked.add_header("Host", host)
        try:
            with urllib.request.urlopen(asked, timeout=10) as reply:
                assert not any(name.lower().startswith("access-control") for name in reply.headers)
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def metrics(self):
        """What Prometheus reads: values by name and the labels' values."""
        status, text = self.raw("/metrics")
        assert status == 200
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text.decode())
            for sample in family.samples
        }
