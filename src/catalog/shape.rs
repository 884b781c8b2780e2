//! The shape of JSON values: what their columns look like. Shapes of several items merge to one that holds all of them,
//! so that no property is lost for being unknown.

use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Mark (metadata of a field) of text columns that hold JSON: values without a common shape, empty objects.
const JSON_MARK: &str = "probav:json";

/// What the values of one place have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing but null was seen.
    Null,
    /// True or false.
    Bool,
    /// Whole numbers.
    Int,
    /// Numbers.
    Float,
    /// Text.
    Text,
    /// RFC 3339 in UTC, microseconds.
    Time,
    /// Well-known binary, written as hexadecimal text in rows.
    Binary,
    /// Lists of one shape.
    List(Box<Shape>),
    /// Objects with named members.
    Object(BTreeMap<String, Shape>),
    /// Anything: kept as JSON text.
    Json,
}

impl Shape {
    /// The shape of one value.
    pub(super) fn of(value: &Value) -> Shape {
        match value {
            Value::Null => Shape::Null,
            Value::Bool(_) => Shape::Bool,
            Value::Number(n) if n.is_i64() => Shape::Int,
            Value::Number(_) => Shape::Float,
            Value::String(_) => Shape::Text,
            Value::Array(all) => {
                let mut of_items = Shape::Null;
                for v in all {
                    of_items.take(v);
                }
                Shape::List(Box::new(of_items))
            }
            Value::Object(members) if members.is_empty() => Shape::Json,
            Value::Object(members) => Shape::Object(
                members
                    .iter()
                    .map(|(k, v)| (k.clone(), Shape::of(v)))
                    .collect(),
            ),
        }
    }

    /// Widens the shape so that it holds `value`; quick where it does already.
    pub(super) fn take(&mut self, value: &Value) {
        match (&mut *self, value) {
            (_, Value::Null)
            | (Shape::Json, _)
            | (Shape::Bool, Value::Bool(_))
            | (Shape::Float, Value::Number(_))
            | (Shape::Text | Shape::Binary, Value::String(_)) => {}
            (Shape::Int, Value::Number(n)) if n.is_i64() => {}
            (Shape::Time, Value::String(text)) if super::time::parse(text).is_some() => {}
            (Shape::List(of_items), Value::Array(all)) => {
                for v in all {
                    of_items.take(v);
                }
            }
            (Shape::Object(known), Value::Object(members)) if !members.is_empty() => {
                for (k, v) in members {
                    match known.get_mut(k) {
                        Some(shape) => shape.take(v),
                        None => {
                            known.insert(k.clone(), Shape::of(v));
                        }
                    }
                }
            }
            _ => self.merge(Shape::of(value)),
        }
    }

    /// Widens the shape so that it holds what another holds.
    pub(super) fn merge(&mut self, other: Shape) {
        let merged = match (std::mem::replace(self, Shape::Null), other) {
            (Shape::Null, s) | (s, Shape::Null) => s,
            (Shape::Int, Shape::Float) | (Shape::Float, Shape::Int) => Shape::Float,
            // a text that is no time: the column falls back to text
            (Shape::Time, Shape::Text) | (Shape::Text, Shape::Time) => Shape::Text,
            (Shape::Binary, Shape::Text) | (Shape::Text, Shape::Binary) => Shape::Binary,
            (Shape::List(mut a), Shape::List(b)) => {
                a.merge(*b);
                Shape::List(a)
            }
            (Shape::Object(mut a), Shape::Object(b)) => {
                for (k, v) in b {
                    match a.get_mut(&k) {
                        Some(shape) => shape.merge(v),
                        None => {
                            a.insert(k, v);
                        }
                    }
                }
                Shape::Object(a)
            }
            (a, b) if a == b => a,
            _ => Shape::Json,
        };
        *self = merged;
    }

    /// True where text of JSON stands for values of this shape.
    fn is_text_of_json(&self) -> bool {
        match self {
            Shape::Null | Shape::Json => true,
            Shape::List(of_items) => of_items.is_text_of_json(),
            _ => false,
        }
    }

    /// True where any part is kept as text of JSON.
    pub(super) fn has_text_of_json(&self) -> bool {
        match self {
            s if s.is_text_of_json() => true,
            Shape::List(of_items) => of_items.has_text_of_json(),
            Shape::Object(members) => members.values().any(Shape::has_text_of_json),
            _ => false,
        }
    }

    /// The Arrow field of this shape.
    fn field(&self, name: &str) -> Field {
        let mark = |field: Field| {
            field.with_metadata(HashMap::from([(JSON_MARK.to_string(), "1".to_string())]))
        };
        let data_type = match self {
            s if s.is_text_of_json() => return mark(Field::new(name, DataType::Utf8, true)),
            Shape::Null | Shape::Json | Shape::Text => DataType::Utf8,
            Shape::Bool => DataType::Boolean,
            Shape::Int => DataType::Int64,
            Shape::Float => DataType::Float64,
            Shape::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Shape::Binary => DataType::Binary,
            Shape::List(of_items) => DataType::List(Arc::new(of_items.field("element"))),
            Shape::Object(members) => DataType::Struct(fields(members)),
        };
        Field::new(name, data_type, true)
    }

    /// The schema of rows of this shape; nothing for a shape that is no object.
    pub(super) fn schema(&self) -> Schema {
        match self {
            Shape::Object(members) => Schema::new(fields(members)),
            _ => Schema::empty(),
        }
    }

    /// The shape of rows of a schema; columns of foreign types become JSON.
    pub(super) fn of_schema(schema: &Schema) -> Shape {
        Shape::Object(members(schema.fields()))
    }

    fn of_field(field: &Field) -> Shape {
        match field.data_type() {
            DataType::Utf8 if field.metadata().contains_key(JSON_MARK) => Shape::Json,
            DataType::Utf8 => Shape::Text,
            DataType::Boolean => Shape::Bool,
            DataType::Int64 => Shape::Int,
            DataType::Float64 => Shape::Float,
            DataType::Timestamp(..) => Shape::Time,
            DataType::Binary => Shape::Binary,
            DataType::List(of_items) => Shape::List(Box::new(Shape::of_field(of_items))),
            DataType::Struct(all) => Shape::Object(members(all)),
            _ => Shape::Json,
        }
    }

    /// Writes values that are kept as text as text.
    pub(super) fn to_text(&self, value: &mut Value) {
        self.walk(value, &mut |v| *v = Value::String(v.to_string()));
    }

    /// Reads them back.
    pub(super) fn restore_text(&self, value: &mut Value) {
        self.walk(value, &mut |v| {
            if let Some(read) = v.as_str().and_then(|t| serde_json::from_str(t).ok()) {
                *v = read;
            }
        });
    }

    fn walk(&self, value: &mut Value, change: &mut dyn FnMut(&mut Value)) {
        match (self, value) {
            (_, Value::Null) => {}
            (s, value) if s.is_text_of_json() => change(value),
            (Shape::List(of_items), Value::Array(all)) => {
                for v in all {
                    of_items.walk(v, change);
                }
            }
            (Shape::Object(known), Value::Object(members)) => {
                for (k, v) in members {
                    if let Some(shape) = known.get(k) {
                        shape.walk(v, change);
                    }
                }
            }
            _ => {}
        }
    }
}

fn fields(members: &BTreeMap<String, Shape>) -> Fields {
    members.iter().map(|(name, s)| s.field(name)).collect()
}

fn members(fields: &Fields) -> BTreeMap<String, Shape> {
    fields
        .iter()
        .map(|f| (f.name().clone(), Shape::of_field(f)))
        .collect()
}

/// Removes members that are null: a column has no other word for what is not there.
pub(super) fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let kept: Map<String, Value> = std::mem::take(members)
                .into_iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(k, mut v)| {
                    without_nulls(&mut v);
                    (k, v)
                })
                .collect();
            *members = kept;
        }
        Value::Array(all) => all.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_has_no_common_shape_is_kept_as_text_and_read_back() {
        let mut shape = Shape::of(&json!({ "a": 1, "b": [1, 2], "c": {}, "d": "x" }));
        shape.take(&json!({ "a": "one", "b": [0.5], "c": { "k": 1 }, "d": null, "e": [] }));
        let Shape::Object(members) = &shape else {
            panic!("{shape:?}")
        };
        assert_eq!(members["a"], Shape::Json);
        assert_eq!(members["b"], Shape::List(Box::new(Shape::Float)));
        assert_eq!(members["d"], Shape::Text);
        let row = json!({ "a": "one", "b": [0.5], "c": { "k": 1 }, "e": [] });
        let mut kept = row.clone();
        shape.to_text(&mut kept);
        assert_eq!(kept["a"], "\"one\"");
        assert_eq!(kept["e"], "[]");
        shape.restore_text(&mut kept);
        assert_eq!(kept, row);
        // the mark survives the schema
        let again = Shape::of_schema(&shape.schema());
        let mut text = row.clone();
        again.to_text(&mut text);
        again.restore_text(&mut text);
        assert_eq!(text, row);
    }
}
