"""Autodiscover: what a client learns of its account from a mail address alone (MS-OXDISCO)."""
