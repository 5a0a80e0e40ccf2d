"""Stands in for Google's `gsutil`, on an emulator: `ls`, `cp`, `mv` and `rm` as far as the pages use them."""

import fnmatch
import json
import os
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

SERVER = os.environ["STORAGE_EMULATOR_HOST"]


def main() -> None:
    commands: dict[str, Callable[..., None]] = {"ls": ls, "cp": cp, "mv": mv, "rm": rm}
    command, *words = sys.argv[1:]
    commands[command](*words)


def ls(*words: str) -> None:
    """A folder's children, or with `-l` the objects of a pattern with size and time."""
    bucket, name = _split(words[-1])
    found = _objects(bucket)
    if words[0] == "-l":
        matching = [each for each in found if fnmatch.fnmatchcase(each["name"], name)]
        for each in matching:
            print(f"{each['size']:>11}  {each['updated'][:19]}Z  gs://{bucket}/{each['name']}")  # noqa: T201
        print(f"TOTAL: {len(matching)} objects")  # noqa: T201
    else:
        children = {_child(each["name"], name) for each in found if each["name"].startswith(name)}
        print(*(f"gs://{bucket}/{child}" for child in sorted(children)), sep="\n")  # noqa: T201


def cp(source: str, target: str) -> None:
    bucket, name = _split(source)
    path = Path(target)
    (path / Path(name).name if path.is_dir() else path).write_bytes(_request(_address(bucket, name) + "?alt=media"))


def mv(source: str, target: str) -> None:
    """Everything below one path to another path in the same bucket."""
    (bucket, old), (_, new) = _split(source), _split(target)
    for each in _objects(bucket):
        if each["name"].startswith(f"{old}/"):
            data = _request(_address(bucket, each["name"]) + "?alt=media")
            parameters = urlencode({"uploadType": "media", "name": new + each["name"].removeprefix(old)})
            _request(f"{SERVER}/upload/storage/v1/b/{bucket}/o?{parameters}", "POST", data)
            rm(f"gs://{bucket}/{each['name']}")


def rm(url: str) -> None:
    _request(_address(*_split(url)), "DELETE")


def _split(url: str) -> tuple[str, str]:
    bucket, _, name = url.removeprefix("gs://").partition("/")
    return bucket, name


def _child(name: str, folder: str) -> str:
    head, slash, _ = name.removeprefix(folder).partition("/")
    return folder + head + slash


def _objects(bucket: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_request(f"{SERVER}/storage/v1/b/{bucket}/o")).get("items", [])
    return found


def _address(bucket: str, name: str) -> str:
    return f"{SERVER}/storage/v1/b/{bucket}/o/{quote(name, safe='')}"


def _request(url: str, method: str = "GET", data: bytes | None = None) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as answer:  # noqa: S310 -- loopback
        return bytes(answer.read())


if __name__ == "__main__":
    main()
