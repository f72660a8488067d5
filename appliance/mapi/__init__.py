"""The vocabulary of MAPI: property tags and types, identifiers, restrictions, rows, error codes."""
