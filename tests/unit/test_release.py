"""What a release is made of: refused where something is missing, licences that we accept, no digest that grows old."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.support import licences, sbom
from tests.support.image import instructions
from tests.support.tables import name_of, rows

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
DIGEST = "sha256:" + "0123456789abcdef" * 4

REFUSED = rows("""
    | because                       | digest         | changelog | change | tag | says                         |
    | ----------------------------- | -------------- | --------- | ------ | --- | ---------------------------- |
    | no digest                     |                | 1.2.3     |        | yes | BASE_DIGEST must be          |
    | a tag in place of a digest    | 3.13-slim      | 1.2.3     |        | yes | BASE_DIGEST must be          |
    | a digest that is cut off      | sha256:0123    | 1.2.3     |        | yes | BASE_DIGEST must be          |
    | changes under another version | DIGEST         | 1.2.2     |        | yes | begins with 1.2.2            |
    | something not committed       | DIGEST         | 1.2.3     | yes    | yes | not committed                |
    | no tag of the version         | DIGEST         | 1.2.3     |        |     | no tag v1.2.3                |
    | everything is there           | DIGEST         | 1.2.3     |        | yes | 1.2.3 may be released on sha |
    """)


@pytest.mark.parametrize("row", REFUSED, ids=name_of)
def test_a_release_with_something_missing_is_refused(row: dict[str, str], tmp_path: Path) -> None:
    def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        of_git = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return subprocess.run(  # noqa: S603
            command, cwd=tmp_path, capture_output=True, text=True, check=False,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), **of_git, **environ},
        )  # fmt: skip

    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "release.sh", tmp_path / "deploy")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## {row['changelog']}\n", encoding="utf-8")
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["commit", "-qm", "all"],
        *([["tag", "v1.2.3"]] if row["tag"] else []),
    ):
        assert run("git", *command).returncode == 0
    if row["change"]:
        (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.2.3"\n', encoding="utf-8")
    done = run("deploy/release.sh", "check", BASE_DIGEST=row["digest"].replace("DIGEST", DIGEST))
    assert row["says"] in done.stdout + done.stderr
    assert done.returncode == (0 if "may be released" in row["says"] else 2)


def test_each_stage_of_the_image_is_built_on_the_digest_of_the_release() -> None:
    bases = [text.partition(" AS ")[0] for name, text in instructions() if name == "FROM" and "=" not in text]
    assert bases == ["python:3.13-slim${BASE_DIGEST:+@${BASE_DIGEST}}"] * 2


def test_no_digest_of_an_image_is_typed_in() -> None:
    files = [ROOT / "Dockerfile", *(file for file in (ROOT / "deploy").rglob("*") if file.is_file())]
    typed_in = "sha256:(?!0{64})[0-9a-f]{64}"  # the zeros of an example are none
    assert [f.name for f in files if re.search(typed_in, f.read_text(encoding="utf-8"))] == []


def test_the_changelog_begins_with_the_version() -> None:
    titles = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert titles[0] == VERSION


def test_the_page_of_licences_is_not_stale() -> None:
    assert licences.FILE.read_text(encoding="utf-8") == licences.page(), "run: make docs"


INSTALLED = ("run", *licences.EXTRAS)


@pytest.mark.parametrize("requirements", INSTALLED)
def test_every_package_that_a_site_installs_is_on_the_page_in_its_version(requirements: str) -> None:
    declared = {name: version for name, (version, _) in licences.declared(requirements).items()}
    assert declared == licences.pinned(requirements)


@pytest.mark.parametrize("requirements", INSTALLED)
def test_every_licence_is_one_that_we_accept(requirements: str) -> None:
    declared = {name: licences.parts(licence) for name, (_, licence) in licences.declared(requirements).items()}
    assert {name: found for name, found in declared.items() if not set(found) <= set(licences.ALLOWED)} == {}


def test_every_shipped_script_is_on_the_page_and_has_its_notice() -> None:
    shipped = {
        f.name.split("-")[0] for folder in ("cds_server", "order_desk") for f in (ROOT / folder).rglob("*.min.js")
    }
    assert {pattern.split("-")[0] for _, pattern, _ in licences.SCRIPTS.values()} == shipped
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert [name for name in licences.SCRIPTS if name not in notice] == []


def test_whatever_requirements_the_pages_name_to_a_site_have_an_sbom() -> None:
    """`build.txt` is for the stage that makes the wheel, and is not installed."""
    pages = [ROOT / "README.md", ROOT / "Dockerfile", *(ROOT / "docs").glob("*.md")]
    named = {name for page in pages for name in re.findall(r"requirements/([a-z]+)\.txt", page.read_text("utf-8"))}
    steps = subprocess.run(["make", "-n", "sbom"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    assert (
        {"run", "otel", "evaluate", "cluster"}
        <= named - {"build"}
        <= set(re.findall(r"requirements/([a-z]+)\.txt", steps))
    )


def test_a_package_that_the_sbom_lacks_is_named() -> None:
    listed = {"components": [{"name": "Flask_Cors", "version": "6.0.0"}, {"name": "msgspec", "version": "0.20.0"}]}
    wanted = {"flask-cors": "6.0.0", "msgspec": "0.21.0", "numpy": "2.4.0"}
    assert sbom.missing(listed, wanted) == ["msgspec 0.21.0", "numpy 2.4.0"]


def test_the_scripts_that_the_wheel_brings_are_in_the_sbom() -> None:
    added = sbom.with_scripts({"components": []})["components"]
    assert [part["name"] for part in added] == sorted(licences.SCRIPTS)
    assert all(re.fullmatch(r"pkg:npm/[a-z-]+@\d+\.\d+\.\d+", part["purl"]) for part in added)
