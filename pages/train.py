"""Train: what happens inside while a model learns to cluster? Choose on the left, look on the right; a run
outlives the page.
"""

import streamlit as st

from app.address import state
from app.forms import settings_form
from app.runs import launching, live

FRESH = 1
"""The first seed offered: what was trained with seed 0 ships with Feint, and would only be shown."""

catalogue = state.catalogue()
models = {name: entry for name, entry in catalogue["model"].items() if entry["presets"]}
data_sets = catalogue["data"]
asked = [name for name in state.value("run", "").split(",") if name]

state.page_head(
    "What happens inside while it learns to cluster?",
    "Train a method on real images and watch: its losses pull against each other, its clusters settle, its"
    " pictures blur. It goes on when you leave; the same address brings you back.",
)
left, right = st.columns([3, 9], gap="large")

with left:
    data = st.selectbox(
        "Data",
        list(data_sets),
        key=state.key("data", "digits", lambda name: name in data_sets, "a data set of this list"),
        format_func=lambda name: launching.data_title(data_sets[name]),
    )
    usable = launching.about_data(data_sets[data])
    models = {
        name: entry
        for name, entry in models.items()
        if "fuses" not in entry["abilities"] or data_sets[data]["views"] > 1
    }
    live.first_method(asked, models, "ar_dmvc_am" if data_sets[data]["views"] > 1 else "adec")
    method = st.selectbox(
        "Method",
        list(models),
        key="train_method",
        persist_state="session",
        format_func=lambda name: models[name]["title"],
        help="\n\n".join(f"**{entry['title']}**: {entry['summary']}" for entry in models.values()),
    )
    figures = launching.measured(models[method], data)
    choice = settings_form.choose(
        models[method],
        key=f"train/{data}",
        preset=settings_form.preset_for(models[method], data),
        fold=True,
        about=launching.about(figures),
    )
    if choice["preset"] in figures and not choice["changes"]:
        st.caption(launching.expected(figures[choice["preset"]]))
    seed = int(
        st.number_input(
            "Seed",
            0,
            9999,
            key=state.key("seed", FRESH, lambda number: 0 <= number <= 9999),
            help="Of weights, batches and k-means.",
        )
    )
    wrong, arms = choice["sentence"] is not None or not usable, launching.arms(choice)
    alone = st.button("Train", type="primary", icon=":material/play_arrow:", width="stretch", disabled=wrong)
    several = "fuses" in models[method]["abilities"]
    together = st.button(
        "Compare the defences" if several else "Compare the four arms",
        icon=":material/stacked_line_chart:",
        width="stretch",
        disabled=wrong,
        help=(
            "CoMVC, AR-DMVC and AR-DMVC-AM, on the same data and seed, each for its own epochs."
            if several
            else "DEC*, IDEC*, ADEC, and ADEC without adversary, on the same base, data and seed."
        ),
    )
    if alone or together:
        made = [launching.start(each, data, seed) for each in (arms if together else [choice])]
        if None not in made:
            shipped = [name for name in made if "/" in str(name)]
            if shipped:
                state.notice(
                    f"{' and '.join(map(str, shipped))} ships with Feint as it was trained with this seed,"
                    " and is shown as it was. For a live training choose another seed."
                )
            state.put("run", ",".join(map(str, made)))
            st.rerun()

with right:
    shown = live.shown(asked, data, method)
    if not shown:
        st.info(
            "Nothing was trained with this method yet. Press Train; digits take about a minute.",
            icon=":material/model_training:",
        )
    elif len(shown) > 1:
        live.compare(shown)
    else:
        live.follow(shown[0])
    entry = models.get(live.method_of(shown), models[method])
    with st.expander("What am I seeing?", icon=":material/help:"):
        st.latex(entry["equation"])
        st.markdown(f"{launching.bold(entry['title'])}. {entry['summary']} Source: {entry['source']}.")
        if "fuses" in entry["abilities"]:
            st.markdown(
                "After every epoch 100 samples of the half that is not trained on are attacked (PGD-5, ε ="
                " 0.2). **Attacked** is their ACC, **L_AM** the mean KL of their clean and attacked"
                " assignments, which the Attack Mitigator keeps small."
            )
        else:
            st.markdown(
                "**Δ_FR** compares the gradient that the true labels would give with what the encoder really"
                " descends; **Δ_FD** compares the gradients of clustering and regulariser. Both are cosines"
                " over the whole encoder, on the same samples (Mrabah, Bouguessa, Ksantini, 2019)."
            )
            st.markdown(
                "A higher Δ_FD is **not better by itself**. Where training comes to rest the two gradients"
                " cancel, so Δ_FD is −1 there, whatever the data: those stretches are grey (‖∇total‖ below 5"
                " % of its parts). Too strong a discriminator raises Δ_FD and ruins the clusters. DEC* trains"
                " no regulariser, and neither does ADEC without adversary: their Δ_FD is hypothetical. A"
                " higher Δ_FR means something only beside DEC* on the same base, the grey line."
            )

run = state.store().find(shown[0]) if live.method_of(shown) else None
if run is not None:
    st.download_button(
        "Card (JSON)",
        launching.card(run),
        f"feint-{run.key}.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )
state.page_foot(launching.command(run.spec) if run is not None else {})
