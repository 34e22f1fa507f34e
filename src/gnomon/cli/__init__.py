"""The command line: `gnomon demo`, `audit`, `report`, `gate`, `list`."""
