"""From an unpacked device to a desk: `borderpost setup`.

It asks what it cannot see (`questions.py`), looks for what it can (`detect.py`), writes the
configuration (`configuration.py`) and goes the steps to a desk that runs (`course.py`). Every step
looks for itself whether it is done, so a set-up that was interrupted goes on where it was, and one
that is run again changes what is answered otherwise and nothing else.
"""
