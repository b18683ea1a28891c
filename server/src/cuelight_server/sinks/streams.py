"""Checkpoints as lines of JSON: at the end of a file, or on standard output for whatever collects it."""

import os
import sys
from datetime import datetime
from pathlib import Path

from cuelight_server.kernel.errors import Unavailable
from cuelight_server.sinks.port import Sent


class File:
    """A file that only grows; best on a disk, or in a bucket with an object lock, that the desk cannot rewrite."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened before the first checkpoint."""
        self._path = path

    def deliver(self, sent: Sent, now: datetime) -> None:  # noqa: ARG002  the port's signature
        """Append the line and wait until it is on the disk."""
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, sent.line.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as bad:
            words = f"the checkpoint file cannot be written: {bad.strerror}"
            raise Unavailable(
                words, "look at CUELIGHT_CHECKPOINT_FILE: the folder, its disk and its permissions"
            ) from bad


class Stdout:
    """Standard output."""

    def deliver(self, sent: Sent, now: datetime) -> None:  # noqa: ARG002  the port's signature
        """Print the line."""
        try:
            sys.stdout.write(sent.line)
            sys.stdout.flush()
        except (OSError, ValueError) as bad:
            raise Unavailable("standard output is closed", "leave CUELIGHT_CHECKPOINT_STDOUT out") from bad
