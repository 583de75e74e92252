"""Pictures of call chains: their layout, and the languages that they are written in."""
