//! PNG files as arrays of shape (height, width, channels).

#![allow(dead_code, reason = "each example uses a part of it")]

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use ndarray::{Array3, ArrayViewD};
use png::{BitDepth, ColorType};

/// The pixels of a picture with 8 bits a channel.
pub(crate) fn read(path: &Path) -> Result<Array3<u8>, Box<dyn Error>> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path)?)).read_info()?;
    let mut bytes = vec![0; reader.output_buffer_size().ok_or("the picture is too large")?];
    let frame = reader.next_frame(&mut bytes)?;
    bytes.truncate(frame.buffer_size());
    let shape = (frame.height as usize, frame.width as usize, frame.color_type.samples());
    Ok(Array3::from_shape_vec(shape, bytes)?)
}

/// Writes grey (1 channel), RGB (3) or RGBA (4) pixels.
pub(crate) fn write(path: &Path, pixels: ArrayViewD<u8>) -> Result<(), Box<dyn Error>> {
    let &[height, width, channels] = pixels.shape() else { return Err("a picture has three axes".into()) };
    let color = match channels {
        1 => ColorType::Grayscale,
        3 => ColorType::Rgb,
        4 => ColorType::Rgba,
        other => return Err(format!("no picture has {other} channels").into()),
    };
    let file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(file, u32::try_from(width)?, u32::try_from(height)?);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    let bytes: Vec<u8> = pixels.iter().copied().collect();
    Ok(encoder.write_header()?.write_image_data(&bytes)?)
}
