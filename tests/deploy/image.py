"""The image without Docker: the Dockerfile's steps, run in a folder that stands for the container's root."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.deploy.dockerfile import ROOT, Step, environment, last, steps

FOLDERS = ("app", "build", "data", "tmp", "usr", "venv")


class Image:
    """What the steps made. Absolute paths of the container become paths below `root` wherever a step names them."""

    def __init__(self, root: Path, litestream: str) -> None:
        self.root = root
        self.litestream = litestream
        (root / "tmp").mkdir()
        (root / "tmp").chmod(0o1777)
        self._folder = root
        self.log = root / "log"
        self.log.touch()
        _base_image(root / "usr" / "local")

    def build(self) -> None:
        """Run every step in order."""
        for step in steps():
            if step.name == "WORKDIR":
                self._folder = Path(self.inside(step.text))
                self._folder.mkdir(exist_ok=True)
            elif step.name == "COPY":
                self._copy(step)
            elif step.name == "RUN":
                variables = {**self._variables(step.stage), "LITESTREAM_VERSION": self.litestream}
                subprocess.run(["sh", "-c", self.inside(step.text)], cwd=self._folder, env=variables, check=True)  # noqa: S607

    def inside(self, text: str) -> str:
        """The same text with the container's paths below `root`."""
        return re.sub(rf"(?<![\w.)])/(?={'|'.join(FOLDERS)})", f"{self.root}/", text)

    async def process(self, *command: str, **variables: str) -> asyncio.subprocess.Process:
        """Start a command as the container would: its user, folder and environment, `variables` on top."""
        given = {**self._variables(last("CMD").stage), "TMPDIR": str(self.root / "tmp"), **variables}
        program = shutil.which(command[0], path=given["PATH"])
        assert program is not None, f"{command[0]} is not on the image's PATH"
        user = int(last("USER").text.partition(":")[0])
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(program, *command[1:]),
                cwd=self._folder,
                env=given,
                stdout=log,
                stderr=log,
                user=user,
                group=user,
                extra_groups=[],
            )

    async def run(self, *command: str, code: int = 0, **variables: str) -> str:
        """What a command prints that ends with this exit code."""
        before = self.log.stat().st_size
        process = await self.process(*command, **variables)
        async with asyncio.timeout(60):
            ended = await process.wait()
        printed = self.log.read_bytes()[before:].decode()
        assert ended == code, printed
        return printed

    def _variables(self, stage: int) -> dict[str, str]:
        """The environment of a stage; how packages are reached is this machine's affair."""
        outside = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("PIP_") or name.endswith(("proxy", "PROXY"))
        }
        path = f"{self.root}/usr/local/bin:/usr/bin:/bin"
        own = {name: self.inside(value).replace("$PATH", path) for name, value in environment(stage).items()}
        # Only here: this machine's Python may be linked to a library that its copy has to find.
        return {"PATH": path, "LD_LIBRARY_PATH": f"{self.root}/usr/local/lib", **outside, **own}

    def _copy(self, step: Step) -> None:
        *sources, target = step.words
        into = self._folder / self.inside(target)
        # One folder stands for both stages: what is copied between them is there already.
        for found in () if step.flag("from") else (path for source in sources for path in ROOT.glob(source)):
            if found.is_dir():
                shutil.copytree(found, into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, into)
        if owner := step.flag("chown"):
            os.chown(into, *map(int, owner.split(":")))


def _base_image(prefix: Path) -> None:
    """This machine's Python as the official image has it: no compiled modules, no packages but pip."""
    programs = prefix / "bin"
    programs.mkdir(parents=True)
    shutil.copy(Path(sys.base_prefix) / "bin" / "python3", programs / "python3")
    (programs / "python").symlink_to("python3")
    unwanted = shutil.ignore_patterns("__pycache__", "site-packages", "test", "*.a")
    modules = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(modules, prefix / "lib" / modules.name, ignore=unwanted)
    for library in modules.parent.glob("libpython*"):
        shutil.copy(library, prefix / "lib")
    subprocess.run([programs / "python3", "-m", "ensurepip"], check=True, capture_output=True)
    (programs / "pip").symlink_to("pip3")


@contextmanager
def built(litestream: str) -> Iterator[Image]:
    """An image with this Litestream, gone at the end."""
    # Not in one of pytest's own folders, which other users cannot enter.
    with TemporaryDirectory(prefix="dispinmap-image-") as folder:
        Path(folder).chmod(0o755)
        image = Image(Path(folder), litestream)
        image.build()
        yield image
