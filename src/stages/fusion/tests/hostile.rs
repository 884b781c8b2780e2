//! Input that makes no sense, and a sink that fails.

use super::super::*;
use super::landscape::*;
use crate::types::progress::Silent;
use ndarray::Array2;

#[test]
fn hostile_input_is_an_error_or_a_stack_never_a_panic() {
    let mut m = simulate((4, 4), 0..30, &truth, 18);
    for (i, p) in m.pixels.iter_mut().flatten().enumerate() {
        let v = [i16::MAX, i16::MIN + 1, 0][i % 3];
        p.rho.iter_mut().for_each(|b| b.fill(v));
        p.usable.fill([1, 2, 255][i % 3]);
        p.sigma = Some(std::array::from_fn(|_| {
            Array2::from_elem(p.usable.dim(), [0, 65_535, 65_534][i % 3])
        }));
    }
    run(&m, -2..9);
    m.pixels[1][0].usable = Array2::zeros((1, 1));
    let mut stack = NoSink;
    let e = fuse(&m, 0..6, &FusionParams::default(), &mut stack, &Silent).unwrap_err();
    assert!(
        matches!(
            e,
            FusionError::Shape {
                resolution: "300 m",
                index: 0,
                ..
            }
        ),
        "{e}"
    );
    let bad = FusionParams {
        nu: f32::NAN,
        ..FusionParams::default()
    };
    assert!(matches!(
        fuse(&m, 0..6, &bad, &mut stack, &Silent),
        Err(FusionError::Parameter { name: "nu", .. })
    ));
}

struct NoSink;
impl Sink for NoSink {
    fn write(&mut self, _: usize, _: &StackBlock) -> Result<(), StoreError> {
        Err(StoreError::of_class(
            crate::types::error::Class::System,
            "disk full",
        ))
    }
}

#[test]
fn a_sink_that_fails_stops_the_fusion_with_its_class() {
    let m = simulate((4, 4), 0..30, &truth, 19);
    let e = fuse(&m, 0..6, &FusionParams::default(), &mut NoSink, &Silent).unwrap_err();
    assert_eq!(
        crate::types::error::Classified::class(&e),
        crate::types::error::Class::System
    );
    assert_eq!(e.to_string(), "fusion: writing rows 0-11: disk full");
}
