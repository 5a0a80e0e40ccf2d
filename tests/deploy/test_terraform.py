"""deploy/terraform: one instance, a private backup that can be brought back, an account that may do little."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import hcl2
import pytest
from hcl2.utils import SerializationOptions

from dispinmap.settings import Settings
from tests.deploy.dockerfile import ROOT

FOLDER = ROOT / "deploy" / "terraform"
FILES = sorted(FOLDER.glob("*.tf"))
PLAIN = SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)
GIVEN = {
    "project": "my-project",
    "image": "us-central1-docker.pkg.dev/my-project/bots/dispinmap:1.0.0",
    "bucket": "my-bot-backups",
}
has_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="there is no terraform here")

Block = dict[str, Any]


def _read(path: Path) -> Block:
    return hcl2.loads(path.read_text("utf-8"), serialization_options=PLAIN)


@pytest.fixture(scope="module")
def resources() -> dict[str, Block]:
    """Kind to the one resource of that kind."""
    found = [resource for path in FILES for resource in _read(path).get("resource", [])]
    assert len(found) == len({kind for each in found for kind in each})
    return {kind: next(iter(named.values())) for each in found for kind, named in each.items()}


@pytest.fixture(scope="module")
def service(resources: dict[str, Block]) -> Block:
    return resources["google_cloud_run_v2_service"]


@pytest.fixture(scope="module")
def container(service: Block) -> Block:
    (container,) = service["template"][0]["containers"]
    assert isinstance(container, dict)
    return container


@pytest.fixture(scope="module")
def bucket(resources: dict[str, Block]) -> Block:
    return resources["google_storage_bucket"]


def _terraform(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        ["terraform", f"-chdir={folder}", *words],  # noqa: S607 -- wherever it is installed
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@has_terraform
def test_it_is_formatted() -> None:
    done = _terraform(FOLDER, "fmt", "-check", "-diff")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The variables alone: with them Terraform needs no provider, which could not be downloaded here."""
    return Path(shutil.copy(FOLDER / "variables.tf", tmp_path_factory.mktemp("variables"))).parent


def _plan(folder: Path, **changes: object) -> subprocess.CompletedProcess[str]:
    options = [
        f"-var={name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in {**GIVEN, **changes}.items()
    ]
    return _terraform(folder, "plan", "-input=false", "-no-color", *options)


@has_terraform
def test_three_values_are_enough(variables: Path) -> None:
    done = _plan(variables)
    assert done.returncode == 0, done.stderr


@has_terraform
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("project", "My Project"),
        ("image", "example.com/dispinmap"),
        ("image", "example.com:5000/dispinmap"),
        ("image", "example.com/dispinmap:latest"),
        ("bucket", "gs://my-bucket"),
        ("noncurrent_days", 0),
        ("soft_delete_days", 3),
        ("secrets", {"PINBALLMAP_API_TOKEN": "a-secret"}),
        ("settings", {"DISCORD_TOKEN": "made.up"}),
        ("memory", "256Mi"),
        ("memory", "511Mi"),
        ("memory", "lots"),
        ("operators", ["allUsers"]),
    ],
)
def test_a_value_that_would_do_harm_is_refused_with_a_sentence(variables: Path, name: str, value: object) -> None:
    done = _plan(variables, **{name: value})
    assert done.returncode == 1
    assert "Invalid value for variable" in done.stderr


@has_terraform
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image", f"example.com:5000/dispinmap@sha256:{'0' * 64}"),
        ("memory", "512Mi"),
        ("memory", "1024Mi"),
        ("memory", "1Gi"),
        ("soft_delete_days", 0),
        ("settings", {"LOG_LEVEL": "DEBUG"}),
        ("operators", ["user:somebody@example.org"]),
    ],
)
def test_a_good_value_is_taken(variables: Path, name: str, value: object) -> None:
    done = _plan(variables, **{name: value})
    assert done.returncode == 0, done.stderr


def test_the_provider_is_one_exact_version() -> None:
    (terraform,) = _read(FOLDER / "versions.tf")["terraform"]
    (providers,) = terraform["required_providers"]
    assert providers["google"]["source"] == "hashicorp/google"
    assert re.fullmatch(r"\d+\.\d+\.\d+", providers["google"]["version"])


def test_there_is_one_instance_always_and_it_always_has_its_processor(service: Block, container: Block) -> None:
    assert service["scaling"] == [{"min_instance_count": 1}]
    assert service["template"][0]["scaling"] == [{"max_instance_count": 1}]
    assert container["resources"][0]["cpu_idle"] is False


@pytest.mark.parametrize("probe", ["startup_probe", "liveness_probe"])
def test_probes_ask_whether_it_is_alive_since_a_bot_in_standby_is_not_ready(container: Block, probe: str) -> None:
    assert [each["http_get"] for each in container[probe]] == [[{"path": "/health"}]]


def test_the_bot_runs_as_its_own_account_which_may_use_its_bucket_and_its_secrets_alone(
    resources: dict[str, Block], service: Block
) -> None:
    assert service["template"][0]["service_account"] == "${google_service_account.bot.email}"
    account = "${google_service_account.bot.member}"
    given = {kind: resource["role"] for kind, resource in resources.items() if resource.get("member") == account}
    assert given == {
        "google_storage_bucket_iam_member": "roles/storage.objectUser",
        "google_secret_manager_secret_iam_member": "roles/secretmanager.secretAccessor",
    }
    assert resources["google_storage_bucket_iam_member"]["bucket"] == "${google_storage_bucket.backup.name}"


def test_nobody_who_is_not_named_can_open_its_pages(resources: dict[str, Block]) -> None:
    invokers = resources["google_cloud_run_v2_service_iam_member"]
    assert (invokers["role"], invokers["member"]) == ("${each.value[0]}", "${each.value[1]}")
    # The proxy of `gcloud` asks for run.services.get before it opens anything, which is the viewer's.
    assert set(re.findall(r"roles/[\w.]+", invokers["for_each"])) == {"roles/run.invoker", "roles/run.viewer"}
    assert "var.operators" in invokers["for_each"]
    assert not [kind for kind in resources if kind.endswith(("_iam_policy", "_iam_binding"))]


def test_the_backup_is_private_and_what_is_overwritten_can_be_brought_back(bucket: Block) -> None:
    assert bucket["uniform_bucket_level_access"] is True
    assert bucket["public_access_prevention"] == "enforced"
    assert bucket["versioning"] == [{"enabled": True}]
    assert bucket["lifecycle"] == [{"prevent_destroy": True}]
    assert bucket["soft_delete_policy"]
    assert not bucket.get("force_destroy")


def test_nothing_of_the_backup_that_is_current_is_ever_deleted_by_the_bucket(bucket: Block) -> None:
    deleting = [rule["condition"] for rule in bucket["lifecycle_rule"] if rule["action"] == [{"type": "Delete"}]]
    assert deleting == [[{"days_since_noncurrent_time": "${var.noncurrent_days}"}]]


def _environment(container: Block) -> Iterator[Block]:
    yield from container["env"]
    yield from (each["env"]["content"][0] for each in container["dynamic"])


def test_secrets_come_from_secret_manager_alone(container: Block) -> None:
    plain = {each["name"]: each["value"] for each in _environment(container) if "value" in each}
    assert plain == {
        "LITESTREAM_PATH": "/tmp/pinball_bot.db",  # noqa: S108 -- as the database's guide has it
        "LITESTREAM_BUCKET": "${google_storage_bucket.backup.name}",
        "${env.key}": "${env.value}",
    }
    (secret,) = [each for each in _environment(container) if "value_source" in each]
    assert secret["value_source"][0]["secret_key_ref"] == [{"secret": "${env.value}", "version": "latest"}]


def test_the_names_in_it_are_settings() -> None:
    named = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", (FOLDER / "service.tf").read_text("utf-8")))
    (secrets,) = [
        each["secrets"]["default"] for each in _read(FOLDER / "variables.tf")["variable"] if "secrets" in each
    ]
    settings = {each.name.upper() for each in fields(Settings)}
    assert secrets.keys() <= settings
    assert {name for name in named if name.startswith("LITESTREAM")} <= settings
