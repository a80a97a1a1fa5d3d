"""The tests of a file run in one process, which shares its servers; the long tables are spread over all.

A skipped test is a failure where CRS_CDS_NO_SKIP is set: there, everything a test needs is installed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# a minute and more each, and their cells share nothing that takes long to make
SPREAD = ("test_dirty_data.py", "test_fault_matrix.py")


class ByFile(LoadScopeScheduling):
    """Gives a process one file after the other; of the long tables, one test."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        return nodeid if file.endswith(SPREAD) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if os.environ.get("CRS_CDS_NO_SKIP") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
