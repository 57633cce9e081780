//! Passwords: which are good enough, how they are hashed and checked.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::{AccountError, tokens};
use crate::formats::packed;
use crate::recognition::other_layout;

/// How the strings of today's parameters begin: Argon2id, 19 MiB, two passes, one lane.
///
/// Source: OWASP Password Storage
/// <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>.
const CURRENT: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// The hash that is checked when there is no account, so that an unknown number costs as much as a
/// wrong password. It is of a random text that nobody kept.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LWtub3dzLWl0$\
    kF4lB1xw3YcVh0cSgyNMZ3bq0u0pKdQ0sC9xq6M4g9E";

/// Hashes at once: each takes 19 MiB.
const AT_ONCE: usize = 2;
/// Hashes that may wait for their turn: more is an attack, not a morning.
const QUEUE: usize = 64;

/// A shorter word does not make a password out of digits a common one.
const SHORTEST_WORD: usize = 4;

/// Passwords that anyone would try first, folded, one a line; `#` begins a remark with the source.
const COMMON: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/common-passwords.txt.gz"));

static COMMON_SET: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lines = packed::unpack(COMMON);
    lines.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
});

/// Why a password is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Fewer than 8 characters.
    #[error("Пароль короче 8 символов.")]
    Short,
    /// More than 128 characters.
    #[error("Пароль длиннее 128 символов.")]
    Long,
    /// One of those that anyone would try first.
    #[error("Такой пароль легко угадать. Придумайте другой.")]
    Common,
}

/// Checks that a password is good enough: 8 to 128 characters, any, and not a common one.
///
/// `own_words` are the company's and the person's: their name, number and the like.
///
/// # Errors
///
/// [`PasswordProblem`], whose text is for the person.
pub fn check(password: &str, own_words: &[&str]) -> Result<(), PasswordProblem> {
    match password.chars().count() {
        ..8 => return Err(PasswordProblem::Short),
        129.. => return Err(PasswordProblem::Long),
        _ => {}
    }
    let plain = fold(password);
    let mut distinct: Vec<char> = plain.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let own = own_words.iter().map(|word| fold(word)).any(|word| {
        word.chars().count() >= SHORTEST_WORD && (plain == word || core(&plain) == word)
    });
    // A word typed in the other keyboard layout is as common as the word.
    let turned = |to_cyrillic| plain.chars().map(|c| other_layout(c, to_cyrillic)).collect();
    let readings: [String; 3] = [turned(true), turned(false), plain.clone()];
    if distinct.len() <= 2 || own || is_date(&plain) || readings.iter().any(|text| is_common(text))
    {
        return Err(PasswordProblem::Common);
    }
    Ok(())
}

/// Whether the text is on the list, or a word of the list with digits and signs around it.
fn is_common(text: &str) -> bool {
    let core = core(text);
    COMMON_SET.contains(text) || core.chars().count() >= SHORTEST_WORD && COMMON_SET.contains(core)
}

/// The text without what stands around its letters.
fn core(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

/// Whether the digits are a day: 31121999 or 19991231.
fn is_date(digits: &str) -> bool {
    digits.len() == 8
        && ["%d%m%Y", "%Y%m%d"].iter().any(|format| {
            let day = jiff::civil::Date::strptime(format, digits);
            day.is_ok_and(|day| (1900..2100).contains(&day.year()))
        })
}

fn fold(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_' | '.' | '+'));
    kept.flat_map(char::to_lowercase).map(|c| if c == 'ё' { 'е' } else { c }).collect()
}

/// Whether a password is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is not.
    Wrong,
    /// It is.
    Right,
    /// It is, and its hash is to be replaced by one of today.
    RightButOld,
}

/// The hasher. Clones share its gate.
#[derive(Clone)]
pub(super) struct Hasher {
    gate: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    calls: Arc<AtomicU64>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self {
            gate: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::default(),
            calls: Arc::default(),
        }
    }
}

impl Hasher {
    /// How often a password was hashed or checked: tests compare the work, not the time.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// The PHC string of a password, with a salt of its own.
    pub(super) async fn hash(&self, password: &str) -> Result<String, AccountError> {
        let password = password.to_owned();
        self.run(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|_| AccountError::NoRandomness)
        })
        .await?
    }

    /// Checks a password against a PHC string, or against nobody's when there is none.
    pub(super) async fn verify(
        &self,
        password: &str,
        hash: Option<String>,
    ) -> Result<Verdict, AccountError> {
        let password = password.to_owned();
        self.run(move || {
            let right = matches(&password, hash.as_deref().unwrap_or(DUMMY));
            match hash {
                Some(hash) if right && hash.starts_with(CURRENT) => Verdict::Right,
                Some(_) if right => Verdict::RightButOld,
                _ => Verdict::Wrong,
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccountError> {
        let _place = Place::take(&self.waiting)?;
        let permit = self.gate.clone().acquire_owned().await.map_err(|_| AccountError::Busy)?;
        self.calls.fetch_add(1, Ordering::SeqCst);
        let done = tokio::task::spawn_blocking(move || {
            let value = work();
            drop(permit);
            value
        });
        done.await.map_err(|_| AccountError::Busy)
    }
}

/// A place in the queue, given back on drop.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Result<Self, AccountError> {
        let place = Self(waiting);
        let before = waiting.fetch_add(1, Ordering::SeqCst);
        if before < QUEUE { Ok(place) } else { Err(AccountError::Busy) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn matches(password: &str, hash: &str) -> bool {
    if let Some(rest) = hash.strip_prefix("$pbkdf2-sha256$") {
        return matches_pbkdf2(password, rest).unwrap_or(false);
    }
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Checks a password against `rounds$salt$checksum` as passlib writes it, in its «adapted» base64:
/// no padding, `.` for `+`.
///
/// Source: <https://passlib.readthedocs.io/en/stable/lib/passlib.hash.pbkdf2_digest.html>.
fn matches_pbkdf2(password: &str, rest: &str) -> Option<bool> {
    /// A stored count beyond this would only burn the processor.
    const MOST_ROUNDS: u32 = 5_000_000;
    let mut parts = rest.split('$');
    let rounds: u32 = parts.next()?.parse().ok().filter(|n| (1..=MOST_ROUNDS).contains(n))?;
    let salt = adapted_base64(parts.next()?)?;
    let checksum = adapted_base64(parts.next()?)?;
    if parts.next().is_some() || checksum.len() != 32 {
        return None;
    }
    let ours = pbkdf2(password.as_bytes(), &salt, rounds);
    Some(ours.ct_eq(&checksum[..]).into())
}

/// The first block of PBKDF2-HMAC-SHA256. Source: RFC 8018 §5.2
/// <https://www.rfc-editor.org/rfc/rfc8018#section-5.2>.
fn pbkdf2(password: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    let mut block = tokens::hmac(password, &[salt, &1_u32.to_be_bytes()].concat());
    let mut sum = block;
    for _ in 1..rounds {
        block = tokens::hmac(password, &block);
        for (sum, byte) in sum.iter_mut().zip(block) {
            *sum ^= byte;
        }
    }
    sum
}

fn adapted_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'.' | b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_8_to_128_characters_will_do_unless_common() {
        let long = "ы".repeat(64) + &"ж".repeat(32) + &"щ".repeat(32);
        for good in ["пароль с пробелом ", &long, "Гатчина-1703", "  x y z 42", "67429853"]
        {
            assert_eq!(check(good, &[]), Ok(()), "{good}");
        }
        assert_eq!(check(&(long.clone() + "1"), &[]), Err(PasswordProblem::Long));
        assert_eq!(check("семьбук", &[]), Err(PasswordProblem::Short));
        for common in [
            "password1",
            "PASSWORD1",
            "qwerty123",
            "12345678",
            "йцукенгш",
            "пароль123",
            "aaaaaaaa",
            "12121212",
            // Typed in the other layout, with signs, in any case.
            "gfhjkm123",
            "Ghbdtn-2026!",
            "йцукенгшщз",
            "Зфыыцщкв1",
            "Qwerty2026",
            "александр1987",
            "Наташа_123",
            "31121999",
            "01.01.1990",
            "1990-01-01",
            "jennifer",
            "monkey21",
        ] {
            assert_eq!(check(common, &[]), Err(PasswordProblem::Common), "{common}");
        }
        for own in ["Партнёр-М", "партнерм2026", "+79210000001"] {
            let words = ["Партнёр-М", "+79210000001"];
            assert_eq!(check(own, &words), Err(PasswordProblem::Common), "{own}");
        }
    }

    #[test]
    fn three_thousand_of_the_commonest_are_known_as_they_are_compared() {
        let long = COMMON_SET.iter().filter(|line| line.chars().count() >= 8).count();
        assert!(long >= 3_000, "{long}");
        assert!(COMMON_SET.iter().all(|line| *line == fold(line)), "a line that matches nothing");
    }

    /// RFC 7914 §11 <https://www.rfc-editor.org/rfc/rfc7914#section-11>, the first 32 bytes.
    #[test]
    fn pbkdf2_agrees_with_the_published_vector() {
        assert_eq!(
            tokens::hex(&pbkdf2(b"passwd", b"salt", 1)),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        );
    }

    /// A string that passlib wrote; its salt has the `.` and the `/`.
    #[test]
    fn a_hash_of_passlib_is_read() {
        let hash = "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$\
            98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44";
        assert!(matches("password", hash));
        assert!(!matches("Password", hash));
        for broken in ["$pbkdf2-sha256$", "$pbkdf2-sha256$0$a$b", "$pbkdf2-sha256$9$é$b", "", "x"]
        {
            assert!(!matches("password", broken), "{broken}");
        }
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_of_todays_parameters_and_an_old_one_is_noticed() {
        let hasher = Hasher::default();
        let hash = hasher.hash("верный пароль").await.expect("hashes");
        assert!(hash.starts_with(CURRENT), "{hash}");
        assert_eq!(
            hasher.verify("верный пароль", Some(hash.clone())).await.expect("verifies"),
            Verdict::Right
        );
        assert_eq!(hasher.verify("другой", Some(hash)).await.expect("verifies"), Verdict::Wrong);
        let weak = argon2::Params::new(8, 1, 1, None).expect("parameters");
        let weak = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, weak);
        let old = weak.hash_password(b"x").expect("hashes").to_string();
        assert_eq!(hasher.verify("x", Some(old)).await.expect("verifies"), Verdict::RightButOld);
    }

    #[test]
    fn the_hash_of_nobody_is_read_and_costs_what_others_cost() {
        assert!(DUMMY.starts_with(CURRENT));
        assert!(PasswordHash::new(DUMMY).is_ok());
    }
}
