"""Who may speak: the authority that enrols devices, and the keys of both ends."""
