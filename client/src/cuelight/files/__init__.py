"""Files: a workflow folder is read into one bundle, with a line number for every message, and written back."""

from cuelight.files.faults import Fault
from cuelight.files.reading import Folder, Source, read_folder
from cuelight.files.writing import write_folder

__all__ = ["Fault", "Folder", "Source", "read_folder", "write_folder"]
