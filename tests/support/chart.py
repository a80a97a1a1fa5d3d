"""The head of `deploy/kubernetes.yaml`: the chart that it was rendered from, as a hash of its files.

`make test` has no helm. It compares this hash with the files of today, so that a chart that changed is rendered again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"
RENDERED = DEPLOY / "kubernetes.yaml"


def chart_hash() -> str:
    """The hash of every file of the chart, names and contents."""
    found = hashlib.sha256()
    for file in sorted(path for path in (DEPLOY / "helm").rglob("*") if path.is_file()):
        content = file.read_bytes()
        found.update(f"{file.relative_to(DEPLOY).as_posix()} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()


def head() -> str:
    """The comment that the rendered file begins with."""
    return f"# Rendered by `make deploy-render`; not to be edited.\n# Chart and example-values.yaml: {chart_hash()}\n"


if __name__ == "__main__":
    print(head(), end="")
