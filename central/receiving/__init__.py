"""From a broker to the store, and shown: the receiver and its parts."""
