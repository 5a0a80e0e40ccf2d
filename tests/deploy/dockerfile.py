"""deploy/Dockerfile as values, as far as this project writes Dockerfiles."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction. `stage` counts from 0; instructions before the first FROM have -1."""

    stage: int
    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words without the `--flags` before them; of a JSON list, its items."""
        found = json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)
        return [word for word in found if not word.startswith("--")] if self.name == "COPY" else found

    def flag(self, name: str) -> str | None:
        found = re.search(rf"--{name}=(\S+)", self.text)
        return found[1] if found else None


def steps() -> list[Step]:
    """Every instruction in order, comments left out and continued lines joined."""
    lines = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    found: list[Step] = []
    stage = -1
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, text = line.partition(" ")
        stage += name == "FROM"
        found.append(Step(stage, name, text))
    return found


def last(name: str) -> Step:
    return [step for step in steps() if step.name == name][-1]


def copied() -> list[str]:
    """The paths, from the project's root, that are copied into the image; some have wildcards."""
    return [word for step in steps() if step.name == "COPY" and not step.flag("from") for word in step.words[:-1]]


def environment(stage: int) -> dict[str, str]:
    """What this stage's ENV and ARG say."""
    pairs = [
        word.partition("=")
        for step in steps()
        if step.stage == stage and step.name in ("ENV", "ARG")
        for word in step.words
    ]
    return {name: value for name, _, value in pairs}
