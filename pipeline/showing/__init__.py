"""What a front end shows of a service, worked out once: its row, its page, what a key would do."""
