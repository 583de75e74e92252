"""Which kinds of entry points reach a function, and which functions a kind reaches."""
