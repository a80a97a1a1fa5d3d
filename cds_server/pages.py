"""The pages that people look at: HTML from templates, and the files that pages load. What several pages share lies in
`templates/` and `static/` here, everything else beside its page.

No page holds a script or style of its own, so the browser runs nothing but those files, whatever a patient's record
holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, make_response, render_template
from werkzeug.datastructures import ContentSecurityPolicy

pages = Blueprint("pages", __name__, static_folder="static", static_url_path="/static")
_OF_ONE_VERSION = re.compile(r"-\d+\.\d+\.\d+\.")  # a version in its name: the content never changes
# ECharts needs no exception: it draws SVG by attributes and sets styles from its script, which style-src allows
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
    """The Cache-Control of a file. Browsers ask for one of ours anew each time, so that after an upgrade no old script
    draws what a new page says."""
    return "public, max-age=86400" if _OF_ONE_VERSION.search(file) else "no-cache"


def let_frame(response: Response, origins: Sequence[str]) -> None:
    """Let pages of some origins show a page in a frame."""
    if origins and response.content_security_policy:
        response.content_security_policy.frame_ancestors = " ".join(origins)
