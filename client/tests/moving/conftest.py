"""A config in a folder of its own, with whatever files lie beside it."""

import pytest
import yaml

from cuelight.moving.promptfoo import import_config


@pytest.fixture
def moved(tmp_path):
    """Write a config and files beside it, and import it."""

    def one(config, files=None, **how):
        place = tmp_path / "place"
        place.mkdir(exist_ok=True)
        for name, text in (files or {}).items():
            file = place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        text = config if isinstance(config, str) else yaml.safe_dump(config)
        (place / "promptfooconfig.yaml").write_text(text, encoding="utf-8")
        return import_config(place, name="it", **how)

    return one


def refused(report):
    """(kind, what, why) of everything that was refused."""
    return [(one.kind, one.what, one.why) for one in report.findings if one.state == "refused"]
