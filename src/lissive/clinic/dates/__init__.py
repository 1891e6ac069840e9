"""What expires, reminders, renewal, and the review after some weeks."""
