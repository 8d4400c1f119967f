"""The box: the appliance that stands at the desk.

`cli` is the way in, `daemon` puts the parts together, `desk` is one document end to end.
"""
