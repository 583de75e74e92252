"""kgraph: a static call-graph analyser for Linux kernel source."""
