"""`make selftest FHIR=…` without SERVICE: start crs-cds from this checkout beside that FHIR server, and test it.

Arguments: the FHIR base, then any options of `crs-cds selftest`. CRS_CDS_TIMEZONE counts as it does for `crs-cds seed`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from example_patients.programs.commands import selftest
from example_patients.programs.demo import crs_cds


def main() -> None:
    """Exit with the code of `crs-cds selftest`."""
    fhir_base, *options = sys.argv[1:]
    zone = os.environ.get("CRS_CDS_TIMEZONE", "UTC")
    with (
        tempfile.TemporaryDirectory(prefix="crs-cds-selftest-") as folder,
        crs_cds(Path(folder), fhir_base, zone) as service,
    ):
        selftest.main([service, "--fhir", fhir_base, *options], prog_name="crs-cds selftest")


if __name__ == "__main__":
    main()
