"""What tests of shared storage share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
import fsspec
import pytest
from interrupted import write_source
from object_storage import ENVIRONMENT, ObjectServer, as_others_see_it

from stylize_live.conversion import segments


@pytest.fixture(scope="session")
def server() -> Iterator[ObjectServer]:
    """One for all tests."""
    server = ObjectServer()
    yield server
    server.close()


_create_loader = cache(botocore.session.create_loader)


@pytest.fixture
def bucket(server: ObjectServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty bucket, which this process may read and write."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Every client reads the descriptions of S3 anew, which takes longer than what most tests ask.
    monkeypatch.setattr(botocore.session, "create_loader", _create_loader)
    fsspec.filesystem("s3").clear_instance_cache()
    server.forget()
    as_others_see_it().mkdir("library")
    yield "s3://library"
    fsspec.filesystem("s3").clear_instance_cache()


@pytest.fixture
def source(bucket: str, tmp_path: Path) -> str:
    """The URL of a video of several shots, with sound, which is at in.mp4, too."""
    as_others_see_it().put_file(str(write_source(tmp_path / "in.mp4")), f"{bucket}/films/in.mp4")
    return f"{bucket}/films/in.mp4"


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 5 to 11 frames, for clips of seconds."""
    monkeypatch.setattr(segments, "LEAST_FRAMES", 5)
    monkeypatch.setattr(segments, "MOST_FRAMES", 11)
