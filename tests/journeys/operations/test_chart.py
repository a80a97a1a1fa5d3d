"""The Helm chart: what it renders is valid and holds what a hospital asks for, and its values are checked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft7Validator
from sqlalchemy import create_engine, text

from cds_server.command_line.program import commands
from cds_server.settings.reading import settings_from
from cds_server.settings.table import known_names
from cds_server.storage.database import SCHEMA
from tests.support.chart import DEPLOY, RENDERED, head
from tests.support.tables import rows

ROOT = DEPLOY.parent
CHART = DEPLOY / "helm"
DOCUMENTS = {
    (document["kind"], document["metadata"]["name"]): document
    for document in yaml.safe_load_all(RENDERED.read_text(encoding="utf-8"))
}
VALUES = {
    **yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8")),
    **yaml.safe_load((CHART / "example-values.yaml").read_text(encoding="utf-8")),
}
SERVICE, JOB = DOCUMENTS["StatefulSet", "crs-cds"], DOCUMENTS["Job", "crs-cds-upgrade-tables"]


def pod_of(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["spec"]["template"]["spec"]
    return found


def environment(document: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod_of(document)["containers"]
    return {variable["name"]: variable.get("value", variable.get("valueFrom")) for variable in container["env"]}


def test_what_is_committed_was_rendered_from_the_chart_of_today() -> None:
    assert RENDERED.read_text(encoding="utf-8").startswith(head()), "run `make deploy-render`"


def test_what_is_rendered_is_valid() -> None:
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", str(RENDERED)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" passed ") + done.stderr.count(" passed ") == len(DOCUMENTS)


ASKED = rows("""
| of          | path                                            | value           | because                                     |
| StatefulSet | enableServiceLinks                              | False           | CRS_CDS_PORT of the cluster is no setting   |
| StatefulSet | automountServiceAccountToken                    | False           | the service asks nothing of the cluster     |
| StatefulSet | securityContext.runAsNonRoot                    | True            | no root                                     |
| StatefulSet | securityContext.seccompProfile.type             | RuntimeDefault  |                                             |
| StatefulSet | containers.0.securityContext.readOnlyRootFilesystem | True        | a read-only root                            |
| StatefulSet | containers.0.securityContext.allowPrivilegeEscalation | False     |                                             |
| StatefulSet | containers.0.securityContext.capabilities.drop  | ['ALL']         |                                             |
| StatefulSet | containers.0.livenessProbe.httpGet.path         | /health/live    | the process answers                         |
| StatefulSet | containers.0.readinessProbe.httpGet.path        | /health/ready   | 200 even when degraded                      |
| StatefulSet | containers.0.startupProbe.httpGet.path          | /health/live    | a slow start is no failure                  |
| StatefulSet | terminationGracePeriodSeconds                   | 45              | more than the 30 s in which gunicorn ends   |
| Job         | enableServiceLinks                              | False           |                                             |
| Job         | securityContext.runAsNonRoot                    | True            |                                             |
| Job         | containers.0.securityContext.readOnlyRootFilesystem | True        |                                             |
| Job         | containers.0.command                            | ['crs-cds', 'upgrade'] | the migration                        |
""")


@pytest.mark.parametrize("row", ASKED, ids=lambda row: f"{row['of']} {row['path']}")
def test_a_pod_has_what_is_asked_of_it(row: dict[str, str]) -> None:
    found: Any = pod_of({"StatefulSet": SERVICE, "Job": JOB}[row["of"]])
    for name in row["path"].split("."):
        found = found[int(name)] if isinstance(found, list) else found[name]
    assert str(found) == row["value"]


def test_there_is_all_that_keeps_pods_running() -> None:
    assert {kind for kind, _ in DOCUMENTS} == {
        "StatefulSet", "Service", "Job", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler"
    }  # fmt: skip
    labels = SERVICE["spec"]["template"]["metadata"]["labels"]
    for kind, path in (("Service", "selector"), ("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        selector = DOCUMENTS[kind, "crs-cds"]["spec"][path]
        assert selector.get("matchLabels", selector).items() <= labels.items(), kind
    assert DOCUMENTS["HorizontalPodAutoscaler", "crs-cds"]["spec"]["minReplicas"] >= 2
    assert DOCUMENTS["PodDisruptionBudget", "crs-cds"]["spec"]["maxUnavailable"] == 1


def test_every_place_that_is_written_to_is_a_volume() -> None:
    (container,) = pod_of(SERVICE)["containers"]
    writable = {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")}
    assert writable == {"/tmp", environment(SERVICE)["CRS_CDS_SPOOL_DIR"]}  # noqa: S108
    assert [claim["metadata"]["name"] for claim in SERVICE["spec"]["volumeClaimTemplates"]] == ["spool"]


def test_pods_reach_the_named_servers_alone() -> None:
    policy = DOCUMENTS["NetworkPolicy", "crs-cds"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    reached = {(to["ipBlock"]["cidr"], port["port"])
               for rule in policy["egress"] for to in rule["to"] if "ipBlock" in to for port in rule["ports"]}  # fmt: skip
    named = [*VALUES["fhirServers"], VALUES["database"], *VALUES["alsoReached"]]
    assert reached == {(server["cidr"], server["port"]) for server in named}
    others = [rule for rule in policy["egress"] if not any("ipBlock" in to for to in rule["to"])]
    assert [{port["port"] for port in rule["ports"]} for rule in others] == [{53}], "the names of the cluster"
    assert environment(SERVICE)["CRS_CDS_FHIR_SERVERS"].split(",") == [s["base"] for s in VALUES["fhirServers"]]
    migration = DOCUMENTS["NetworkPolicy", "crs-cds-upgrade-tables"]["spec"]
    assert migration["podSelector"]["matchLabels"] == JOB["spec"]["template"]["metadata"]["labels"]
    assert "ingress" not in migration


def test_secrets_are_referred_to() -> None:
    for document in (SERVICE, JOB):
        secret = {n: v for n, v in environment(document).items() if re.search("KEY|TOKEN|PASSWORD", n)}
        assert secret
        assert all(set(value) == {"secretKeyRef"} for value in secret.values())
    assert "Secret" not in {kind for kind, _ in DOCUMENTS}


def test_the_service_takes_the_settings_of_the_chart(tmp_path: Path) -> None:
    environ = {name: value if isinstance(value, str) else "s" * 32 for name, value in environment(SERVICE).items()}
    settings = settings_from(environ | {"CRS_CDS_SPOOL_DIR": str(tmp_path)})
    assert settings.in_production
    assert {name for name in environ if name.startswith("CRS_CDS_")} <= known_names()


def test_the_migration_makes_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "log.sqlite"
    file.touch()
    monkeypatch.setenv("CRS_CDS_DATABASE_URL", f"sqlite:///{file}")
    words = pod_of(JOB)["containers"][0]["command"][1:]
    for _ in range(2):  # a second time it changes nothing
        done = CliRunner().invoke(commands, words)
        assert (done.exit_code, done.output) == (0, f"The tables are of revision {SCHEMA}.\n")


def test_the_migration_leaves_the_tables_of_a_later_version_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'log.sqlite'}"
    monkeypatch.setenv("CRS_CDS_DATABASE_URL", url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('9999')"))
    done = CliRunner().invoke(commands, ["upgrade"])
    assert done.exit_code != 0
    assert "the tables are of a revision that this version does not know" in done.output
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()


def test_the_image_is_named_by_its_digest_and_the_chart_by_the_version() -> None:
    assert {pod_of(d)["containers"][0]["image"] for d in (SERVICE, JOB)} == {
        f"{VALUES['image']['repository']}@{VALUES['image']['digest']}"
    }
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert chart["version"] == chart["appVersion"] == project["version"]


REFUSED = rows("""
| path                   | value                               | because                                          |
| image.digest           | "latest"                            | a tag may name another image tomorrow            |
| publicUrl              | "http://cds.example.org"            | TLS                                              |
| timezone               | ""                                  | day 0 is a local date                            |
| fhirServers            | []                                  | nothing could be read                            |
| fhirServers.0.cidr     | "0.0.0.0/0"                         | that would be everywhere                         |
| fhirServers.0.base     | "http://fhir.example.org"           | TLS                                              |
| database.url           | "postgresql://crs:pw@db/crs"        | a password in values                             |
| database.url           | "sqlite:///log.sqlite"              | each pod would have a log of its own             |
| reachedFrom            | []                                  | nobody could call                                |
| reachedFrom.0          | {}                                  | everybody could call                             |
| database.url           | "postgresql://crs@db/crs?password=p" | a password in values                             |
| database.url           | "postgresql://crs@db/crs?sslpassword=p" | a password in values                          |
| fhirServers.0.base     | "https://u:p@fhir.example.org/r4"   | a password in values                             |
| fhirServers.0.base     | "https://fhir.example.org\\n- {}"   | YAML of its own                                  |
| publicUrl              | "https://u:p@cds.example.org"       | a password in values                             |
| image.repository       | "registry/x\\nhostNetwork: true"    | YAML of its own                                  |
| site.secret            | "x}\\n- {secret: y"                 | YAML of its own                                  |
| spool.storageClass     | "x\\nvolumeName: y"                 | YAML of its own                                  |
| spool.size             | "1Gi\\nx: y"                        | YAML of its own                                  |
| secret.keys            | {"CRS_CDS_PSEUDONYM_KEY": "a", "PGPASSWORD": "b", "PATH": "c"} | no setting            |
| secret.keys            | {"CRS_CDS_PSEUDONYM_KEY": "a}, x: {", "PGPASSWORD": "b"} | YAML of its own             |
| settings               | {"CRS_CDS_OTLP": "https://u:p@c"}   | a password in values                             |
| settings               | {"CRS_CDS_CLIENTS": "off"}          | the chart sets it, and the last of two counts    |
| settings               | {"CRS_CDS_SESSION_KEY": "x"}        | a secret in values                               |
| settings               | {"CRS_CDS_METRICS_TOKEN": "x"}      | a secret in values                               |
| settings               | {"CRS_CDS_HTTPS_PROXY": "x"}        | an address that may hold a password              |
| settings               | {"PATH": "x"}                       | no setting                                       |
| replicas.least         | 1                                   | one pod is none while it is moved                |
| replica                | 3                                   | a value that the chart does not have             |
""")


def with_value(path: str, value: Any) -> dict[str, Any]:
    """The example values with another value at a path."""
    changed: dict[str, Any] = json.loads(json.dumps(VALUES))
    *way, last = path.split(".")
    here: Any = changed
    for name in way:
        here = here[int(name)] if isinstance(here, list) else here[name]
    here[int(last) if isinstance(here, list) else last] = value
    return changed


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: f"{row['path']}: {row['because']}")
def test_values_that_cannot_be_used_are_refused(row: dict[str, str]) -> None:
    check = Draft7Validator(json.loads((CHART / "values.schema.json").read_text(encoding="utf-8")))
    assert check.is_valid(VALUES)
    assert not check.is_valid(with_value(row["path"], json.loads(row["value"])))
