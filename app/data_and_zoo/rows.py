"""Data sets and trained models as rows: what a table says of each. Nothing here draws."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from app.address import connection, house, offered
from app.measured import minus
from app.runs import rows as of_runs
from app.words import N_, _
from engine.store.run import Run
from engine.store.store import DONE

LEGIBILITY = "knn_acc_"
"""How well raw samples are read, which says nothing of a model."""
COLUMNS = {
    "data": N_("data"),
    "samples": N_("samples"),
    "shape": N_("shape"),
    "classes": N_("classes"),
    "MB": N_("MB"),
    "where": N_("where"),
    "licence": N_("licence"),
    "source": N_("source"),
    "model": N_("model"),
    "score": N_("score"),
    "clean": N_("clean"),
    "attacked": N_("attacked"),
    "under": N_("under"),
    "from": N_("from"),
    "key": N_("key"),
}
"""What the columns of the tables are called."""


@dataclass(frozen=True)
class Row:
    """A row: its name, what a list calls it, and its columns."""

    name: str
    title: str
    shown: dict[str, Any]
    """By the columns' names, which `COLUMNS` says."""
    summary: str = ""

    @property
    def words(self) -> str:
        """Everything that it can be searched by."""
        return " ".join(map(str, (self.name, self.title, self.summary, *self.shown.values()))).lower()


class Score(NamedTuple):
    """A score clean and under an attack."""

    title: str
    clean: float
    attacked: float


def of_data() -> list[Row]:
    """A row for every data set: those of one's own first, then those that pages begin with."""
    cards = connection.catalogue()["data"]
    own = [name for name, card in cards.items() if card.get("own")]
    order = dict.fromkeys([*own, *house.READY, *cards])
    return [_of_data(cards[name]) for name in order]


def _of_data(card: Mapping[str, Any]) -> Row:
    title = _(card.get("title", card["name"]))
    shown = {
        "data": title,
        "samples": card.get("samples"),
        "shape": shape(card),
        "classes": len(card.get("classes", ())) or None,
        "MB": megabytes(card),
        "where": whereabouts(card),
        "licence": card.get("licence", ""),
        "source": card.get("source", ""),
    }
    return Row(card["name"], title, shown, _(card.get("summary", "")))


def shape(card: Mapping[str, Any]) -> str:
    """The shape of a sample in words: "28x28 grey", "32x32 colour, 2 views", "561 numbers"."""
    sides = card.get("shape") or []
    if len(sides) != 3:
        return _("{n:,} numbers").format(n=sides[0]) if sides else ""
    size = f"{sides[1]}x{sides[2]}"
    said = (_("{size} colour") if sides[0] == 3 else _("{size} grey")).format(size=size)
    several = _("{shape}, {n} views")
    return several.format(shape=said, n=card["views"]) if card.get("views", 1) > 1 else said


def megabytes(card: Mapping[str, Any]) -> float | None:
    """What is to be fetched, or, of one's own, what is kept."""
    size = card.get("bytes") or card.get("download") or 0
    return round(size / 1e6, 1) if size else None


def whereabouts(card: Mapping[str, Any]) -> str:
    """Where data are: here, to be fetched, or nobody's to fetch."""
    if card.get("own"):
        return _("your own")
    if offered.here(card):
        return _("here")
    return _("to bring yourself") if card.get("obtained") else _("to fetch")


def of_models() -> list[Row]:
    """A row for every trained model: one's own first, newest first, then the zoo."""
    attacked = _attacked_here()
    found = connection.models()
    own = {name: run for name, run in found.items() if not run.zoo}
    return [_of_model(name, run, attacked) for name, run in (own | found).items()]


def _of_model(name: str, run: Run, attacked: Mapping[str, Run]) -> Row:
    title, clean = next(iter(of_runs.scores_of_model(run.result())), ("", None))
    score, under = attacked_score(run, attacked.get(run.key))
    if score is not None:
        title, clean = score.title, score.clean
    card = connection.catalogue()["data"].get(run.spec.data, {})
    shown = {
        "model": connection.method_title(run.spec),
        "data": connection.data_title(run.spec.data),
        "score": title,
        "clean": clean,
        "attacked": score.attacked if score else None,
        "under": under,
        "MB": round(size(run) / 1e6, 2),
        "from": _("the zoo") if run.zoo else _("brought") if run.card().get("imported") else _("your own"),
        "licence": card.get("licence", ""),
        "key": run.key,
    }
    entry = connection.catalogue()["model"].get(run.spec.name, {})
    return Row(name, connection.model_title(name, run), shown, _(entry.get("summary", "")))


def size(run: Run) -> int:
    """Bytes of the weights."""
    file = run.folder / "state" / "model.safetensors"
    return file.stat().st_size if file.is_file() else 0


def _attacked_here() -> dict[str, Run]:
    """Key of a model -> the newest finished attack on it that was made here."""
    found: dict[str, Run] = {}
    for run in connection.store().query(action="attack", status=DONE):
        if not run.zoo:
            found.setdefault(run.spec.builds_on.get("model", ""), run)
    return found


def attacked_score(run: Run, attack: Run | None) -> tuple[Score | None, str]:
    """The first score of a model on the same samples clean and attacked, and under what: of the attack that
    ships with it, at the middle one of its ε, else of one made here. Where no score has both, with it stands
    what the attack did.
    """
    shipped = run.card().get("attacked", ()) if run.zoo else ()
    result: dict[str, Any] = shipped[len(shipped) // 2] if shipped else {}
    if not result and attack is not None:
        result = attack.spec.settings | {"attack": attack.spec.name} | attack.result()
    name, epsilon = str(result.get("attack", "")), result.get("epsilon")
    title = _(connection.catalogue()["attack"].get(name, {}).get("title", name))
    under = f"{title}, ε = {epsilon:.3g}" if isinstance(epsilon, float) else title
    score = next(iter(pairs(result)), None)
    return score, under if score else ": ".join(filter(None, (under, achieved(result))))


def pairs(result: Mapping[str, Any]) -> list[Score]:
    """Every score of a model that was measured before and after an attack, the first numbers first."""
    metrics, found = connection.catalogue()["metric"], []
    for name in result:
        twin = name.replace("_clean", "_attacked")
        before, after, said = result[name], result.get(twin), metrics.get(twin, {})
        if twin == name or name.startswith(LEGIBILITY) or not name.endswith(("_clean", "_clean_mean")):
            continue
        if isinstance(before, float) and isinstance(after, float) and said:
            rank = said["headline"] if said["headline"] is not None else 99
            found.append((rank, Score(_(said["title"]).split(",")[0], before, after)))
    return [pair for _, pair in sorted(found)]


def achieved(result: Mapping[str, Any]) -> str:
    """What an attack did, in words: on how many samples it succeeds, else its objective's own measure; ""
    where neither was measured.
    """
    success, mean = result.get("success_rate"), result.get("objective_mean")
    if isinstance(success, float):
        return _("succeeds on {percent:.3g} % of the samples").format(percent=100 * success)
    effect = connection.catalogue()["objective"].get(result.get("objective", ""), {}).get("effect")
    return _(effect).format(value=minus(f"{mean:.3g}")) if effect and isinstance(mean, float) else ""
