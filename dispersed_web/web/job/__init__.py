"""One job in words and pictures: its page, its way, its evidence, its log."""
