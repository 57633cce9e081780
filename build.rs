//! Packs the large texts that the program carries and seldom reads.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Each becomes `$OUT_DIR/<name>.gz`.
const TEXTS: &[&str] =
    &["assets/synonyms.csv", "assets/common-passwords.txt", "assets/demo/catalog.json"];

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for text in TEXTS {
        println!("cargo::rerun-if-changed={text}");
        let name = Path::new(text).file_name().ok_or("a text without a name")?;
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&fs::read(text)?)?;
        let mut to = out.join(name).into_os_string();
        to.push(".gz");
        fs::write(to, packed.finish()?)?;
    }
    Ok(())
}
