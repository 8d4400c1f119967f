"""How the store's schema came to be, step by step: a store of any version is brought to the present
one by the steps that it lacks, in `versions`. `central/store/schema.py` is what they come to, and a
test holds the two together."""
