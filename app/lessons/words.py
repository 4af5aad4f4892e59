"""The panel's own words, in the languages in which there are lessons."""

WORDS = {
    "en": {
        "back": "Back",
        "next": "Next",
        "close": "Close the lesson",
        "show": "Show the page of this step",
        "step": "Step {part} of {all}",
        "predict": "What do you expect?",
        "covered": "Say first what you expect: then the page appears here.",
        "predicted": "You expected **{said}**, and so it is.",
        "mistaken": "You expected **{said}**. It turns out: **{right}**.",
        "exercise": "Try it",
        "check": "Check",
        "right": "Right.",
        "wrong": "Not yet. {hint}",
        "about": "The page shows another {name}: this is about {name} = {said}.",
        "number": "Your number",
        "elsewhere": "In Feint the page {page} stands beside this step.",
        "home": "Take this lesson home (HTML)",
        "why_home": "One file with its ladders that plays on a phone with no server.",
        "done": "Done: {right} of {all} answers right.",
        "again": "Answer again",
        "nothing": "Nothing is chosen on the page yet.",
    },
    "de": {
        "back": "Zurück",
        "next": "Weiter",
        "close": "Lektion schließen",
        "show": "Die Seite zu diesem Schritt zeigen",
        "step": "Schritt {part} von {all}",
        "predict": "Was erwartest du?",
        "covered": "Sag erst, was du erwartest: dann erscheint hier die Seite.",
        "predicted": "Du hast **{said}** erwartet, und so ist es.",
        "mistaken": "Du hast **{said}** erwartet. Es ist: **{right}**.",
        "exercise": "Probier es",
        "check": "Prüfen",
        "right": "Richtig.",
        "wrong": "Noch nicht. {hint}",
        "about": "Die Seite zeigt etwas anderes: hier geht es um {name} = {said}.",
        "number": "Deine Zahl",
        "elsewhere": "In Feint steht neben diesem Schritt die Seite {page}.",
        "home": "Lektion mitnehmen (HTML)",
        "why_home": "Eine Datei mit ihren Leitern, die auf einem Handy ohne Server läuft.",
        "done": "Fertig: {right} von {all} Antworten richtig.",
        "again": "Noch einmal antworten",
        "nothing": "Auf der Seite ist noch nichts gewählt.",
    },
}


def say(language: str, word: str, **said: object) -> str:
    """One of the panel's sentences in a language."""
    return WORDS[language][word].format(**said)
