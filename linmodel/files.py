"""Files whole or not at all, nothing but regular files replaced, one process writing at a time."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from linmodel.errors import InvalidInput, refuse

SEAL = b"\nsha256 of all before this line: "
SEAL_BYTES = len(SEAL) + 64
LOCK = "lock"
_numbers = itertools.count()


def as_path(name: str, path: object) -> Path:
    """`path` as a Path that the file system can look up, or InvalidInput."""
    allowed = "a file's name that the file system takes"
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        refuse(name, path, allowed)
    try:
        found = Path(path)
        os.lstat(found)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, TypeError) as error:  # too long, a file in its middle, a NUL byte
        refuse(name, str(path), allowed, f"({getattr(error, 'strerror', None) or error})")
    return found


def require_writable(path: str | Path) -> Path:
    """`path` if a regular file can be put there, else InvalidInput: ask before the work, not after.

    A symbolic link is refused, a dangling one too: the rename that puts a whole file in place would
    put it in place of the link. So are devices, FIFOs, sockets and folders.
    """
    path = as_path("output file", path)
    folder = path.parent
    if not folder.is_dir():
        refuse("output folder", str(folder), "an existing folder", "Create it, or name another.")
    if not os.access(folder, os.W_OK):
        refuse("output folder", str(folder), "a folder you may write in")
    if path.is_symlink():
        refuse("output file", str(path), "a regular file or a new name", "It is a symbolic link.")
    if path.is_dir():
        refuse("output file", str(path), "a file name", "It is a folder: name a file inside it.")
    if path.exists() and not path.is_file():
        refuse("output file", str(path), "a regular file or a new name", f"It is {_kind(path)}.")
    return path


def write_bytes(path: str | Path, content: bytes | memoryview) -> Path:
    """Write beside `path`, flush to the disk, rename: a reader never sees half a file.

    Raises InvalidInput as `require_writable` does, and where the file system refuses (a full disk,
    a limit on sizes); the old file is then as it was and nothing is left beside it.
    """
    path = require_writable(path)
    sweep_temporaries(path)
    temporary = temporary_name(path)
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _flush_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file whole or not at all. Raises InvalidInput (see write_bytes)."""
    return write_bytes(path, text.encode("utf-8"))


def cannot_write(path: Path, error: OSError, remedy: str = "Name another.") -> InvalidInput:
    """The error of a file or folder that the file system does not take."""
    return InvalidInput(
        f"output file {str(path)!r} cannot be written ({error.strerror or error}). {remedy}"
    )


def seal(content: bytes | memoryview) -> bytes:
    """`content` and a last line with its SHA-256; NetCDF and zip readers pass over such a line."""
    return bytes(content) + SEAL + hashlib.sha256(content).hexdigest().encode()


def unseal(content: bytes) -> bytes | None:
    """What was sealed; None where the seal is missing or does not fit: damaged, cut or foreign."""
    body, line = content[:-SEAL_BYTES], content[-SEAL_BYTES:]
    return body if seal(body)[-SEAL_BYTES:] == line else None


def is_sealed(content: bytes) -> bool:
    """Whether the last line looks like a seal, right or wrong."""
    return content[-SEAL_BYTES:].startswith(SEAL)


def temporary_name(path: Path) -> Path:
    """A name beside `path` that no other process or thread takes."""
    return path.with_name(f".{_short(path.name)}.{os.getpid()}-{next(_numbers)}.tmp")


def sweep_temporaries(path: Path) -> None:
    """Remove temporaries of `path`, files or folders, whose process is gone: a kill leaves them."""
    mine = re.compile(re.escape(f".{_short(path.name)}.") + r"(\d+)(-\d+)?\.tmp")
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            found = mine.fullmatch(entry.name)
            if found is None:
                continue
            with suppress(OSError):  # another one may have taken it away meanwhile
                if not _writes(int(found[1]), entry.stat(follow_symlinks=False).st_mtime):
                    shutil.rmtree(entry.path) if entry.is_dir() else os.unlink(entry.path)


@contextmanager
def hold(folder: Path, name: str = "", wait: bool = False) -> Iterator[None]:
    """Be the one process that writes in `folder`, or what is called `name` in it.

    The lock is the file `.lock` or `.NAME.lock`; it is let go when the process ends, however that
    is. Where nobody can write there is nothing to hold. Raises InvalidInput where another process
    holds it, unless `wait`.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / (f".{name}.{LOCK}" if name else f".{LOCK}"))
    held = True
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout:
        refuse(
            "output",
            str(folder / name),
            "what no other process is writing",
            "Another one writes it now: wait until it ends, or name another.",
        )
    except OSError as error:
        held = False
        if os.access(folder, os.W_OK):
            raise cannot_write(folder / name, error, "Make room, or name another.") from error
    try:
        yield
    finally:
        if held:
            lock.release()


def _short(name: str) -> str:
    """`name`, or for one so long that no temporary's name could hold it, a digest of it."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= 200 else hashlib.sha256(encoded).hexdigest()[:32]


def _writes(process: int, modified: float) -> bool:
    """Whether the process that wrote a temporary may still run; its number may be a newcomer's."""
    import psutil

    try:
        return psutil.Process(process).create_time() <= modified + 2
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def _kind(path: Path) -> str:
    mode = path.stat().st_mode
    kinds = {"a device": stat.S_ISCHR(mode) or stat.S_ISBLK(mode), "a FIFO": stat.S_ISFIFO(mode)}
    return next((kind for kind, found in kinds.items() if found), "no regular file")


def _flush_folder(folder: Path) -> None:
    """The rename itself to the disk, where the system can."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
