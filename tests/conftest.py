"""The tests of a file run in one process, which shares its servers; the long tables are spread over all.

A skipped test is a failure where CRS_CDS_NO_SKIP is set: there, everything a test needs is installed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

# a minute and more each, and their cells share nothing that takes long to make
SPREAD = ("test_dirty_data.py", "test_fault_matrix.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name not in SPREAD:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if os.environ.get("CRS_CDS_NO_SKIP") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
