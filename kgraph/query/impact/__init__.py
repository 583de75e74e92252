"""What a change of source text touches: `patch` reads it, `touched` asks the graph."""
