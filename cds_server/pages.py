"""What people look at: HTML from templates, and the files that pages load. What several pages share stands in
`templates/` and `static/` here, the rest beside the page that it is of.

No page holds a script or style within it, so that the browser runs nothing but those files, whatever a patient's record
holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, make_response, render_template
from werkzeug.datastructures import ContentSecurityPolicy

pages = Blueprint("pages", __name__, static_folder="static", static_url_path="/static")
_OF_ONE_VERSION = re.compile(r"-\d+\.\d+\.\d+\.")  # in its name: what it holds never changes
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def page(template: str, values: Mapping[str, Any], *, connect: Sequence[str] = ()) -> Response:
    """A template as HTML with its Content-Security-Policy; `connect` are the origins that its scripts may call besides
    our own."""
    response = make_response(render_template(template, **values))
    policy = {**POLICY, "connect-src": " ".join([POLICY["connect-src"], *connect])}
    response.content_security_policy = ContentSecurityPolicy(policy)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def kept(file: str) -> str:
    """How long browsers keep a file, as Cache-Control. One of ours is asked for anew each time: after an upgrade no old
    script may draw what a new page says."""
    return "public, max-age=86400" if _OF_ONE_VERSION.search(file) else "no-cache"


def let_frame(response: Response, origins: Sequence[str]) -> None:
    """Let pages of some origins show a page in a frame."""
    if origins and response.content_security_policy:
        response.content_security_policy.frame_ancestors = " ".join(origins)
