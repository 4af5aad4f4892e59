"""An app that nobody looks at leaves the machine to others."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.benchmarks.test_idle import cost, rests
from tests.conftest import Server, wait_until

MOST = 2.0
"""Per cent of a core."""


@pytest.mark.slow
def test_an_app_that_nobody_looks_at_costs_next_to_nothing(
    server: Server, visit: Callable[..., Page]
) -> None:
    page = visit("/attack?v=1&model=digits/adec&umap=0")
    expect(page.locator(".ladder .track").first).to_be_visible()
    wait_until(lambda: rests(server), 240, "a page at rest")
    page.context.close()
    found = cost(server)
    assert found.total() < MOST, found
