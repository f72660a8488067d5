"""SPNEGO (RFC 4178, MS-SPNG): the tokens both ways, and the acceptor with NTLM inside."""
