"""WSGI entry: `gunicorn wsgi:app`."""

import logging
import sys

from cds_server.app import create_app
from cds_server.log_lines import configure_logging
from cds_server.settings import SettingsError
from cds_server.warm_start import warm_start

CANNOT_START = 3  # gunicorn takes this for "do not try again"

configure_logging()
try:
    app = create_app()
except SettingsError as error:
    logging.getLogger("cds_server").critical("crs-cds cannot start: %s", error)
    sys.exit(CANNOT_START)
warm_start()
