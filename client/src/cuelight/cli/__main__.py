"""`python -m cuelight.cli`: the same as `cuelight`."""

from cuelight.cli.main import main

main()
