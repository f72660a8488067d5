"""NTLM (MS-NLMP): messages, keys, signing and sealing, and both sides of a log-on as state machines.

`messages` has the layouts, `crypto` what is computed, `session` what signs and seals after a log-on,
`server` and `client` the two sides. NTLMv2 only: what NTLMv1 sends is refused, as is anonymous log-on.
"""
