"""`make evaluate-demo`: a real FHIR server with the example patients, its Bulk Data export, and the report of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from example_patients.client.bulk_export import exported
from example_patients.client.http_calls import NoAnswerError
from example_patients.programs.demo import sekmet
from example_patients.programs.seed import seed

# Results carry no time of reporting. A server's `lastUpdated` counts as one up to a week after the sample, and here it
# is the time of the seeding: so the patients were treated long before.
BEFORE = timedelta(days=90)
VALUE_SETS = Path(__file__).parents[1] / "value_sets"


def evaluate_demo(folder: Path) -> Path:
    """Seed, export, evaluate; the page of the report. Raises NoAnswerError, OSError and CalledProcessError."""
    shutil.rmtree(folder, ignore_errors=True)
    export, report = folder / "export", folder / "report"
    with (
        tempfile.TemporaryDirectory(prefix="crs-cds-demo-") as scratch,
        sekmet(Path(scratch)) as fhir_base,
        requests.Session() as session,
    ):
        print("Writing the example patients to a FHIR server (Sekmet) and asking for its export …")
        seed(fhir_base, session, datetime.now(UTC) - BEFORE, UTC)
        found = exported(fhir_base, session, export)
    print(", ".join(f"{count} {name}" for name, count in sorted(found.items())))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CRS_CDS_")}
    environ |= {"CRS_CDS_TIMEZONE": "UTC", "CRS_CDS_VALUE_SETS": str(VALUE_SETS)}
    command = [str(Path(sys.executable).parent / "crs-cds"), "evaluate", str(export), "--out", str(report)]
    subprocess.run(command, env=environ, check=True)
    return report / "index.html"


def main() -> int:
    """Run the demo and say where the page is."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/evaluate-demo")
    try:
        page = evaluate_demo(folder)
    except (NoAnswerError, OSError, subprocess.CalledProcessError) as error:
        print(f"evaluate-demo: {error}", file=sys.stderr)
        return 1
    print(f"Open {page.resolve().as_uri()} in a browser.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
