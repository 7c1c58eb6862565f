"""For authors: what makes, checks and measures the course. Nothing else imports it.

``python -m course_lib.authoring`` lists the commands.
"""
