"""The commands that build and publish lists, and how devices fare with them."""
