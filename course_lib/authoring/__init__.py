"""For authors: what makes, checks and measures the course. Nothing else imports it."""
