"""The store: one LMDB environment that holds every mailbox, the queue and the directory."""
