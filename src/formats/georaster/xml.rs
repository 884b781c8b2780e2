//! Names and texts of an XML file, read as GDAL's own parser reads it: names in any case, attributes and elements alike.

/// Longest VRT that is read, bytes: 100,000 sources have some 60 MB. Chosen.
pub(super) const LONGEST: u64 = 256 << 20;

/// What a place of an XML file says, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// An element begins: its name in small letters, its attributes.
    Begin(String, Vec<(String, String)>),
    /// Text within the innermost open element.
    Text(String),
    /// An element ends.
    End,
}

/// The pieces of a file; `Err` says what is not plain XML.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let between = &rest[..start];
        if !between.trim().is_empty() {
            out.push(Piece::Text(unescaped(between.trim())));
        }
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").ok_or("a comment has no end")?.1;
        } else if rest.starts_with("<!") {
            return Err("it has a DOCTYPE or CDATA, which no raster needs".to_string());
        } else if rest.starts_with("<?") {
            rest = rest.split_once("?>").ok_or("an instruction has no end")?.1;
        } else if let Some(closing) = rest.strip_prefix("</") {
            rest = closing.split_once('>').ok_or("an element has no end")?.1;
            out.push(Piece::End);
        } else {
            let (piece, empty, after) = element(&rest[1..])?;
            out.push(piece);
            if empty {
                out.push(Piece::End);
            }
            rest = after;
        }
    }
    Ok(out)
}

/// An opening tag after its `<`, whether it is closed at once, and what follows it.
fn element(text: &str) -> Result<(Piece, bool, &str), String> {
    let cut = || "an element has no end".to_string();
    let end_of = |t: &str| t.find(|c: char| c.is_whitespace() || "=/>".contains(c));
    let n = end_of(text).ok_or_else(cut)?;
    let (name, mut rest) = (text[..n].to_ascii_lowercase(), &text[n..]);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('>') {
            return Ok((Piece::Begin(name, attributes), false, after));
        }
        if let Some(after) = rest.strip_prefix("/>") {
            return Ok((Piece::Begin(name, attributes), true, after));
        }
        let n = end_of(rest).ok_or_else(cut)?;
        let key = rest[..n].to_ascii_lowercase();
        let value = rest[n..].trim_start().strip_prefix('=');
        let value = value.ok_or("an attribute has no value")?.trim_start();
        let quote = value.chars().next().filter(|c| "\"'".contains(*c));
        let quote = quote.ok_or("an attribute has no quotes")?;
        let (value, after) = value[1..].split_once(quote).ok_or_else(cut)?;
        attributes.push((key, unescaped(value)));
        rest = after;
    }
}

/// Text with its entities replaced; what is none stays as it is.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        match after
            .split_once(';')
            .and_then(|(e, behind)| Some((entity(e)?, behind)))
        {
            Some((sign, behind)) => {
                out.push(sign);
                rest = behind;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_and_texts_come_in_order() {
        let text = "<?xml version='1.0'?><!-- <a>b</a> --><VRT X=\"1 > 0\"><SourceFilename relativeToVRT='1' > a&amp;b&#46;tif </SourceFilename><e/></VRT>";
        let begin = |name: &str, attributes: &[(&str, &str)]| {
            let own = |(k, v): &(&str, &str)| (k.to_string(), v.to_string());
            Piece::Begin(name.to_string(), attributes.iter().map(own).collect())
        };
        let wanted = [
            begin("vrt", &[("x", "1 > 0")]),
            begin("sourcefilename", &[("relativetovrt", "1")]),
            Piece::Text("a&b.tif".to_string()),
            Piece::End,
            begin("e", &[]),
            Piece::End,
            Piece::End,
        ];
        assert_eq!(pieces(text).unwrap(), wanted);
    }

    #[test]
    fn what_is_no_plain_xml_is_said() {
        for bad in [
            "<a",
            "<a b>",
            "<a b=c>",
            "<a b='c>",
            "<!DOCTYPE a>",
            "<![CDATA[a]]>",
            "<!-- a",
            "</a",
        ] {
            assert!(pieces(bad).is_err(), "{bad}");
        }
        assert_eq!(pieces("no xml").unwrap(), []);
        assert_eq!(unescaped("&none; & &#x2F;"), "&none; & /");
    }
}
