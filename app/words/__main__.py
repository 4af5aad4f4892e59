"""`python3 -m app.words`: every text of the interface into every catalogue of `assets/locale`.

New texts come without a translation, those that are gone are dropped, and what is read at run time (`.mo`) is
made anew. It says how many texts each language still lacks.
"""

from app.words import LOCALE, collect

if __name__ == "__main__":
    for file in sorted(LOCALE.glob(f"*/LC_MESSAGES/{collect.DOMAIN}.po")):
        catalogue = collect.updated(file)
        collect.write(catalogue, file)
        missing = collect.missing(catalogue)
        print(f"{catalogue.locale_identifier}: {len(catalogue)} texts, {len(missing)} not translated")
