"""Mail programs that others wrote, against a real `appliance serve`."""
