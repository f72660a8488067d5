"""Listeners, TLS, timers and connection limits; the bridge between the store's futures and asyncio."""
