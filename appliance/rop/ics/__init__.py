"""Incremental change synchronisation (MS-OXCFXICS 2.2.3.2, 3.2.5.2 to 3.2.5.9).

`state` is what a client has; `plan` finds what it lacks; `contents` and `hierarchy` send that; `collector`
takes what a client brings.
"""
