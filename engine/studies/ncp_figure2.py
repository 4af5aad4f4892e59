"""NCP-ACL, figure 2: the silhouette against the number of clusters."""

from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.ncp import PAPER, NCPStudy
from engine.studies.protocols import CLEAN, Case, Treatment, published

CLUSTERS = {
    "quick": (2, 3, 5, 8, 10, 12, 15, 20, 25, 30, 40, 60, 80),
    "mini": (2, 3, 5, 8, 10, 12, 15, 20, 25, 30, 40, 60, 80),
    "paper": tuple(range(5, 220, 5)),
}
MEASURED = {name: name for name in ("silhouette", "purity", "acc", "nmi")}


@register
class Figure2(NCPStudy):
    """Which K the silhouette chooses, and how pure the clusters are there."""

    name = "ncp.figure2"
    title = "NCP-ACL, figure 2: the silhouette against K"
    summary = "Spherical k-means of an undefended encoder's embedding: silhouette and purity against K."
    protocol = (
        "Spherical k-means on the directions of the training rows' embedding by SimCLR, seeds by AFK-MC²; the"
        " silhouette of the cosine distance and the purity are those of all samples. Every seed counts."
    )
    reduced: ClassVar = {
        "quick": "Against the published settings: 8x8 digits, three convolutions (ResNet-18 on CIFAR-10).",
        "mini": "Against the published settings: 5,000 training rows of MNIST, affine layers of 256, 128.",
        "paper": NCPStudy.reduced["paper"],
    }
    figure = "clusters"
    baseline = "spherical_k_means"
    about_published = (
        "Published: the K of the highest silhouette, of one seed each; no values can be read from the figure."
        " Others of its five seeds chose 60 to 90 on CIFAR-10, 85 to 150 on CIFAR-100 and 145 to 210 on"
        " STL-10, where the text has 215 for the seed that the appendix gives 210."
    )
    treatments = {CLEAN: Treatment("clean"), "published": Treatment("as published")}
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "The silhouette is higher with more clusters than classes",
            "silhouette",
            {"clusters": 20},
            [{"clusters": k} for k in (2, 3, 5, 8, 10)],
        ),
    )
    place = 6

    def cases(self) -> list[Case]:
        """K by K; then the published choices."""
        rows = []
        for clusters in CLUSTERS[self.size]:
            about, found = {"data": self.set, "clusters": clusters}, self.clustered(clusters)
            rows.append(Case("spherical_k_means", about, found, treatment=CLEAN, measured=MEASURED))
        for said in published(PAPER)["figure2"]:
            about = {"data": said["data"], "clusters": said["clusters"]}
            rows.append(Case("spherical_k_means", about, treatment="published", note="The K that it chose."))
        return rows
