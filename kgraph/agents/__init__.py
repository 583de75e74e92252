"""kgraph for agents: a server of the Model Context Protocol over standard input and output.

`names`, `calls` and `ways` have the tools, `tool` what they share; `answers` has what an answer
looks like and how large it may be, `open_index` which index answers and whether it is older than
its tree. `server` alone knows the protocol.
"""
