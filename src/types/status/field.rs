//! One field of a mask, and the declaration that makes a layer's constants and its legend from one list.

/// One field of a bit mask: `width` bits from `offset`.
///
/// ```
/// use probav_ard::types::status::{QX_FIELDS, SM_FIELDS, sm};
/// let word = sm::CLOUD | sm::LAND | sm::COVERED[1];
/// let words: Vec<_> = SM_FIELDS.iter().filter_map(|f| f.words(word)).collect();
/// assert_eq!(words, ["Cloud", "Land", "Observed in RED"]);
///
/// let confidence = &QX_FIELDS[0];
/// assert_eq!((confidence.name, confidence.value(0b1110)), ("cloud-confidence", 2));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// First bit, 0 = least significant.
    pub offset: u8,
    /// Number of bits.
    pub width: u8,
    /// STAC and CF name.
    pub name: &'static str,
    /// Words for legends.
    pub description: &'static str,
    /// (value, name, words) of the classes; empty for a plain flag.
    pub classes: &'static [(u8, &'static str, &'static str)],
}

impl Field {
    /// The bits of the field in a word.
    pub const fn mask(&self) -> u16 {
        (((1u32 << self.width) - 1) << self.offset) as u16
    }

    /// Value of the field in a word, 0 to 2^`width` − 1. Words of SAT are widened first.
    pub const fn value(&self, word: u16) -> u16 {
        (word & self.mask()) >> self.offset
    }

    /// What a word says in this field: the words of its class, or those of a flag that is set. `None` for a
    /// flag that is not set and for a value without a meaning.
    pub fn words(&self, word: u16) -> Option<&'static str> {
        let value = self.value(word);
        if self.classes.is_empty() {
            return (value != 0).then_some(self.description);
        }
        let class = self.classes.iter().find(|c| u16::from(c.0) == value);
        class.map(|(_, _, words)| *words)
    }
}

/// Declares a layer of bit fields: a module with one constant per field (its bits) and per named class (its bits in
/// place), and the table of the fields. A line is `offset: width CONSTANT "name", "words"`, with
/// `{ value CONSTANT "name", "words"; … }` for the classes (`_` where no constant is wanted);
/// after `then` come constants made from these.
macro_rules! bit_fields {
    (
        $(#[$about:meta])*
        $layer:ident: $word:ty, $(#[$table_about:meta])* $table:ident;
        $(
            $offset:literal: $width:literal $field:ident $name:literal, $words:literal
            $({ $($value:literal $class:tt $class_name:literal, $class_words:literal;)* })?
        )*
        then
        $($more:item)*
    ) => {
        $(#[$about])*
        pub mod $layer {
            $(
                #[doc = concat!($words, ".")]
                pub const $field: $word = (((1u32 << $width) - 1) << $offset) as $word;
                $($($crate::types::status::field::class!($word, $value << $offset, $class, $class_words);)*)?
            )*
            $($more)*
        }

        $(#[$table_about])*
        pub const $table: &[Field] = &[$(Field {
            offset: $offset,
            width: $width,
            name: $name,
            description: $words,
            classes: &[$($(($value, $class_name, $class_words),)*)?],
        },)*];
    };
}

/// Declares a layer of classes: a module with one constant per class, and the table of (value, name, words).
macro_rules! classes {
    (
        $(#[$about:meta])*
        $layer:ident: $word:ty, $(#[$table_about:meta])* $table:ident;
        $($value:literal $class:ident $name:literal, $words:literal;)*
    ) => {
        $(#[$about])*
        pub mod $layer {
            $($crate::types::status::field::class!($word, $value, $class, $words);)*
        }

        $(#[$table_about])*
        pub const $table: &[($word, &str, &str)] = &[$(($layer::$class, $name, $words),)*];
    };
}

/// The constant of a class; none for `_`.
macro_rules! class {
    ($word:ty, $value:expr, _, $words:literal) => {};
    ($word:ty, $value:expr, $class:ident, $words:literal) => {
        #[doc = concat!($words, ".")]
        pub const $class: $word = $value;
    };
}

pub(super) use {bit_fields, class, classes};
