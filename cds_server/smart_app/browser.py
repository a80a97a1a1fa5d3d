"""The browser of a launch, known by a random cookie of ours and by nothing else."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from flask import Response, make_response, redirect, request

from cds_server.pages import page
from cds_server.storage.smart_sessions import new_secret

_SECRET = re.compile(r"[A-Za-z0-9_\-]{43}")
_OF_A_LAUNCH = ("iss", "launch", "appContext")


def known_browser(public_url: str) -> str | None:
    """The value of our cookie; None where the browser sent none that we made."""
    found = request.cookies.get(_cookie(public_url), "")
    return found if _SECRET.fullmatch(found) else None


def sent_around_with_cookie(public_url: str) -> Response:
    """Back to the launch with a cookie, once. A browser that keeps none, as in a frame of another site, is asked for a
    window."""
    again = {name: value for name, value in request.args.items() if name in _OF_A_LAUNCH}
    if "cookie" in request.args:
        return page("smart_window.html", {"address": f"launch?{urlencode(again)}"})
    response = sent_to(f"launch?{urlencode({**again, 'cookie': '1'})}")
    # browsers take a loopback address for a safe one: the same attributes hold in development
    response.set_cookie(
        _cookie(public_url), new_secret(), path="/", secure=True, httponly=True, samesite="None", partitioned=True
    )
    return response


def sent_to(address: str) -> Response:
    response = make_response(redirect(address, 303))
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _cookie(public_url: str) -> str:
    """`__Host-` keeps neighbours of our domain from setting it; browsers take that with https only."""
    return ("__Host-" if public_url.startswith("https:") else "") + "crs-cds"
