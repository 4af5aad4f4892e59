"""Lessons: text beside the live page, with predictions and exercises that check themselves."""
