"""The disk under a workflow folder: text comes in whole, in UTF-8, within limits, and never from outside the folder."""

import stat
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from cuelight.contract.errors import Invalid, NotFound
from cuelight.files.faults import Fault

MAX_FILE = 5 * 1024 * 1024
MAX_FOLDER = 50 * 1024 * 1024
_ALLOW = "check that it exists and that you may read it"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Disk:
    """One folder, opened for reading; every refusal is a fault with a file and a line, gathered in `faults`."""

    def __init__(self, folder: Path) -> None:
        """Open; NotFound where there is no folder, Invalid where the path is something else."""
        try:
            if not folder.exists():
                raise NotFound(f"there is no folder {folder}", "make one with: cuelight init")
            if not folder.is_dir():
                hint = "name the folder that holds workflow.yaml"
                raise Invalid(f"{folder} is a file, expected a workflow folder", hint)
            next(folder.iterdir(), None)
        except OSError as bad:
            raise Invalid(f"{folder} cannot be read: {bad.strerror or bad}", _ALLOW) from bad
        self.folder = folder
        self.faults: list[Fault] = []
        self.unread: dict[str, str] = {}  # what stands among the files and is none: path -> why
        self._root = folder.resolve()
        self._read: dict[str, str | None] = {}
        self._bytes = 0

    def shown(self, path: str) -> str:
        """The path of a file as the reader of a message can open it."""
        return str(self.folder / path)

    def fault(self, path: str, line: int, message: str, hint: str = "") -> None:
        """Note that something in the file `path` is wrong."""
        self.faults.append(Fault(self.shown(path), line, message, hint))

    def has(self, path: str) -> bool:
        """Whether there is such a file; a fault where nobody lets us look."""
        try:
            return (self.folder / path).is_file()
        except OSError as bad:
            return self._unreadable(path, bad)

    def names(self, path: str) -> list[str]:
        """The names in a folder inside, sorted, without hidden ones; none where there is no such folder."""
        folder = self.folder / path
        try:
            if not folder.is_dir() or not self._inside(path):
                return []
            return sorted(one.name for one in folder.iterdir() if not one.name.startswith("."))
        except OSError as bad:
            self._unreadable(path, bad)
            return []

    def is_folder(self, path: str) -> bool:
        """Whether there is such a folder inside; a fault where nobody lets us look."""
        try:
            return (self.folder / path).is_dir()
        except OSError as bad:
            return self._unreadable(path, bad)

    def oddity(self, path: str) -> str:
        """What stands here instead of a file, in words; empty for a file or a link that leads to one."""
        try:
            mode = (self.folder / path).stat().st_mode
        except (OSError, RuntimeError):
            return ""  # reading it says what is wrong
        if stat.S_ISDIR(mode):
            return "a folder, expected a file"
        return "" if stat.S_ISREG(mode) else "neither a file nor a folder, expected a file"

    def _unreadable(self, path: str, bad: OSError) -> bool:
        self.fault(path, 1, f"cannot be read: {bad.strerror or bad}", _ALLOW)
        return False

    def text(self, path: str) -> str | None:
        """The text of a file with LF line ends; None, and a fault, where it cannot be had. Read once."""
        if path not in self._read:
            self._read[path] = self._text(path)
        return self._read[path]

    def referenced(self, path: str, asked: Fault) -> str | None:
        """The text of a file that another one names; `asked` is where, and its message begins the fault."""
        if PurePosixPath(path).is_absolute() or not self._inside(path, tell=False):
            self.faults.append(
                Fault(
                    asked.file,
                    asked.line,
                    f"{asked.message} leaves the folder",
                    "name a file inside the workflow folder",
                )
            )
            return None
        if not self.has(path):
            self.faults.append(
                Fault(asked.file, asked.line, f"{asked.message} is not there, expected a file", self._near(path))
            )
            return None
        return self.text(path)

    def _near(self, path: str) -> str:
        parent = PurePosixPath(path).parent
        there = [str(parent / name) for name in self.names(str(parent))]
        near = get_close_matches(path, there, 1)
        return f"did you mean {near[0]}?" if near else f"put it at {path} inside the workflow folder"

    def _inside(self, path: str, *, tell: bool = True) -> bool:
        try:
            inside = (self.folder / path).resolve().is_relative_to(self._root)
        except (OSError, RuntimeError):
            if tell:
                self.fault(path, 1, "a link that leads back to itself, expected a file", "put the file itself here")
            return False
        if not inside and tell:
            self.fault(
                path, 1, "leads out of the workflow folder, expected a file inside it", "copy the file into the folder"
            )
        return inside

    def _text(self, path: str) -> str | None:
        if not self._inside(path):
            return None
        file = self.folder / path
        try:
            size = file.stat().st_size
            if not file.is_file() or self._too_big(path, size):
                return None
            body = file.read_bytes()
        except OSError as bad:
            self.fault(path, 1, f"cannot be read: {bad.strerror}", _ALLOW)
            return None
        return self._decoded(path, body)

    def _too_big(self, path: str, size: int) -> bool:
        if size > MAX_FILE:
            self.fault(
                path,
                1,
                f"{size / 1024 / 1024:.1f} MB, expected at most {MAX_FILE // 1024 // 1024} MB",
                "split the file",
            )
            return True
        before, self._bytes = self._bytes, self._bytes + size
        if self._bytes <= MAX_FOLDER:
            return False
        if before <= MAX_FOLDER:
            limit = MAX_FOLDER // 1024 // 1024
            self.fault(path, 1, f"with this file the folder passes {limit} MB, expected less", "split the workflow")
        return True

    def _decoded(self, path: str, body: bytes) -> str | None:
        if body.startswith(_UTF16_MARKS):
            self.fault(path, 1, "UTF-16 text, expected UTF-8", "save the file as UTF-8")
            return None
        try:
            text = body.removeprefix(_UTF8_MARK).decode()
        except UnicodeDecodeError as bad:
            line = body.count(b"\n", 0, bad.start) + 1
            self.fault(path, line, f"the byte 0x{body[bad.start]:02x}, expected UTF-8 text", "save the file as UTF-8")
            return None
        return text.replace("\r\n", "\n").replace("\r", "\n")
