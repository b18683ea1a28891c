"""`python -m cuelight_server.cli`: the same as `cuelight-server`."""

from cuelight_server.cli.program import main

main()
