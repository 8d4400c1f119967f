"""The whole product on one machine, with nothing but the machine: `borderpost demo`.

`show` tells the story, `stage` sets it up, `broker` carries the messages, `catalogue` declares the
specimens. Headquarters runs as a process of its own, as it would at a site.
"""
