"""What is on the page Data and zoo: tables, cards, and what a person brings."""
