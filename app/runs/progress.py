"""How far a run is, in one line and a bar; and why one that ended early did."""

import streamlit as st

from app.address import connection, notices
from app.runs import headline, naming, reading
from app.runs.record import Pace, Record, duration
from app.words import N_, _
from engine.errors import FeintError
from engine.store import snapshot
from engine.store.run import Run
from engine.store.store import LIVE

SILENT = 15.0
"""Seconds without a heartbeat after which a page says so."""
AT = N_("at iteration {n:,} of {total:,}")


def progress(run: Run, record: Record, first: str = "") -> None:
    """The bar of a live run, with its words; `first` stands before them."""
    status = run.status()
    if status in LIVE:
        share = record.pace().share if status == "running" else 0.0
        st.progress(share, first + _progress_text(run, record, status))


def ending(run: Run, words: str = "", where: str = "", button: bool = False) -> None:
    """Why a run that goes on no more is not finished, and what Resume does; nothing of one that is finished.

    `words` name the run, `where` says how far it came (" at iteration 3 of 9"); with `button` Resume stands
    below, where no headline has it.
    """
    status = run.status()
    if status in ("failed", "broken"):
        failed = _("{run} did not finish: {reason}")
        reason = failed.format(run=words, reason=run.reason()) if words else run.reason()
        st.error(notices.plain(f"{reason} {kept(run)}" if status == "failed" else reason))
    elif status in headline.RESUMED:
        said = _(naming.STATUSES[status])
        first = f"{words}: {said}" if words else _upper(said)
        st.info(f"{first}{where}. {kept(run)}")
    if button and status in headline.RESUMED:
        headline.resume(run)


def kept(run: Run) -> str:
    """What is kept of a run that ended early, and from where Resume goes on; of a training without a
    checkpoint also that there is no model to attack.
    """
    if run.spec.action == "study" or snapshot.possible(run) or any(run.folder.glob("cells/*.json")):
        return _("What was done is kept; Resume goes on from there.")
    if run.spec.action != "train":
        return _("Nothing of it is kept: Resume begins it anew.")
    base = run.spec.builds_on.get("base", "")
    begun = reading.readable(base) and snapshot.possible(connection.store().find(base))
    if begun:
        return _(
            "It ended before its first checkpoint, so there is no model to attack yet;"
            " Resume goes on with its base."
        )
    return _(
        "It ended before its first checkpoint, so there is no model to attack yet; Resume begins it anew."
    )


def stood_at(record: Record) -> str:
    """At which iteration a run ended, as `ending` says it; "" where that is not known."""
    pace = record.pace()
    if not pace.total:
        return ""
    words = _("at iteration {n:,} of {total:,} of its base") if pace.of_base else _(AT)
    return " " + words.format(n=pace.step, total=pace.total)


def _progress_text(run: Run, record: Record, status: str) -> str:
    """Phase, place, rate, time left; or the place in the queue; or what is wrong."""
    pace, age = record.pace(), run.heartbeat_age()
    if status == "queued":
        return _queue_text(run)
    if run.wanted() != "run":
        return _("Saving what was learned…")
    if age is not None and age > SILENT:
        silent = _("The worker has been silent for {time}. If it died, this run can be resumed in a moment.")
        return silent.format(time=duration(age))
    if not pace.total:
        return _("Starting…")
    parts = [_("{phase}: {n:,} of {total:,}").format(phase=_phase(run, pace), n=pace.step, total=pace.total)]
    if pace.per_second:
        left = _("{time} left for the base") if pace.of_base else _("{time} left")
        rate = _("{rate:,.0f} samples/s").format(rate=pace.per_second * _batch(run, pace))
        parts += [rate, left.format(time=duration(pace.remaining or 0))]
    return " · ".join(parts)


def _phase(run: Run, pace: Pace) -> str:
    """What is going on, at the beginning of a sentence."""
    models = connection.catalogue()["model"]
    if pace.of_base:
        base = pace.phase.removeprefix("base: ")
        return _("First its base, {phase}").format(phase=_(models.get(base, {}).get("title", base)))
    phases = models.get(run.spec.name, {}).get("phases", {})
    return _upper(_(phases.get(pace.phase, pace.phase)) or _("done"))


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def _queue_text(run: Run) -> str:
    """Whether a queued run starts just now, or for how many it waits."""
    try:
        waiting = {item["key"]: item for item in connection.engine().queue()}
    except FeintError as error:
        return _("Waiting. {error}").format(error=error)
    own = waiting.get(run.key)
    if own is None:
        return _("Waiting for a worker…")
    busy = any(item["lane"] == own["lane"] and item["state"] == "running" for item in waiting.values())
    before = own["position"] - 1 + busy
    return _("Waiting: {n} before it.").format(n=before) if before > 0 else _("Starting…")


def _batch(run: Run, pace: Pace) -> int:
    settings = naming.settings(run.spec)
    settings = settings.get("attack_settings", settings)
    return int((settings.get("base", {}) if pace.of_base else settings).get("batch", 1))


def newest_picture(run: Run, record: Record) -> None:
    """The newest picture that a run has drawn; nothing before the first."""
    newest = record.newest_picture()
    if newest is None:
        return
    try:
        image = (run.folder / newest.file).read_bytes()
    except OSError:
        st.caption(_("The newest picture is not there any more."))
        return
    st.image(image, caption=newest.caption, width="stretch", alt=newest.caption)


def reached_so_far(run: Run, record: Record) -> None:
    """How many of the samples that are watched an attack flips by now, and its newest picture."""
    now = record.now()
    if "flip_rate" in now:
        words = (
            _("So far it flips **{share:.0%}** of the samples that are watched; their ACC is {acc:.3f}.")
            if "acc_attacked" in now
            else _("So far it flips **{share:.0%}** of the samples that are watched.")
        )
        st.markdown(words.format(share=now["flip_rate"], acc=now.get("acc_attacked")))
    newest_picture(run, record)
