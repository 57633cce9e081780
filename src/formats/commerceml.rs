//! CommerceML 2.04–3.1: what stock 1C configurations write about goods, prices, stock and orders,
//! and the orders that they read.
//!
//! Read as a stream: of a file of any size one item at a time is in memory. Names are compared
//! without their namespace; unknown elements are passed over; an item that cannot be read is left
//! out and named. Custom entities do not exist: a document type that describes anything is refused.
//!
//! Source: the schemas published at <https://v8.1c.ru/tekhnologii/obmen-dannymi-i-integratsiya/standarty-i-formaty/standarty-commerceml/>.

mod catalog;
mod documents;
mod markup;
mod names;
mod orders;
mod reader;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1251};

pub use catalog::CommerceMl;
pub use documents::{Content, DocumentLine, OrderDocument, content, read_documents};
pub use orders::{Form, OrderForOnec, OrderLineForOnec, write_orders, write_statuses};
pub use reader::CommerceMlError;

use super::text::Sniffer;

/// The root of every document.
const ROOT: &str = "КоммерческаяИнформация";

/// How a file is encoded, by its first bytes, where they tell: a byte-order mark, else the spelling
/// of the root's name. The declaration is not asked: it is wrong often enough.
pub fn encoding(head: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Some(encoding);
    }
    let (cp1251, _, _) = WINDOWS_1251.encode(ROOT);
    let holds = |name: &[u8]| head.windows(name.len()).any(|part| part == name);
    if holds(ROOT.as_bytes()) {
        return Some(UTF_8);
    }
    holds(&cp1251).then_some(WINDOWS_1251)
}

/// [`encoding`], or what the whole text says.
pub fn encoding_or(head: &[u8], sniffer: &Sniffer) -> &'static Encoding {
    encoding(head).unwrap_or_else(|| sniffer.encoding())
}
