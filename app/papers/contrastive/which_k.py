"""Which number of clusters suits an encoder: its silhouette against K."""

import pandas as pd

from app.address import connection
from app.charts import line_chart, plot
from app.papers.contrastive.choose import Chosen
from app.words import N_, _
from engine.asking.questions import SilhouetteQuestion

NAMES = {"silhouette": N_("silhouette"), "purity": N_("purity (labels)")}


def show(chosen: Chosen) -> None:
    """The curve with the chosen K, and the K that it would choose."""
    answer = connection.ask(SilhouetteQuestion.of(chosen.victim.run), _("Clustering for several K…"))
    columns = {"K": answer.clusters, "silhouette": answer.silhouette, "purity": answer.purity}
    frame = pd.DataFrame({name: values for name, values in columns.items() if values is not None})
    drawn = {name: _(title) for name, title in NAMES.items() if name in frame}
    caption = _("Mean cosine silhouette. Purity: the share that bears the commonest label of its cluster.")
    if answer.chosen == min(answer.clusters):
        caption += " " + _("It is the smallest that was tried: no K of these parts the samples well.")
    chart = line_chart.curves(
        frame,
        "K",
        drawn,
        title=_("The silhouette chooses K = {k}").format(k=answer.chosen),
        x_title=_("K, clusters"),
        caption=caption,
        controls=("purity",),
    )
    plot.stand(chart.figure, chosen.k, f"K = {chosen.k}")
    plot.show(chart, f"silhouette/{chosen.encoder.key}")
