"""The message processing system: routing, queue, delivery reports."""
