"""The vocabulary of MAPI: property tags and types, names, ids, entry ids, restrictions, sort orders, rows."""
