"""What is made of the teaching notes: the lecturer's pages, slides, and questions for Moodle."""
