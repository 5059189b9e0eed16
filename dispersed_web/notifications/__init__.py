"""From events to messages: who is told, over which ways, and what a link in a message does."""
