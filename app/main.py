"""Entry point of the page server: page set-up, navigation, connection to the engine."""

import sys
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # `streamlit run` puts only this folder on the path

from app.address import connection, fetching, house, layout, links, notices  # noqa: E402
from app.charts import plot  # noqa: E402
from app.classroom import seat  # noqa: E402
from app.lessons import panel  # noqa: E402
from app.words import _  # noqa: E402
from engine.errors import FeintError  # noqa: E402

st.set_page_config(
    page_title="Feint",
    page_icon=str(ROOT / "assets" / "icon.png"),
    layout="wide",
    initial_sidebar_state="collapsed",
)

STYLE = """<style>
.stMainBlockContainer { padding-top: 3.2rem; padding-bottom: 3rem; }
h1 { text-wrap: balance; }
.stElementContainer:has(> .stHeading h1) { flex-basis: 22rem; }  /* breaks before its buttons do */
/* a choice that takes several lines: every button has all its sides */
.stButtonGroup > :has(> [data-variant]) { flex-wrap: wrap; gap: 0.25rem; }
.stButtonGroup [data-variant="segmented_control"] { border-radius: 0.5rem; margin: 0;
  border-color: color-mix(in srgb, currentColor 18%, transparent) !important; }
/* text in the page's own colour: the accent alone is less than 4.5:1 on a dark page */
.stButtonGroup [data-selected="true"] p, [data-testid="stSliderThumbValue"] p { color: CanvasText; }
.stButtonGroup [data-variant="segmented_control"][data-selected="true"] {
  border-color: currentColor !important; }
.stDataFrame .dvn-scroller { scrollbar-color: #8a8f98 transparent !important; }  /* seen before it is used */
.js-plotly-plot .modebar-container { top: auto !important; bottom: 0; }  /* never over a title */
.js-plotly-plot .modebar { top: auto !important; bottom: 0; }
@media (hover: none), (max-width: 640px) { .js-plotly-plot .modebar-container { display: none; } }
@media (max-width: 640px) {  /* on a phone the result comes first, the choices after it */
  .stMainBlockContainer { padding-left: 1rem; padding-right: 1rem; }
  h1 { font-size: 1.45rem !important; }
  .st-key-choose_look > .stHorizontalBlock > .stColumn:first-child,
  .st-key-choose_look > * > .stHorizontalBlock > .stColumn:first-child { order: 2; }
}
</style>"""
MENU = """<script>
{ // on a phone Streamlit puts headings into the list of pages, where only items may stand: links are enough
  const plain = () => document
    .querySelectorAll('[data-testid="stSidebarNavItems"], [data-testid="stSidebarNavItems"] :is(ul, li)')
    .forEach((part) => part.setAttribute("role", "none"));
  // and the list would stay open over the page that was chosen from it
  const shut = (event) => event.target.closest('[data-testid="stSidebarNavLink"]') &&
    document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
  if (!window.feintMenu) {
    window.feintMenu = new MutationObserver(plain);
    window.feintMenu.observe(document.body, { childList: true, subtree: true });
    document.addEventListener("click", shut);
  }
  plain();
}
</script>"""
sections: dict[str, list[StreamlitPage]] = {}
for script in links.pages().values():
    sections.setdefault(_(script.under), []).append(
        st.Page(
            script.file,
            title=_(script.title),
            icon=f":material/{script.icon}:",
            url_path="" if script.name == "home" else script.name,
            default=script.name == "home",
        )
    )
page = st.navigation(sections, position="top")
st.html(STYLE + plot.INK_FOLLOWS)
st.html(MENU, unsafe_allow_javascript=True)
links.open_address(page.url_path)
connection.warm_up()
fetching.begin()
seat.forget_old()


def run_page() -> None:
    """The page that was chosen; where it cannot be drawn, a sentence with the cure, never a traceback."""
    try:
        page.run()
    except fetching.DataAway as away:
        house.wait_or_stand_in(away, page.url_path or "home")
        layout.page_foot()
    except FeintError as error:
        notices.refused(error)
        layout.page_foot()


panel.beside(run_page)
