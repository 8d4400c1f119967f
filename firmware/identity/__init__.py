"""Who this device is: its keys and certificate, enrolled and renewed."""
