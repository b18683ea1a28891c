"""Code that an import names and never runs."""

raise SystemExit("nothing of this is ever run")
