"""The `appliance` command."""


def main() -> None:
    """Entry point of the `appliance` command."""
