"""The atlas: striking attacks on the zoo's models, chosen by measured rules, with a sentence and pictures."""
