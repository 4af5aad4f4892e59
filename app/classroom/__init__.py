"""A class: students join with a code under an alias, a teacher sees what they answer and sends them on."""
