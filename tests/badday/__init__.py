"""Bad days: full disks, failing cards, damaged files, hostile peers, hung neighbours. The server lives on."""
