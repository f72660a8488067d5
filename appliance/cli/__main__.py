"""`python -m appliance.cli`: the `appliance` command."""

from appliance.cli.frame import main

main()
