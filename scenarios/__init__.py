"""What a private photo is: scenarios, fictitious people, questions, and the dataset contract."""
