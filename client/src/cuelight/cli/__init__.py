"""The command line: `cuelight push | eval | release | rollback | why`, each a thin question to the server."""

from importlib.util import find_spec

if any(find_spec(name) is None for name in ("click", "rich", "yaml")):
    raise ModuleNotFoundError("the command line needs more than the client: pip install 'cuelight[cli]'")
