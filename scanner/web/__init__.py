"""What every page of ours stands on, at the desk and at headquarters: who may send a request, how a
request is read, how it is refused, and how files leave. What the pages say is no part of it."""
