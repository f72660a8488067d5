"""Users, groups, rooms, aliases, address lists and credentials."""
