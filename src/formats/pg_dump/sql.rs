//! The few SQL statements of a dump that say something, and where a statement ends.

/// Follows a statement line by line to its `;`.
#[derive(Debug, Default)]
pub struct Boundary {
    inside: Inside,
    /// Comments may be nested.
    depth: u32,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum Inside {
    #[default]
    Nothing,
    Quotes(u8),
    /// `E'…'`, where a backslash escapes the quote.
    Escapes,
    /// `$tag$ … $tag$`
    Dollars(Vec<u8>),
    Comment,
}

impl Boundary {
    /// Takes the next line; whether the statement ends with it.
    pub fn feed(&mut self, line: &[u8]) -> bool {
        let mut at = 0;
        let mut ended = false;
        while at < line.len() {
            let byte = line[at];
            let rest = &line[at..];
            match &self.inside {
                Inside::Nothing => match byte {
                    b'-' if rest.starts_with(b"--") => return ended,
                    b'/' if rest.starts_with(b"/*") => {
                        (self.inside, self.depth) = (Inside::Comment, 1);
                        at += 1;
                    }
                    b'\'' if is_escape_prefix(&line[..at]) => self.inside = Inside::Escapes,
                    b'\'' | b'"' => self.inside = Inside::Quotes(byte),
                    b'$' => {
                        if let Some(tag) = dollar_tag(&line[..at], rest) {
                            at += tag.len() - 1;
                            self.inside = Inside::Dollars(tag.to_vec());
                        }
                    }
                    b';' => ended = true,
                    _ if !byte.is_ascii_whitespace() => ended = false,
                    _ => {}
                },
                // A doubled quote closes and opens again, which comes to the same.
                Inside::Quotes(quote) if *quote == byte => self.inside = Inside::Nothing,
                Inside::Escapes if byte == b'\\' => at += 1,
                Inside::Escapes if byte == b'\'' => {
                    // «''» goes on as an escaped string.
                    if rest.get(1) == Some(&b'\'') {
                        at += 1;
                    } else {
                        self.inside = Inside::Nothing;
                    }
                }
                Inside::Dollars(tag) if rest.starts_with(tag) => {
                    at += tag.len() - 1;
                    self.inside = Inside::Nothing;
                }
                Inside::Comment if rest.starts_with(b"/*") => {
                    self.depth += 1;
                    at += 1;
                }
                Inside::Comment if rest.starts_with(b"*/") => {
                    self.depth -= 1;
                    at += 1;
                    if self.depth == 0 {
                        self.inside = Inside::Nothing;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        ended && self.inside == Inside::Nothing
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether what stands before a quote makes it an `E'…'`.
fn is_escape_prefix(before: &[u8]) -> bool {
    match before {
        [.., word, b'e' | b'E'] => !is_word(*word),
        [b'e' | b'E'] => true,
        _ => false,
    }
}

/// `$$` or `$tag$` at the beginning of `rest`.
fn dollar_tag<'a>(before: &[u8], rest: &'a [u8]) -> Option<&'a [u8]> {
    if before.last().copied().is_some_and(is_word) {
        return None;
    }
    let end = rest.iter().skip(1).position(|byte| *byte == b'$')? + 1;
    let tag = &rest[1..end];
    let fits = tag.iter().copied().all(is_word) && !tag.first().is_some_and(u8::is_ascii_digit);
    fits.then_some(&rest[..=end])
}

/// Values of a row; `None` is `NULL`.
pub type Values = Vec<Option<Vec<u8>>>;

/// What a statement says.
#[derive(Debug, PartialEq, Eq)]
pub enum Statement {
    /// `COPY table (columns) FROM stdin`
    Copy { table: String, columns: Vec<String> },
    /// `INSERT INTO table (columns) VALUES …`
    Insert { table: String, columns: Vec<String>, rows: Vec<Values> },
    /// One that is not understood.
    BrokenInsert,
    /// `CREATE TABLE table (…)`
    CreateTable { table: String, columns: Vec<String> },
    /// `SELECT pg_catalog.setval('sequence', last, called)`
    SetValue { sequence: String, last: i64 },
    /// `SET client_encoding = 'name'`
    ClientEncoding(String),
    /// Nothing of use.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A name or keyword, or a number; lower case unless it was quoted.
    Word(String),
    Quoted(String),
    Text(Vec<u8>),
    Sign(u8),
}

impl Token {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text == word)
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            _ => None,
        }
    }
}

/// Reads a statement.
pub fn parse(statement: &[u8]) -> Statement {
    let start = statement.iter().position(|byte| !byte.is_ascii_whitespace());
    let statement = &statement[start.unwrap_or(statement.len())..];
    let begins = |word: &str| {
        statement.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
    };
    if begins("insert ") {
        return insert(&mut Tokens::of(statement)).unwrap_or(Statement::BrokenInsert);
    }
    let known = ["copy ", "create ", "select ", "set "];
    if !known.iter().any(|word| begins(word)) {
        return Statement::Other;
    }
    let mut tokens = Tokens::of(statement);
    let found = if begins("copy ") {
        copy(&mut tokens)
    } else if begins("create ") {
        create_table(&mut tokens)
    } else if begins("select ") {
        set_value(&mut tokens)
    } else {
        client_encoding(&mut tokens)
    };
    found.unwrap_or(Statement::Other)
}

fn copy(tokens: &mut Tokens<'_>) -> Option<Statement> {
    tokens.word("copy")?;
    let table = tokens.table()?;
    let columns = tokens.columns()?;
    tokens.word("from")?;
    tokens.word("stdin")?;
    Some(Statement::Copy { table, columns })
}

fn insert(tokens: &mut Tokens<'_>) -> Option<Statement> {
    tokens.word("insert")?;
    tokens.word("into")?;
    let table = tokens.table()?;
    let columns = tokens.columns()?;
    if tokens.peek()?.is("overriding") {
        while !tokens.peek()?.is("values") {
            tokens.next()?;
        }
    }
    tokens.word("values")?;
    let mut rows = Vec::new();
    loop {
        tokens.sign(b'(')?;
        let mut values = Vec::new();
        loop {
            let token = tokens.next()?;
            values.push(match token {
                Token::Word(word) if word == "null" => None,
                Token::Word(word) => Some(word.into_bytes()),
                Token::Text(text) => Some(text),
                Token::Sign(b'-') => match tokens.next()? {
                    Token::Word(number) => Some(format!("-{number}").into_bytes()),
                    _ => return None,
                },
                _ => return None,
            });
            // A cast says nothing new: '…'::jsonb.
            while tokens.peek()? == &Token::Sign(b':') {
                tokens.next()?;
                tokens.sign(b':')?;
                tokens.next()?.name()?;
            }
            match tokens.next()? {
                Token::Sign(b',') => {}
                Token::Sign(b')') => break,
                _ => return None,
            }
        }
        rows.push(values);
        match tokens.next()? {
            Token::Sign(b',') => {}
            Token::Sign(b';') => return Some(Statement::Insert { table, columns, rows }),
            other if other.is("on") => return Some(Statement::Insert { table, columns, rows }),
            _ => return None,
        }
    }
}

fn create_table(tokens: &mut Tokens<'_>) -> Option<Statement> {
    tokens.word("create")?;
    while !tokens.peek()?.is("table") {
        // TEMPORARY, UNLOGGED, GLOBAL; an index, a view or a function never comes to TABLE here.
        if !["unlogged", "temporary", "temp", "global", "local"].iter().any(|w| tokens.at(w)) {
            return None;
        }
        tokens.next()?;
    }
    tokens.word("table")?;
    if tokens.at("if") {
        for word in ["if", "not", "exists"] {
            tokens.word(word)?;
        }
    }
    let table = tokens.table()?;
    tokens.sign(b'(')?;
    let (mut columns, mut depth, mut begins) = (Vec::new(), 0_u32, true);
    loop {
        let token = tokens.next()?;
        match token {
            Token::Sign(b'(') => depth += 1,
            Token::Sign(b')') if depth == 0 => break,
            Token::Sign(b')') => depth -= 1,
            Token::Sign(b',') if depth == 0 => {
                begins = true;
                continue;
            }
            Token::Word(word) if begins => {
                let rules =
                    ["constraint", "primary", "unique", "check", "foreign", "exclude", "like"];
                if !rules.contains(&word.as_str()) {
                    columns.push(word);
                }
            }
            Token::Quoted(name) if begins => columns.push(name),
            _ => {}
        }
        begins = false;
    }
    Some(Statement::CreateTable { table, columns })
}

fn set_value(tokens: &mut Tokens<'_>) -> Option<Statement> {
    tokens.word("select")?;
    if tokens.table()? != "setval" {
        return None;
    }
    tokens.sign(b'(')?;
    let Token::Text(sequence) = tokens.next()? else { return None };
    let sequence = String::from_utf8(sequence).ok()?;
    let sequence = sequence.rsplit('.').next()?.trim_matches('"').to_owned();
    tokens.sign(b',')?;
    let mut last: i64 = tokens.next()?.name()?.parse().ok()?;
    if tokens.peek() == Some(&Token::Sign(b',')) {
        tokens.next()?;
        // `false`: the number is the one to be given next.
        if tokens.at("false") {
            last = last.saturating_sub(1);
        }
    }
    Some(Statement::SetValue { sequence, last })
}

fn client_encoding(tokens: &mut Tokens<'_>) -> Option<Statement> {
    tokens.word("set")?;
    tokens.word("client_encoding")?;
    if tokens.at("to") {
        tokens.next()?;
    } else {
        tokens.sign(b'=')?;
    }
    match tokens.next()? {
        Token::Text(name) => Some(Statement::ClientEncoding(String::from_utf8(name).ok()?)),
        other => other.name().map(|name| Statement::ClientEncoding(name.to_owned())),
    }
}

struct Tokens<'a> {
    rest: &'a [u8],
    peeked: Option<Token>,
}

impl<'a> Tokens<'a> {
    fn of(statement: &'a [u8]) -> Self {
        Self { rest: statement, peeked: None }
    }

    fn peek(&mut self) -> Option<&Token> {
        if self.peeked.is_none() {
            self.peeked = self.read();
        }
        self.peeked.as_ref()
    }

    fn next(&mut self) -> Option<Token> {
        self.peeked.take().or_else(|| self.read())
    }

    fn at(&mut self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is(word))
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.next()?.is(word).then_some(())
    }

    fn sign(&mut self, sign: u8) -> Option<()> {
        (self.next()? == Token::Sign(sign)).then_some(())
    }

    /// `public.users`, `"public"."users"`, `users`: the last part.
    fn table(&mut self) -> Option<String> {
        let mut name = self.next()?.name()?.to_owned();
        while self.peek() == Some(&Token::Sign(b'.')) {
            self.next()?;
            self.next()?.name()?.clone_into(&mut name);
        }
        Some(name)
    }

    fn columns(&mut self) -> Option<Vec<String>> {
        let mut columns = Vec::new();
        if self.peek()? != &Token::Sign(b'(') {
            return Some(columns);
        }
        self.next()?;
        loop {
            columns.push(self.next()?.name()?.to_owned());
            match self.next()? {
                Token::Sign(b',') => {}
                Token::Sign(b')') => return Some(columns),
                _ => return None,
            }
        }
    }

    fn read(&mut self) -> Option<Token> {
        loop {
            let start = self.rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
            self.rest = &self.rest[start..];
            if self.rest.starts_with(b"--") {
                let end = self.rest.iter().position(|byte| *byte == b'\n')?;
                self.rest = &self.rest[end..];
            } else if self.rest.starts_with(b"/*") {
                let end = self.rest.windows(2).position(|pair| pair == b"*/")?;
                self.rest = &self.rest[end + 2..];
            } else {
                break;
            }
        }
        let first = *self.rest.first()?;
        match first {
            b'\'' => self.quoted(false),
            b'"' => {
                let Some(Token::Text(name)) = self.quoted(false) else { return None };
                Some(Token::Quoted(String::from_utf8(name).ok()?))
            }
            b'e' | b'E' if self.rest.get(1) == Some(&b'\'') => {
                self.rest = &self.rest[1..];
                self.quoted(true)
            }
            byte if is_word(byte) => {
                // Numbers have a point and an exponent; a name is never followed by a digit's point.
                let number = byte.is_ascii_digit();
                let part = |b: &u8| is_word(*b) || (number && matches!(b, b'.' | b'+' | b'-'));
                let end = self.rest.iter().position(|b| !part(b)).unwrap_or(self.rest.len());
                let word = String::from_utf8_lossy(&self.rest[..end]).to_lowercase();
                self.rest = &self.rest[end..];
                Some(Token::Word(word))
            }
            sign => {
                self.rest = &self.rest[1..];
                Some(Token::Sign(sign))
            }
        }
    }

    /// The text between the quotes that the rest begins with.
    fn quoted(&mut self, escapes: bool) -> Option<Token> {
        let quote = *self.rest.first()?;
        let mut text = Vec::new();
        let mut at = 1;
        loop {
            let byte = *self.rest.get(at)?;
            if byte == quote {
                if self.rest.get(at + 1) != Some(&quote) {
                    break;
                }
                at += 1;
            } else if escapes && byte == b'\\' {
                at += 1;
                text.extend(super::unescape(&[b'\\', *self.rest.get(at)?]));
                at += 1;
                continue;
            }
            text.push(byte);
            at += 1;
        }
        self.rest = &self.rest[at + 1..];
        Some(Token::Text(text))
    }
}
