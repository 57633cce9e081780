//! Packs the starter synonyms: they are half a megabyte of text that is read once.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

const SYNONYMS: &str = "assets/synonyms.csv";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SYNONYMS}");
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&fs::read(SYNONYMS)?)?;
    let to = PathBuf::from(env::var("OUT_DIR")?).join("synonyms.csv.gz");
    fs::write(to, packed.finish()?)?;
    Ok(())
}
