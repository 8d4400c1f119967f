"""Frames as a camera above a desk would take them, made of pages whose true lines are known.

Written apart from the pictures that the reader's networks learn from: it shares no code and no
choice with them, so that it measures.
"""
