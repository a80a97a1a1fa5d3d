"""The end of `make sbom`: `python -m tests.support.sbom REQUIREMENTS FILE` adds the shipped scripts to an SBOM that
`cyclonedx-py` wrote, and fails if a package of the requirements is not in it in its version."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from tests.support.licences import ROOT, SCRIPTS, pinned, plain, version_of

Sbom = dict[str, Any]


def with_scripts(sbom: Sbom) -> Sbom:
    """The SBOM with each script that a page loads: the wheel brings it, and no package manager knows it."""
    return {**sbom, "components": [*sbom["components"], *(_script(name) for name in sorted(SCRIPTS))]}


def _script(name: str) -> dict[str, Any]:
    folder, pattern, licence = SCRIPTS[name]
    version = version_of(folder, pattern)
    (file,) = (ROOT / folder).glob(pattern)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    purl = f"pkg:npm/{pattern.partition('-*')[0]}@{version}"
    return {
        "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
        "licenses": [{"license": {"id": licence}}], "hashes": [{"alg": "SHA-256", "content": digest}],
    }  # fmt: skip


def missing(sbom: Sbom, wanted: dict[str, str]) -> list[str]:
    """The packages that are not in the SBOM in the version that is wanted."""
    listed = {(plain(part["name"]), part.get("version")) for part in sbom["components"]}
    return [f"{name} {version}" for name, version in wanted.items() if (name, version) not in listed]


def main(requirements: str, file: Path) -> None:
    """Complete the SBOM of what these requirements install. Raises SystemExit if a package is missing in it."""
    sbom = with_scripts(json.loads(file.read_text(encoding="utf-8")))
    lacks = missing(sbom, pinned(requirements))
    if lacks:
        raise SystemExit(f"{file} lacks {', '.join(lacks)}")
    file.write_text(json.dumps(sbom, indent=2) + "\n", encoding="utf-8")
    print(len(sbom["components"]), "components in", file)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
