//! Masks of pictures: measure, choose, multiply, weigh, crop and cut out. Writes six
//! PNG files.
//!
//! The numbers that NumPy gives for the same masks are in `data/REFERENCE.md`, with the
//! code; `tests/examples.rs` compares.

#[path = "shared/files.rs"]
mod files;
#[path = "shared/images.rs"]
mod images;
#[path = "shared/picture.rs"]
mod picture;

use std::error::Error;

use images::{bounding_box, coins, crop, disc, enlarge, large_coin, spotlight, suit};
use tamis::prelude::*;
use tamis::{DType, Outputs};

fn main() -> Result<(), Box<dyn Error>> {
    greek_coins()?;
    println!();
    astronaut()
}

/// A grey picture: a mask by brightness, what it encloses, and one coin of it.
fn greek_coins() -> Result<(), Box<dyn Error>> {
    let graph = Graph::new();
    let image = graph.input::<u8>("image", dims!["height", "width", 1]);
    let grey = image.squeeze(-1);
    let mask = coins(grey);
    let coin = large_coin(grey);
    let blue = graph.constant([22_u8, 30, 54]);
    // A mask and a picture of (height, width, 1) with a colour of (3): they broadcast.
    let on_blue = where_(mask.unsqueeze(-1), image, blue);

    let plan = Plan::new([
        ("count", mask.count_nonzero(..)),
        ("inside", grey.masked(mask).mean(..)), // grey[mask].mean()
        ("outside", grey.masked(!mask).mean(..)),
        ("box", bounding_box(coin)), // indices.min(axis=0) and indices.max(axis=0)
        ("coins-on-blue", on_blue),
        ("large-coin", enlarge(crop(on_blue, coin), 4)),
    ])?;
    let pixels = picture::read(&files::data("coins.png"))?;
    let out = plan.feed("image", &pixels).run()?;

    let corners = out.view::<i64>("box")?;
    println!("coins.png, {} x {} pixels", pixels.dim().1, pixels.dim().0);
    println!("  pixels that show a coin     {}", out.scalar::<i64>("count")?);
    println!("  mean inside the mask        {:.4}", out.scalar::<f32>("inside")?);
    println!("  mean outside                {:.4}", out.scalar::<f32>("outside")?);
    println!(
        "  box of the large coin       rows {} to {}, columns {} to {}",
        corners[[0, 0]],
        corners[[1, 0]],
        corners[[0, 1]],
        corners[[1, 1]]
    );
    save(&out, "coins-on-blue", "where(mask, image, colour)")?;
    save(&out, "large-coin", "the box alone, enlarged")
}

/// A photograph in colour: a mask by hue, and a soft one.
fn astronaut() -> Result<(), Box<dyn Error>> {
    let graph = Graph::new();
    let photo = graph.input::<u8>("photo", dims!["height", "width", 3]);
    let mask = suit(photo).unsqueeze(-1); // mask[..., None]: one channel that serves three
    let weight = spotlight(photo).unsqueeze(-1);
    let grey = photo.mean(keep(-1));
    let paper = graph.constant([245.0, 238.0, 224.0]);
    let face = disc(photo, (118, 222), 112).unsqueeze(-1);
    let badge = disc(photo, (385, 171), 38);
    let alpha = badge.unsqueeze(-1).cast(DType::U8) * 255; // a fourth channel: transparent elsewhere

    let plan = Plan::new([
        ("count", mask.count_nonzero(..)),
        ("colour", photo.masked(mask).mean([0, 1])), // photo[mask].mean(axis=0)
        ("elsewhere", photo.masked(!mask).mean([0, 1])),
        ("brightness", (grey * weight).sum(..) / weight.sum(..)), // np.average(grey, weights=weight)
        ("face", photo * face),                                   // black where the mask is false
        ("suit-in-colour", where_(mask, photo, grey).cast(DType::U8)),
        ("badge", enlarge(crop(graph.concat([photo, alpha], -1), badge), 4)),
        ("portrait", (photo * weight + paper * (1.0 - weight)).cast(DType::U8)),
    ])?;
    let pixels = picture::read(&files::data("astronaut.png"))?;
    let out = plan.feed("photo", &pixels).run()?;

    println!("astronaut.png, {} x {} pixels", pixels.dim().1, pixels.dim().0);
    println!("  pixels of the suit          {}", out.scalar::<i64>("count")?);
    println!("  mean red, green, blue       {:.2} in the suit", out.view::<f32>("colour")?);
    println!("                              {:.2} elsewhere", out.view::<f32>("elsewhere")?);
    println!("  brightness in the spotlight {:.4}", out.scalar::<f64>("brightness")?);
    save(&out, "face", "photo * mask")?;
    save(&out, "suit-in-colour", "where(mask, photo, grey)")?;
    save(&out, "portrait", "photo * weight + paper * (1 - weight)")?;
    save(&out, "badge", "a cut-out: concat([photo, mask * 255], -1), cropped")
}

/// Writes the output as a picture, and prints where it is and what it shows.
fn save(out: &Outputs, name: &str, what: &str) -> Result<(), Box<dyn Error>> {
    let path = files::output(&format!("{name}.png"))?;
    picture::write(&path, out.view::<u8>(name)?)?;
    println!("  {:<46}{what}", files::shown(&path));
    Ok(())
}
