"""Publishing lists: who signs what, and a repository folder that any web server can serve."""
