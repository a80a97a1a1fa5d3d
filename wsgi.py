"""WSGI entry: `gunicorn wsgi:app`. Development joins the order desk to it; production does not import the desk."""

import logging
import sys

from cds_server.app import create_app
from cds_server.limits import SettingsError
from cds_server.operations.freed_memory import start_giving_back
from cds_server.operations.log_lines import configure_logging, where_it_failed
from cds_server.operations.warm_start import warm_start
from cds_server.running import RUNNING_KEY
from cds_server.settings.table import Environment
from cds_server.storage.keeper import start_keeper

CANNOT_START = 3  # gunicorn reads this exit code as "do not try again"

configure_logging()
try:
    app = create_app()
except SettingsError as error:
    logging.getLogger("cds_server").critical("crs-cds cannot start: %s", error)
    sys.exit(CANNOT_START)
except Exception as error:  # a traceback would quote the settings, secrets among them
    logging.getLogger("cds_server").critical("crs-cds cannot start, by a fault of its own: %s", where_it_failed(error))
    sys.exit(CANNOT_START)

if app.extensions[RUNNING_KEY].settings.environment is Environment.DEVELOPMENT:
    from order_desk.routes import desk

    app.register_blueprint(desk)

warm_start(app.extensions[RUNNING_KEY].sources.rules.terms)
start_giving_back()
start_keeper(app.extensions[RUNNING_KEY].decisions, app.extensions[RUNNING_KEY].store)
