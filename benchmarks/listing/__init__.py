"""The benchmark of the list engine: any size, stage by stage, with its peers beside it."""
