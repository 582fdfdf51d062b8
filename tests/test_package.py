"""What is built to be installed: every module and data file is in it, and nothing else."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("linmodel", "proofs_check", "realnet", "figures")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel's and the source archive's file names, built without a network."""
    pytest.importorskip("setuptools")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a checkout of git")
    files = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    for name in files:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    made = f"b.build_sdist({str(out)!r}); b.build_wheel({str(out)!r})"
    done = subprocess.run(
        [sys.executable, "-c", f"import setuptools.build_meta as b; {made}"],
        cwd=source,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "not be included" not in done.stderr and "is absent from" not in done.stderr
    (wheel,), (archive,) = out.glob("*.whl"), out.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as inside, tarfile.open(archive) as packed:
        metadata = next(name for name in inside.namelist() if name.endswith("METADATA"))
        yield (
            files,
            set(inside.namelist()),
            {name.partition("/")[2] for name in packed.getnames()},
            inside.read(metadata).decode(),
        )


def test_every_file_of_the_packages_is_in_the_wheel_and_the_archive(built):
    files, wheel, archive, _ = built
    notes = ("data_files/README.md",)
    wanted = {name for name in files if name.startswith(PACKAGES) and not name.endswith(notes)}
    assert wanted - wheel == set()
    assert wanted - archive == set()


def test_nothing_else_is_in_the_wheel(built):
    _, wheel, _, _ = built
    assert {name.split("/")[0] for name in wheel if "dist-info" not in name} == set(PACKAGES)


def test_the_metadata_has_the_readme_and_every_extra(built):
    metadata = built[3]
    assert "Description-Content-Type: text/markdown" in metadata
    for extra in ("track", "sweep", "prove", "figures", "realnet", "strategies", "all"):
        assert f"Provides-Extra: {extra}\n" in metadata
