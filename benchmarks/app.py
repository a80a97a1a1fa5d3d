"""The WSGI applications under load: crs-cds at the moment of the example patient, and a Flask that does nothing.

`gunicorn benchmarks.app:crs_cds` differs from `wsgi:app` in the clock alone: the patient is always at day 13.
"""

from __future__ import annotations

import os

from flask import Flask

from benchmarks.patients import AS_OF
from cds_server.app import create_app
from cds_server.operations.log_lines import configure_logging
from cds_server.operations.warm_start import warm_start
from cds_server.running import RUNNING_KEY

configure_logging()
empty = Flask("empty")
empty.add_url_rule("/cds-services", view_func=lambda: "")
crs_cds = create_app(os.environ, clock=lambda: AS_OF)
warm_start(crs_cds.extensions[RUNNING_KEY].sources.rules.terms)
