"""What operations on a mailbox mean, and who may do them."""
