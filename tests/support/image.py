"""The image that the Dockerfile describes, assembled without a container engine: a stage is a folder, a path of the
image lies below it, and each step is a process.

Where the tests may (as root, with a Python that everyone may run), the service runs as the user of the image.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
OF_THE_IMAGE = ("/opt/", "/src", "/srv/", "/var/lib/crs-cds")
LEAST_PYTHON = (3, 11)


def dockerignore_rules(root: Path = ROOT) -> list[str]:
    lines = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def is_in_context(path: str, rules: list[str]) -> bool:
    """Tell whether the build context holds a file: the last rule that fits it, or a folder above it, decides."""
    parts = path.split("/")
    itself_and_above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    inside = True
    for rule in rules:
        pattern = rule.removeprefix("!")
        if any(_fits(one, pattern) for one in itself_and_above):
            inside = rule.startswith("!")
    return inside


def _fits(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch(path.rpartition("/")[2], pattern.removeprefix("**/"))
    return path.count("/") == pattern.count("/") and fnmatch(path, pattern)


def build_context(root: Path = ROOT) -> Iterator[str]:
    """The files that `docker build` would be sent."""
    rules = dockerignore_rules(root)
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in (".git", ".venv", "node_modules", "mutants")]
        for file in files:
            path = (Path(folder) / file).relative_to(root).as_posix()
            if is_in_context(path, rules):
                yield path


@dataclass
class Image:
    """One stage: its folder, the programs of its base, its user, its environment, and what it runs."""

    folder: Path
    programs: Path
    user: int | None
    work: str = "/"
    environ: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def path(self, inside: str) -> Path:
        return self.folder / inside.lstrip("/")

    def there(self, text: str) -> str:
        """A text with each path of the image as it lies here."""
        for place in OF_THE_IMAGE:
            text = text.replace(place, str(self.folder) + place)
        return text

    def variables(self, **more: str) -> dict[str, str]:
        base = {"PATH": f"{self.programs}:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder)}
        base |= {k: v for k, v in os.environ.items() if k.startswith("PIP_") or k.endswith(("_proxy", "_PROXY"))}
        ours = {name: self.there(value).replace("$PATH", base["PATH"]) for name, value in self.environ.items()}
        return base | ours | more


def instructions(dockerfile: Path = ROOT / "Dockerfile") -> list[tuple[str, str]]:
    """The instructions of the file, each on one line."""
    lines = [line for line in dockerfile.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in whole.splitlines() if line.strip()]


def assembled(here: Path) -> Image:
    """The image, in a bare folder. Its paths stay the same from stage to stage, as they do in an image."""
    python, user = _python_and_user()
    (here / "bin").mkdir()
    (here / "bin" / "python").symlink_to(python)
    stages: dict[str, Path] = {}
    image = Image(here / "image", here / "bin", user)
    name = ""
    for instruction, text in instructions():
        if instruction == "FROM":
            if name:
                stages[name] = here / name
                image.folder.rename(stages[name])
            name = text.partition(" AS ")[2] or "last"
            image = Image(here / "image", here / "bin", user)
            image.folder.mkdir()
        else:
            _apply(image, instruction, text, stages)
    return image


def _apply(image: Image, instruction: str, text: str, stages: Mapping[str, Path]) -> None:
    match instruction:
        case "WORKDIR":
            image.work = text
            image.path(text).mkdir(parents=True, exist_ok=True)
        case "COPY":
            _copy(image, shlex.split(text), stages)
        case "RUN":
            _run(image, text)
        case "ENV":
            image.environ |= dict(part.split("=", 1) for part in shlex.split(text))
        case "CMD":
            image.command = json.loads(text)
        case "HEALTHCHECK":
            image.health = json.loads(text.partition("CMD ")[2])
        case "ARG" | "LABEL" | "USER" | "VOLUME" | "EXPOSE":
            pass
        case _:
            raise ValueError(f"{instruction} is not understood here: teach tests/support/image.py")


def _copy(image: Image, words: list[str], stages: Mapping[str, Path]) -> None:
    *sources, to = [word for word in words if not word.startswith("--from=")]
    stage = next((word.partition("=")[2] for word in words if word.startswith("--from=")), None)
    target = image.path(to if to.startswith("/") else f"{image.work}/{to}")
    if stage is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(stages[stage] / sources[0].lstrip("/"), target)  # nothing else is taken from that stage
        return
    context = list(build_context())
    for source in sources:
        files = [p for p in context if source in (".", p) or p.startswith(f"{source}/")]
        if not files:
            raise FileNotFoundError(f"COPY {source}: the build context does not hold it")
        for path in files:
            inside = path if source == "." else Path(path).name if path == source else path.removeprefix(f"{source}/")
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, target / inside)


def _run(image: Image, script: str) -> None:
    if os.getuid() != 0:  # only root gives files away
        script = script.replace("--owner 10001 --group 10001", "")
    if "install --directory" in script:  # the folders above are there in the base image
        image.path("/var/lib").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603
        ["/bin/sh", "-ec", image.there(script)], cwd=image.path(image.work), env=image.variables(), timeout=600,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"RUN {script}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")


def _python_and_user() -> tuple[str, int | None]:
    """A Python that makes environments, and the user of the image if that user may run it and we may become it."""
    number = int(next(text for name, text in instructions() if name == "USER").partition(":")[0])
    if os.getuid() == 0:
        test = f"import ensurepip, ssl, sqlite3, sys; sys.exit(sys.version_info < {LEAST_PYTHON})"
        for python in ("/usr/local/bin/python3", "/usr/bin/python3"):
            if (
                Path(python).exists()
                and not subprocess.run(  # noqa: S603
                    [python, "-c", test], user=number, group=number, cwd="/", capture_output=True, check=False
                ).returncode
            ):
                return python, number
    return sys._base_executable, None  # type: ignore[attr-defined]
