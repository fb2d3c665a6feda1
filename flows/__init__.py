"""What is decided: the conversation engine, one module a flow, the rules and the copy. Pure."""
