"""Lists over the air: what is trusted, how it is fetched, and how it is put in force."""
