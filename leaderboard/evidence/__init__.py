"""The tables behind a record, and whether it says what they say."""
