"""What publications report, as typed rows: one reader for those that come with Lissive, and for a user's own files."""
