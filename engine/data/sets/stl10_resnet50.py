"""STL-10 as ResNet-50 sees it: global-average features that a person computes and brings.

Source: Coates, Lee and Ng, An analysis of single-layer networks in unsupervised
feature learning, AISTATS 2011.
"""

from engine.data.supplied import Supplied
from engine.registry import register


@register
class STL10ResNet50(Supplied):
    """13,000 images as vectors of 2,048."""

    name = "stl10_resnet50"
    title = "STL-10, ResNet-50 features"
    summary = (
        "13,000 images of STL-10 as the 2,048 global-average features of a ResNet-50; from a file of your"
        " own."
    )
    source = "Coates, Lee and Ng, AISTATS 2011; features after He et al., CVPR 2016"
    licence = "STL-10 is offered for research use; its images come from ImageNet"
    shape = (2048,)
    class_names = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
    counts = (1300,) * 10
    note = "Which weights made the features is the file's own; the paper does not say which it used."
    file = "stl10_resnet50.npz"
    obtained = (
        "Compute the features of the 5,000 training and 8,000 test images with a ResNet-50 of your choice,"
        " save them with numpy.savez as stl10_resnet50.npz, x float32 (13000, 2048) and y int64 (13000,) from"
        " 0, and put it into FEINT_DATA."
    )
