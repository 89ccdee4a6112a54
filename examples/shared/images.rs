//! Masks of two photographs, and what is measured and painted with them.

#![allow(dead_code, reason = "each example uses a part of it")]

use tamis::prelude::*;

/// Row and column numbers of an image of shape (height, width, …), as (height, 1) and
/// (width), which broadcast together: `np.ogrid`.
pub(crate) fn coordinates(image: Expr) -> (Expr, Expr) {
    let graph = image.graph();
    (graph.iota(image.dim(0)).unsqueeze(1), graph.iota(image.dim(1)))
}

/// Where the grey picture of shape (height, width) shows a coin: where it is brighter
/// than the cloth, on which light falls from the top left.
pub(crate) fn coins(grey: Expr) -> Expr {
    let (row, column) = coordinates(grey);
    grey.gt((170.0 - row * 0.5 - column * 0.125).maximum(95.0))
}

/// The slice of [`coins`] that shows the large coin in the top right corner.
pub(crate) fn large_coin(grey: Expr) -> Expr {
    let (row, column) = coordinates(grey);
    coins(grey) & row.lt(80) & column.gt(298)
}

/// Where the colours of the photograph, of shape (height, width, 3), are the orange of the suit.
pub(crate) fn suit(photo: Expr) -> Expr {
    let photo = photo.cast(tamis::DType::F32);
    let [red, green, blue] = [0, 1, 2].map(|channel| photo.slice_axis(channel, -1));
    (red - green).gt(50) & (green - blue).gt(15)
}

/// How much of the photograph to keep at (height, width): 1 around the face, falling to 0.
pub(crate) fn spotlight(photo: Expr) -> Expr {
    let (row, column) = coordinates(photo);
    let distance = ((row - 135) / 150.0).square() + ((column - 228) / 125.0).square();
    (-distance.square()).exp()
}

/// A disc around a pixel.
pub(crate) fn disc(image: Expr, centre: (i64, i64), radius: i64) -> Expr {
    let (row, column) = coordinates(image);
    let distance = (row - centre.0).square() + (column - centre.1).square();
    distance.le(radius * radius)
}

/// How far the pixels are from the mean of their side, inside and outside: the energy
/// that a mask of good contrast makes small (Chan and Vese).
pub(crate) fn variance_within<'g>(grey: Expr<'g>, mask: Expr<'g>) -> Expr<'g> {
    let [inside, outside] = [mask, !mask].map(|side| {
        let distance = grey - grey.masked(side).mean(..);
        distance.square().masked(side).mean(..)
    });
    inside + outside
}

/// The first and the last selected coordinates, of shape (2, rank): `[[top, left], [bottom, right]]`.
pub(crate) fn bounding_box(mask: Expr) -> Expr {
    let positions = mask.argwhere();
    mask.graph().stack([positions.min(0), positions.max(0)], 0)
}

/// The slice of the image in the bounding box of the mask. Its size is known when the
/// mask is: at run time, within one plan.
pub(crate) fn crop<'g>(image: Expr<'g>, mask: Expr<'g>) -> Expr<'g> {
    let corners = bounding_box(mask);
    let within = |position: Expr<'g>, axis: i64| {
        let [first, last] = [0, 1].map(|corner| corners.slice((corner, axis)));
        position.ge(first) & position.le(last)
    };
    let (row, column) = coordinates(image);
    image.boolean_mask(within(row.squeeze(1), 0)).boolean_mask_axis(within(column, 1), 1)
}

/// Each pixel repeated along both axes: `image.repeat(times, 0).repeat(times, 1)`.
pub(crate) fn enlarge(image: Expr, times: i64) -> Expr {
    let [height, width, channels] = [0, 1, 2].map(|axis| image.dim(axis));
    let rows = image.unsqueeze(1).broadcast_to(dims![&height, times, &width, &channels]);
    let rows = rows.reshape(dims![-1, &width, &channels]);
    let height = rows.dim(0);
    let pixels = rows.unsqueeze(2).broadcast_to(dims![&height, &width, times, &channels]);
    pixels.reshape(dims![&height, -1, &channels])
}
