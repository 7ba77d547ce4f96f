"""What an owner does to photos before they are seen by anyone else: one file a method."""
