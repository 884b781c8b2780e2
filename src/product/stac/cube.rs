//! The item of a stack.
