"""What people look at: HTML from the templates, and the files in `static/` that the pages load. No page holds a script
or style of its own, so that the browser runs nothing but those files, whatever a patient's record holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, make_response, render_template

pages = Blueprint("pages", __name__, static_folder="static", static_url_path="/static")
STATIC = "pages.static"  # the endpoint of those files
STATIC_SECONDS = 3600


def let_frame(response: Response, origins: Sequence[str]) -> None:
    """Let pages of some origins show a page in a frame."""
    policy = response.headers.get("Content-Security-Policy")
    if policy is not None and origins:
        kept = [rule for rule in policy.split("; ") if not rule.startswith("frame-ancestors ")]
        response.headers["Content-Security-Policy"] = "; ".join([*kept, " ".join(["frame-ancestors", *origins])])


def page(
    template: str, values: Mapping[str, Any], *, frame_ancestors: Sequence[str] = (), connect: Sequence[str] = ()
) -> Response:
    """A template as HTML with its Content-Security-Policy.

    `frame_ancestors` are the origins that may show it in a frame, `connect` those its scripts may call besides our own.
    """
    response = make_response(render_template(template, **values))
    response.headers["Content-Security-Policy"] = "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            " ".join(["connect-src 'self'", *connect]),
            "form-action 'self'",
            "base-uri 'none'",
            " ".join(["frame-ancestors", *(frame_ancestors or ["'none'"])]),
        ]
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
