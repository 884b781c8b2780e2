//! Exports of the stack.
