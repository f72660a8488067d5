"""One folder for each protocol that clients speak."""
