"""Compose, Kubernetes, systemd: valid by their own rules, and in line with the service's settings, routes and promises."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from ruamel.yaml import YAML

import service
from service.api.routes import operations
from service.api.serve import GRACE_SECONDS
from service.settings import PREFIX, Settings

ROOT = Path(service.__file__).parent.parent
DEPLOY = ROOT / "deploy"
TEXTS = {path: path.read_text(encoding="utf-8") for path in sorted(DEPLOY.rglob("*")) if path.is_file()}
YAMLS = [path for path in TEXTS if path.suffix in (".yaml", ".yml")]
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}
BIN = Path(sys.executable).parent


def load(path: Path) -> list[Any]:
    """The documents of a YAML file."""
    return list(YAML(typ="safe").load_all(TEXTS[path]))


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


COMPOSE = load(DEPLOY / "compose" / "compose.yaml")[0]
OBJECTS = {(each["kind"], each["metadata"]["name"]): each for path in KUBERNETES if path.name != "kustomization.yaml"
           for each in load(path)}  # fmt: skip
PODS = {name: each["spec"]["template"]["spec"] for name, each in OBJECTS.items() if name[0] in ("StatefulSet", "Job")}
(APP,) = PODS["StatefulSet", "shenyan"]["containers"]


# By their own tools


def test_yaml_is_tidy() -> None:
    done = run(BIN / "yamllint", "--strict", DEPLOY)
    assert done.returncode == 0, done.stdout


def test_compose_is_of_its_schema() -> None:
    done = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose/compose.yaml")
    assert done.returncode == 0, done.stdout


def test_manifests_are_of_their_schemas() -> None:
    files = [path for path in KUBERNETES if path.name != "kustomization.yaml"]
    done = run(BIN / "kubernetes-validate", "--strict", "--quiet", *files)
    assert done.returncode == 0, done.stdout + done.stderr


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(TEXTS[DEPLOY / "systemd" / "shenyan.service"])
    return parser


def test_the_unit_is_one(tmp_path: Path) -> None:
    text = TEXTS[DEPLOY / "systemd" / "shenyan.service"]
    assert unit()["Service"]["ExecStart"] == "/opt/shenyan/bin/shenyan serve"
    if shutil.which("systemd-analyze"):
        # It looks whether the command is there.
        file = tmp_path / "shenyan.service"
        file.write_text(text.replace("/opt/shenyan/bin/shenyan", "/bin/true"), encoding="utf-8")
        done = run("systemd-analyze", "verify", file)
        assert str(file) not in done.stderr + done.stdout
        assert "shenyan.service" not in done.stderr, done.stderr


# In line with the service


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_only_settings_that_exist(path: Path) -> None:
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", TEXTS[path])) <= SETTINGS


def test_probes_ask_routes_and_ports_that_exist() -> None:
    paths = {route.path for route in operations.router.routes if isinstance(route, APIRoute)}
    (port,) = APP["ports"]
    assert port == {"name": "http", "containerPort": Settings().port}
    for probe, path in (("startupProbe", "/livez"), ("readinessProbe", "/readyz"), ("livenessProbe", "/livez")):
        assert APP[probe]["httpGet"] == {"path": path, "port": "http"}
        assert path in paths
    assert all(f"'GET', '{path}'" in " ".join(COMPOSE["services"]["app"]["healthcheck"]["test"]) for path in ["/livez"])
    scrape = load(DEPLOY / "prometheus" / "prometheus.yml")[0]["scrape_configs"][0]
    assert scrape["metrics_path"] in paths
    assert scrape["dns_sd_configs"][0] == {"names": ["app"], "type": "A", "port": Settings().port}


def test_who_is_told_to_stop_has_the_time_for_it() -> None:
    drain = GRACE_SECONDS + 5
    assert int(COMPOSE["services"]["app"]["stop_grace_period"].removesuffix("s")) > drain
    assert int(unit()["Service"]["TimeoutStopSec"]) > drain
    wait = int(APP["lifecycle"]["preStop"]["exec"]["command"][1])
    assert PODS["StatefulSet", "shenyan"]["terminationGracePeriodSeconds"] > wait + drain


def test_the_journal_outlives_its_process() -> None:
    """Incidents that the database could not take wait in the data folder."""
    data = {"name": "data", "mountPath": "/data"}
    assert data in APP["volumeMounts"]
    stateful = OBJECTS["StatefulSet", "shenyan"]["spec"]
    assert [each["metadata"]["name"] for each in stateful["volumeClaimTemplates"]] == ["data"]
    assert stateful["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert "data:/data" in COMPOSE["services"]["app"]["volumes"]
    assert unit()["Service"]["StateDirectory"] == "shenyan"
    assert "SHENYAN_DATA_DIR=/var/lib/shenyan" in unit()["Service"]["Environment"]


# Nothing that it needs not


def test_images_are_of_one_version_each_and_of_no_named_host() -> None:
    images = [each["image"] for each in COMPOSE["services"].values()]
    images += [container["image"] for pod in PODS.values() for container in pod["containers"]]
    for image in images:
        name, _, tag = image.rpartition(":")
        assert re.search(r"\d", tag), image
        assert "." not in name.partition("/")[0], image
    ours = {image for image in images if image.startswith("shenyan:")}
    assert ours == {f"shenyan:{service.__version__}"}


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_containers_may_do_little(name: str) -> None:
    each = COMPOSE["services"][name]
    assert each["read_only"] is True
    assert each["cap_drop"] == ["ALL"]
    assert each["security_opt"] == ["no-new-privileges:true"]
    assert set(each["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    # Our image says itself that it is nobody's root.
    assert each["image"].startswith("shenyan:") or each["user"].partition(":")[0] not in ("", "0", "root")
    assert "healthcheck" in each or name == "migrate"
    assert all(port.startswith("127.0.0.1:") for port in each.get("ports", []))


@pytest.mark.parametrize("name", PODS, ids="/".join)
def test_pods_may_do_little(name: tuple[str, str]) -> None:
    pod = PODS[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]["limits"]) == {"cpu", "memory"}


def test_secrets_are_asked_for_and_nowhere() -> None:
    for path, text in TEXTS.items():
        if "example" in path.name:
            values = re.findall(r"(?:PASSWORD|KEY)[=:] ?(\S+)", text)
            assert set(values) == {"replace-me"}
        else:
            assert "replace-me" not in text
    asked = re.findall(r"\$\{(\w+):\?", TEXTS[DEPLOY / "compose" / "compose.yaml"])
    given = re.findall(r"^(\w+)=", TEXTS[DEPLOY / "compose" / "example.env"], re.MULTILINE)
    assert set(asked) == set(given)
    assert not [name for name in ("secret.yaml", ".env") if list(DEPLOY.rglob(name))]


def test_objects_speak_of_each_other() -> None:
    labels = {"app.kubernetes.io/name": "shenyan"}
    assert OBJECTS["StatefulSet", "shenyan"]["spec"]["selector"]["matchLabels"] == labels
    assert OBJECTS["Service", "shenyan"]["spec"]["selector"] == labels
    assert OBJECTS["PodDisruptionBudget", "shenyan"]["spec"]["selector"]["matchLabels"] == labels
    assert ("Service", OBJECTS["StatefulSet", "shenyan"]["spec"]["serviceName"]) in OBJECTS
    target = OBJECTS["HorizontalPodAutoscaler", "shenyan"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) in OBJECTS
    listed = load(DEPLOY / "kubernetes" / "kustomization.yaml")[0]["resources"]
    assert set(listed) == {path.name for path in KUBERNETES} - {"kustomization.yaml", "secret.example.yaml"}
