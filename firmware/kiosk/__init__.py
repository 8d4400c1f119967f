"""The officer's page: what the desk shows, served to a browser on the device itself.

Data flows one way. The desk tells `display.py` (a screen like any other) what happens; `view.py`
makes of it what the page draws; `server.py` sends that to every open page. What the officer asks
for comes back as an intent (`intents.py`), and the desk decides.
"""
