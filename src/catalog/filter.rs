//! Conditions on properties: `eo:cloud_cover < 20`.

use super::CatalogError;
use super::time;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use std::cmp::Ordering;

/// A value of a property.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    /// A number, or 0 and 1 for false and true.
    Number(f64),
    /// A text.
    Text(String),
}

impl Scalar {
    /// The value of a column in a row; `None` where it has none, or none that compares.
    pub(super) fn of(column: &ArrayRef, row: usize) -> Option<Scalar> {
        if !column.is_valid(row) {
            return None;
        }
        if let Some(a) = column.as_primitive_opt::<Float64Type>() {
            Some(Scalar::Number(a.value(row)))
        } else if let Some(a) = column.as_primitive_opt::<Int64Type>() {
            Some(Scalar::Number(a.value(row) as f64))
        } else if let Some(a) = column.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(Scalar::Text(time::text(a.value(row))?))
        } else if let Some(a) = column.as_string_opt::<i32>() {
            Some(Scalar::Text(a.value(row).to_string()))
        } else {
            let a = column.as_boolean_opt()?;
            Some(Scalar::Number(f64::from(u8::from(a.value(row)))))
        }
    }

    /// Numbers before texts.
    pub(super) fn order(&self, other: &Scalar) -> Ordering {
        match (self, other) {
            (Scalar::Number(a), Scalar::Number(b)) => a.total_cmp(b),
            (Scalar::Text(a), Scalar::Text(b)) => a.cmp(b),
            (Scalar::Number(_), Scalar::Text(_)) => Ordering::Less,
            (Scalar::Text(_), Scalar::Number(_)) => Ordering::Greater,
        }
    }
}

/// How a property compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    Unequal,
}

/// The operators as written; those of two characters come first.
const OPERATORS: [(&str, Operator); 8] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("!=", Operator::Unequal),
    ("<>", Operator::Unequal),
    ("==", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("=", Operator::Equal),
];

/// A condition on one property. An item without the property does not meet it.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The property.
    pub property: String,
    operator: Operator,
    value: Scalar,
}

impl Filter {
    /// Conditions with `AND` between them: a property, an operator (`<` `<=` `>` `>=` `=` `!=`), and a number, `true`, `false`
    /// or a text, in quotes where it has blanks.
    ///
    /// ```
    /// use probav_ard::catalog::Filter;
    /// let all = Filter::parse("eo:cloud_cover < 20 AND probav:camera = 'CENTER'").unwrap();
    /// assert_eq!(all.len(), 2);
    /// assert_eq!(all[1].property, "probav:camera");
    /// assert!(Filter::parse("eo:cloud_cover").is_err());
    /// ```
    ///
    /// # Errors
    /// [`CatalogError::Query`] for anything else.
    pub fn parse(text: &str) -> Result<Vec<Filter>, CatalogError> {
        split_at_and(text).into_iter().map(one).collect()
    }

    /// True where the value of the property meets the condition.
    pub(super) fn holds(&self, value: Option<&Scalar>) -> bool {
        let Some(value) = value else { return false };
        let comparable = matches!(
            (value, &self.value),
            (Scalar::Number(_), Scalar::Number(_)) | (Scalar::Text(_), Scalar::Text(_))
        );
        let order = value.order(&self.value);
        match self.operator {
            Operator::Unequal => !comparable || order.is_ne(),
            _ if !comparable => false,
            Operator::Less => order.is_lt(),
            Operator::AtMost => order.is_le(),
            Operator::Greater => order.is_gt(),
            Operator::AtLeast => order.is_ge(),
            Operator::Equal => order.is_eq(),
        }
    }

    /// The number compared with.
    pub(super) fn number(&self) -> Option<f64> {
        match self.value {
            Scalar::Number(n) => Some(n),
            Scalar::Text(_) => None,
        }
    }

    /// False where no number between the two can meet the condition.
    pub(super) fn may_hold(&self, (low, high): (f64, f64)) -> bool {
        let Some(n) = self.number() else { return true };
        match self.operator {
            Operator::Less => low < n,
            Operator::AtMost => low <= n,
            Operator::Greater => high > n,
            Operator::AtLeast => high >= n,
            Operator::Equal => low <= n && n <= high,
            Operator::Unequal => true,
        }
    }
}

/// The text between the words AND that stand outside quotes.
fn split_at_and(text: &str) -> Vec<&str> {
    let (mut all, mut begin, mut quote) = (Vec::new(), 0, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None, ' ')
                if text
                    .get(i..i + 5)
                    .is_some_and(|w| w.eq_ignore_ascii_case(" and ")) =>
            {
                all.push(&text[begin..i]);
                begin = i + 5;
            }
            _ => {}
        }
    }
    all.push(&text[begin..]);
    all
}

fn one(text: &str) -> Result<Filter, CatalogError> {
    let bad = || {
        CatalogError::Query(format!(
            "'{}' is no condition: expected a property, one of < <= > >= = !=, and a value, as in eo:cloud_cover < 20",
            text.trim()
        ))
    };
    let at = text.find(['<', '>', '=', '!']).ok_or_else(bad)?;
    let rest = &text[at..];
    let (word, operator) = OPERATORS
        .iter()
        .find(|(word, _)| rest.starts_with(word))
        .ok_or_else(bad)?;
    let (property, value) = (text[..at].trim(), rest[word.len()..].trim());
    if property.is_empty() || value.is_empty() {
        return Err(bad());
    }
    let quoted = ['\'', '"'].iter().find_map(|q| {
        let inner = value.strip_prefix(*q)?.strip_suffix(*q)?;
        Some(Scalar::Text(inner.to_string()))
    });
    let value = match (quoted, value.parse::<f64>(), value) {
        (Some(text), _, _) => text,
        (None, Ok(n), _) if n.is_finite() => Scalar::Number(n),
        (None, _, "true") => Scalar::Number(1.0),
        (None, _, "false") => Scalar::Number(0.0),
        (None, _, word) if word.contains(['<', '>', '=', ' ', '\'', '"']) => return Err(bad()),
        (None, _, word) => Scalar::Text(word.to_string()),
    };
    Ok(Filter {
        property: property.to_string(),
        operator: *operator,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_hold() {
        let one = |t: &str| Filter::parse(t).unwrap().remove(0);
        let n = |v: f64| Some(Scalar::Number(v));
        let t = |v: &str| Some(Scalar::Text(v.to_string()));
        assert!(one("a<20").holds(n(19.9).as_ref()));
        assert!(!one("a < 20").holds(n(20.0).as_ref()));
        assert!(one("a<=20").holds(n(20.0).as_ref()));
        assert!(!one("a<20").holds(None));
        assert!(!one("a<20").holds(t("1").as_ref()));
        assert!(one("a != x").holds(n(1.0).as_ref()));
        assert!(one("t = 'a and b'").holds(t("a and b").as_ref()));
        assert!(one("r = true").holds(n(1.0).as_ref()));
        assert_eq!(
            Filter::parse("a<1 and b>2 AND c = 'x AND y'")
                .unwrap()
                .len(),
            3
        );
        for bad in ["", "a", "a <", "< 3", "a < 3 <", "a ! 3", "a = b c"] {
            assert!(Filter::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_row_group_is_left_out_only_where_nothing_can_hold() {
        let one = |t: &str| Filter::parse(t).unwrap().remove(0);
        assert!(!one("a < 5").may_hold((5.0, 9.0)));
        assert!(one("a <= 5").may_hold((5.0, 9.0)));
        assert!(!one("a > 9").may_hold((5.0, 9.0)));
        assert!(!one("a = 4").may_hold((5.0, 9.0)));
        assert!(one("a = 'x'").may_hold((5.0, 9.0)));
        assert!(one("a != 5").may_hold((5.0, 5.0)));
    }
}
