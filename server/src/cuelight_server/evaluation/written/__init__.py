"""A report in other forms than JSON: the six questions, Markdown, JUnit XML, and two outputs word by word."""
