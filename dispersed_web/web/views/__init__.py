"""What answers each address: prove the right, read what was asked, call the domain, show a page."""
