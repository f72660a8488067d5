"""Status lights, button, serial console."""
