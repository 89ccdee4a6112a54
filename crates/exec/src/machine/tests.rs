//! Every SIMD level computes the same bits. An unoptimised build hardly uses
//! vectors, so that these tests find errors mainly in release mode.

use ndarray::{Array1, Array2, array};
use tamis_graph::{DType, Expr, Graph, Unary, Value, dims, keep, where_};

use crate::Plan;
use crate::level::Level;

/// Not a multiple of any vector, block or tile.
const LEN: usize = 3 * 1024 + 79;

/// Pseudorandom bits (splitmix64).
fn bits(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Floats of every size: any bits at all, numbers about 1, and those where
/// functions change their mind.
fn float(mut bits: impl FnMut() -> u64) -> f64 {
    const EDGES: [f64; 14] = [
        0.0,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        5e-324,
        -1e-310,
        1e-40,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        0.5,
        -2.5,
        9_007_199_254_740_993.0,
    ];
    let (kind, some) = (bits() % 8, bits());
    match kind {
        0 => EDGES[some as usize % EDGES.len()],
        1 => f64::from_bits(some),
        // About the largest and smallest arguments of exp.
        2 => (some % 3000) as f64 / 2.0 - 750.0,
        _ => (some >> 11) as f64 / (1_u64 << 51) as f64 - 2.0,
    }
}

struct Inputs {
    doubles: [Array1<f64>; 2],
    singles: [Array1<f32>; 2],
    ints: [Array1<i32>; 2],
    longs: [Array1<i64>; 2],
    bytes: [Array1<u8>; 2],
    masks: [Array1<bool>; 2],
}

impl Inputs {
    fn new() -> Inputs {
        let of = |seed: u64| {
            let mut bits = bits(seed);
            move |_| bits()
        };
        let whole = |bits: u64| if bits.is_multiple_of(3) { bits % 7 } else { bits >> (bits % 64) };
        let doubles = [1, 2].map(|seed| {
            let mut bits = bits(seed);
            Array1::from_shape_fn(LEN, |_| float(&mut bits))
        });
        Inputs {
            singles: doubles.clone().map(|doubles| doubles.mapv(|x| x as f32)),
            doubles,
            ints: [3, 4].map(|seed| Array1::from_iter((0..LEN).map(of(seed)).map(|x| whole(x) as i32))),
            longs: [5, 6].map(|seed| Array1::from_iter((0..LEN).map(of(seed)).map(|x| whole(x) as i64))),
            bytes: [7, 8].map(|seed| Array1::from_iter((0..LEN).map(of(seed)).map(|x| whole(x) as u8))),
            masks: [9, 10].map(|seed| Array1::from_iter((0..LEN).map(of(seed)).map(|x| x % 3 == 0))),
        }
    }

    /// The outputs of `build` at each level are those at the weakest; all NaN are one.
    #[track_caller]
    fn check(&self, build: impl for<'g> Fn(&Operands<'g>) -> Vec<(String, Expr<'g>)>) {
        let graph = Graph::new();
        let outputs = build(&Operands::new(&graph));
        let names: Vec<String> = outputs.iter().map(|(name, _)| name.clone()).collect();
        let mut plan = Plan::new(outputs).unwrap().threads(1);
        let mut expected: Option<Vec<Vec<u64>>> = None;
        for level in Level::all() {
            plan.level = level;
            let mut run = plan.bind();
            for i in [0, 1] {
                run = run.feed(format!("doubles {i}"), &self.doubles[i]);
                run = run.feed(format!("singles {i}"), &self.singles[i]);
                run = run.feed(format!("ints {i}"), &self.ints[i]);
                run = run.feed(format!("longs {i}"), &self.longs[i]);
                run = run.feed(format!("bytes {i}"), &self.bytes[i]);
                run = run.feed(format!("masks {i}"), &self.masks[i]);
            }
            let out = run.run().unwrap();
            let found: Vec<Vec<u64>> =
                names.iter().map(|name| to_bits(&out.value(name.as_str()).unwrap())).collect();
            let Some(expected) = &expected else {
                expected = Some(found);
                continue;
            };
            for (name, (found, expected)) in names.iter().zip(found.iter().zip(expected)) {
                let wrong = (0..expected.len()).find(|operand| found.get(*operand) != expected.get(*operand));
                assert_eq!(found.len(), expected.len(), "{name} at {level:?}");
                if let Some(operand) = wrong {
                    let (found, expected) = (found[operand], expected[operand]);
                    panic!("{name} at {level:?}: {found:#x} at {operand}, {expected:#x} at the weakest");
                }
            }
        }
    }
}

fn to_bits(value: &Value) -> Vec<u64> {
    match value {
        Value::Bool(array) => array.iter().map(|x| u64::from(*x)).collect(),
        Value::U8(array) => array.iter().map(|x| u64::from(*x)).collect(),
        Value::I32(array) => array.iter().map(|x| *x as u64).collect(),
        Value::I64(array) => array.iter().map(|x| *x as u64).collect(),
        Value::F32(array) => {
            array.iter().map(|x| if x.is_nan() { 1 } else { u64::from(x.to_bits()) << 1 }).collect()
        }
        Value::F64(array) => array.iter().map(|x| if x.is_nan() { 1 } else { x.to_bits() }).collect(),
    }
}

/// Two inputs of each dtype.
struct Operands<'g> {
    /// bool, u8, i32, i64, f32, f64.
    of: [(DType, [Expr<'g>; 2]); 6],
    masks: [Expr<'g>; 2],
}

impl<'g> Operands<'g> {
    fn new(graph: &'g Graph) -> Operands<'g> {
        let two = |name: &str, dtype: DType| {
            (dtype, [0, 1].map(|i| graph.input_of(&format!("{name} {i}"), dtype, [LEN])))
        };
        let masks = two("masks", DType::Bool);
        let of = [
            masks,
            two("bytes", DType::U8),
            two("ints", DType::I32),
            two("longs", DType::I64),
            two("singles", DType::F32),
            two("doubles", DType::F64),
        ];
        Operands { of, masks: masks.1 }
    }

    fn numbers(&self) -> impl Iterator<Item = (DType, [Expr<'g>; 2])> {
        self.of.into_iter().filter(|(dtype, _)| *dtype != DType::Bool)
    }

    fn floats(&self) -> impl Iterator<Item = (DType, [Expr<'g>; 2])> {
        self.of.into_iter().filter(|(dtype, _)| dtype.is_float())
    }
}

/// Names of outputs made of a name for the op and a dtype.
macro_rules! named {
    ($outputs:ident, $dtype:ident, $($name:ident: $expr:expr;)*) => {
        $($outputs.push((format!("{} of {}", stringify!($name), $dtype), $expr));)*
    };
}

#[test]
fn arithmetic_has_the_same_bits_at_every_level() {
    Inputs::new().check(|operands| {
        let mut outputs = Vec::new();
        for (dtype, [a, b]) in operands.numbers() {
            named! { outputs, dtype,
                add: a + b;
                sub: a - b;
                mul: a * b;
                minimum: a.minimum(b);
                maximum: a.maximum(b);
                neg: -a;
                abs: a.abs();
                sign: a.sign();
                relu: a.relu();
                square: a.square();
                fused: (a * b + a) * b - a;
            }
        }
        for (dtype, [a, b]) in operands.floats() {
            named! { outputs, dtype,
                div: a / b;
                atan2: a.atan2(b);
                pow: a.pow(b);
                floor_mod: a.floor_mod(b);
                floor_div: a.floor_div(b);
                rem_trunc: a.rem_trunc(b);
            }
        }
        outputs
    });
}

#[test]
fn elementary_functions_have_the_same_bits_at_every_level() {
    Inputs::new().check(|operands| {
        let mut outputs = Vec::new();
        for (dtype, [a, _]) in operands.floats() {
            for builder in Unary::BUILDERS {
                outputs.push((format!("{} of {dtype}", builder.name), (builder.build)(a)));
            }
        }
        outputs
    });
}

#[test]
fn casts_comparisons_and_choices_have_the_same_bits_at_every_level() {
    Inputs::new().check(|operands| {
        let mut outputs = Vec::new();
        let [m, p] = operands.masks;
        for (dtype, [a, b]) in operands.of {
            for (to, _) in operands.of {
                outputs.push((format!("cast of {dtype} to {to}"), a.cast(to)));
            }
            named! { outputs, dtype,
                eq: a.eq(b);
                ne: a.ne(b);
                lt: a.lt(b);
                le: a.le(b);
                gt: a.gt(b);
                ge: a.ge(b);
                is_nan: a.is_nan();
                is_finite: a.is_finite();
                is_inf: a.is_inf();
                chosen: where_(m, a, b);
            }
        }
        let dtype = DType::Bool;
        named! { outputs, dtype,
            and: m & p;
            or: m | p;
            xor: m ^ p;
            not: !m;
        }
        outputs
    });
}

/// The first elements, in rows.
fn as_table(x: Expr<'_>, rows: usize, columns: usize) -> Expr<'_> {
    x.slice([..(rows * columns) as i64]).reshape([rows, columns])
}

#[test]
fn reductions_have_the_same_bits_at_every_level() {
    Inputs::new().check(|operands| {
        let mut outputs = Vec::new();
        let [m, p] = operands.masks;
        // Rows, short rows, columns, and columns in panels.
        for (rows, columns) in [(1, LEN), (LEN, 1), (11, LEN / 11), (LEN / 11, 11), (2, LEN / 2)] {
            let table = |x| as_table(x, rows, columns);
            let mask = table(m);
            for (dtype, [a, _]) in operands.numbers() {
                let a = table(a);
                for (axes, name) in [(keep(..), "all"), (keep(0), "rows"), (keep(1), "columns")] {
                    let name = |op: &str| format!("{op} of {dtype} [{rows}, {columns}] over {name}");
                    outputs.push((name("sum"), a.sum(axes.clone())));
                    outputs.push((name("max"), a.max(axes.clone())));
                    outputs.push((name("min"), a.min(axes.clone())));
                    outputs.push((name("finite sum"), a.masked(a.is_finite()).sum(axes.clone())));
                    outputs.push((name("masked max"), a.masked(mask).initial(0).max(axes)));
                }
            }
            for (axes, name) in [(keep(..), "all"), (keep(0), "rows"), (keep(1), "columns")] {
                let name = |op: &str| format!("{op} [{rows}, {columns}] over {name}");
                outputs.push((name("any"), table(m & p).any(axes.clone())));
                outputs.push((name("all"), table(m | !m).all(axes.clone())));
                outputs.push((name("count"), mask.count_nonzero(axes)));
            }
        }
        outputs
    });
}

#[test]
fn selections_have_the_same_bits_at_every_level() {
    Inputs::new().check(|operands| {
        let mut outputs = Vec::new();
        let [m, p] = operands.masks;
        for (dtype, [a, b]) in operands.of {
            named! { outputs, dtype,
                few: a.boolean_mask(m & p);
                some: b.boolean_mask(m);
                most: a.boolean_mask(m | !p);
                none: a.boolean_mask(m & !m & p);
                every: b.boolean_mask(m | !m | p);
            }
        }
        outputs
    });
}

/// Products of integers wrap, in whatever order chunks and accumulators multiply.
#[test]
fn a_product_of_integers_wraps_as_from_left_to_right() {
    let graph = Graph::new();
    let x = graph.input::<i64>("x", dims!["n", 3]);
    let plan = Plan::new([("all", x.prod(..)), ("rows", x.prod(1)), ("columns", x.prod(0))]).unwrap();
    for len in [0, 1, 70_000] {
        let mut bits = bits(7);
        let values = Array2::from_shape_simple_fn((len, 3), || (bits() | 1) as i64);
        let product = |values: &mut dyn Iterator<Item = &i64>| values.fold(1_i64, |a, b| a.wrapping_mul(*b));
        let out = plan.feed("x", &values).run().unwrap();
        assert_eq!(out.scalar::<i64>("all").unwrap(), product(&mut values.iter()));
        let rows: Vec<i64> = values.rows().into_iter().map(|row| product(&mut row.iter())).collect();
        assert_eq!(out.view::<i64>("rows").unwrap(), Array1::from(rows).into_dyn());
        let columns: Vec<i64> = values.columns().into_iter().map(|row| product(&mut row.iter())).collect();
        assert_eq!(out.view::<i64>("columns").unwrap(), Array1::from(columns).into_dyn());
    }
}

#[test]
fn a_product_of_an_integer_that_repeats_is_a_power() {
    let graph = Graph::new();
    let x = graph.input::<i64>("x", dims![2]);
    let many = x.broadcast_to([40, 2]);
    let plan = Plan::new([("columns", many.prod(0)), ("sum", many.sum(..))]).unwrap();
    let out = plan.feed("x", &array![3_i64, -1]).run().unwrap();
    // 3⁴⁰ − 2⁶⁴.
    assert_eq!(out.view::<i64>("columns").unwrap(), array![-6_289_078_614_652_622_815_i64, 1].into_dyn());
    assert_eq!(out.scalar::<i64>("sum").unwrap(), 80);
}

/// Lengths about blocks, tiles and chunks.
const LENGTHS: [usize; 12] = [0, 1, 7, 63, 64, 65, 1023, 1024, 1025, 65_535, 65_537, 140_001];

/// What one loop computes has the bits of what the reference computes one after the other, at
/// every length, from arrays and scalars, and however the results are used.
#[test]
fn compound_functions_have_the_bits_of_single_ones_at_every_length() {
    let graph = Graph::new();
    for dtype in [DType::F32, DType::F64] {
        let [x, y] = ["x", "y"].map(|name| graph.input_of(&format!("{name} {dtype}"), dtype, dims!["n"]));
        let a = graph.input_of(&format!("a {dtype}"), dtype, dims![]);
        let m = graph.input_of(&format!("m {dtype}"), DType::Bool, dims!["n"]);
        let values = [
            x * a + y,
            a + x * y,
            (x - y) * a,
            (x + a) + y,
            (x - y) - a,
            a - x * y,
            y - (x + a),
            x * a + y - x,
            (x - a).square(),
            (x * y).square(),
            where_(x.gt(a), x, y),
            where_(x.le(y), a, y),
            where_(m, x * y, a),
            where_(m, x.square(), 0.0),
            where_(m, x - a, y),
            x * m.cast(dtype),
            m.cast(dtype) * y,
        ];
        let masks = [x.gt(a) & x.lt(y), x.ge(a) | y.le(x), x.lt(a) & y.ge(x), x.gt(y) | a.gt(x), x.gt(y) & m];
        let mut outputs = Vec::new();
        for (i, value) in values.into_iter().enumerate() {
            outputs.push((format!("value {i}"), value));
            outputs.push((format!("selected {i}"), value.boolean_mask(m)));
            outputs.push((format!("masked sum {i}"), where_(m, value, 0.0).sum(..)));
        }
        for (i, mask) in masks.into_iter().enumerate() {
            outputs.push((format!("mask {i}"), mask));
            outputs.push((format!("count {i}"), mask.count_nonzero(..)));
            outputs.push((format!("selected by {i}"), y.boolean_mask(mask)));
        }
        let names: Vec<String> = outputs.iter().map(|(name, _)| name.clone()).collect();
        let plan = Plan::new(outputs.clone()).unwrap().threads(1);
        let reference = Plan::new(outputs).unwrap().reference();
        for len in LENGTHS {
            let mut bits = bits(len as u64);
            let [x, y] = [0, 1].map(|_| Array1::from_shape_fn(len, |_| float(&mut bits)));
            let m = Array1::from_shape_fn(len, |i| (i * 7 + len) % 3 == 0);
            let run = |plan: &Plan| {
                let run = plan.bind().feed(format!("m {dtype}"), &m);
                if dtype == DType::F64 {
                    run.feed("x f64", &x).feed("y f64", &y).feed("a f64", 0.5_f64).run().unwrap()
                } else {
                    let [x, y] = [&x, &y].map(|x| x.mapv(|x| x as f32));
                    run.feed("x f32", x).feed("y f32", y).feed("a f32", 0.5_f32).run().unwrap()
                }
            };
            let (found, expected) = (run(&plan), run(&reference));
            for name in &names {
                let [found, expected] =
                    [&found, &expected].map(|out| to_bits(&out.value(name.as_str()).unwrap()));
                // The reference adds from left to right, and the machine to many accumulators.
                if !name.starts_with("masked sum") {
                    assert_eq!(found, expected, "{name} of {dtype}, {len} elements");
                }
            }
        }
    }
}

#[test]
fn a_tile_is_complete_blocks_and_no_longer_than_its_domain_needs() {
    let few = [0, 0, 0, 0, 0, 2];
    let lengths = [0, 1, 64, 65, 1000, 1024, 1025, usize::MAX];
    assert_eq!(lengths.map(|len| super::tile_len(&few, len)), [64, 64, 64, 128, 1024, 1024, 1024, 1024]);
    let many = [0, 0, 0, 0, 0, 1 << 20];
    assert_eq!(super::tile_len(&many, usize::MAX), 64);
}

/// What a row is computed from, of a table of floats, a mask of its shape and one of its columns.
type OfRows = for<'g> fn([Expr<'g>; 3]) -> Vec<Expr<'g>>;

/// Regions that run row by row give the bits of regions that run one after the other, on any
/// number of threads: of few and of many rows, and of rows too long for that.
#[test]
fn rows_in_cache_have_the_bits_of_whole_passes() {
    let programs: [OfRows; 7] = [
        |[x, ..]| vec![x.softmax(1)],
        |[x, ..]| vec![x.log_softmax(1), x.max(keep(1))],
        |[x, mask, _]| vec![x.masked(mask).softmax(1), x.masked(mask).log_softmax(1)],
        |[x, _, columns]| vec![x.masked(columns.unsqueeze(0)).softmax(1)],
        |[x, ..]| {
            let centred = x - x.mean(keep(1));
            vec![centred / (centred.square().mean(keep(1)) + 1e-3).sqrt()]
        },
        // Shares that others read as well, and sums without their axis.
        |[x, ..]| vec![x.exp() / x.exp().sum(keep(1)), x.exp().sum(1) * 2.0, x.exp()],
        |[x, mask, _]| {
            let share = x / x.sum(keep(1));
            vec![share.max(1), (share * mask.cast(x.dtype())).sum(1), share.exp().sum(keep(1))]
        },
    ];
    let lengths =
        [[1, 1], [5, 0], [0, 5], [3, 7], [64, 65], [300, 1000], [40_000, 3], [3, 40_001], [2, 70_000]];
    for dtype in [DType::F32, DType::F64] {
        for (number, program) in programs.iter().enumerate() {
            let graph = Graph::new();
            let x = graph.input_of("x", dtype, dims!["n", "m"]);
            let mask = graph.input_of("mask", DType::Bool, dims!["n", "m"]);
            let columns = graph.input_of("columns", DType::Bool, dims!["m"]);
            let outputs = program([x, mask, columns]).into_iter().enumerate();
            let outputs: Vec<(String, Expr<'_>)> = outputs.map(|(i, y)| (format!("{i}"), y)).collect();
            let plans = || Plan::new(outputs.clone()).unwrap();
            let mut whole = plans().threads(1);
            assert!(!whole.executable.program.rows.is_empty(), "program {number}");
            whole.executable.program.rows.clear();
            for [n, m] in lengths {
                let mut bits = bits((n + m) as u64);
                let x = Array2::from_shape_fn((n, m), |_| float(&mut bits));
                let mask = Array2::from_shape_fn((n, m), |(i, j)| (i * 7 + j) % 3 == 0);
                let columns = Array1::from_shape_fn(m, |j| j % 5 != 0);
                let run = |plan: &Plan| {
                    let run = plan.bind().feed("mask", &mask).feed("columns", &columns);
                    let out = if dtype == DType::F64 {
                        run.feed("x", &x).run()
                    } else {
                        run.feed("x", x.mapv(|x| x as f32)).run()
                    };
                    let out = out.map_err(|error| error.to_string())?;
                    Ok(outputs.iter().map(|(name, _)| to_bits(&out.value(name.as_str()).unwrap())).collect())
                };
                let expected: Result<Vec<Vec<u64>>, String> = run(&whole);
                for threads in [1, 3] {
                    let found = run(&plans().threads(threads));
                    assert!(found == expected, "program {number} of {dtype} [{n}, {m}], {threads} threads");
                }
            }
        }
    }
}

/// Nothing but the result is as long as the table, whatever is computed on the way.
#[test]
fn rows_in_cache_take_the_memory_of_their_result() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n", "m"]);
    let (rows, columns) = (3000, 700);
    let table = Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 31 + j * 17) % 101) as f32 / 7.0);
    let limit = rows * columns * 4 + (1 << 20);
    let plan = Plan::new([("y", x.softmax(1))]).unwrap().threads(2).memory_limit(limit);
    let out = plan.feed("x", &table).run().unwrap();
    let sums = out.view::<f32>("y").unwrap().sum_axis(ndarray::Axis(1));
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5));
}

/// An element of a later row that a region refuses is the error of the stages one after the other.
#[test]
fn a_refused_row_is_the_error_of_the_whole_pass() {
    let graph = Graph::new();
    let x = graph.input::<i64>("x", dims!["n", "m"]);
    let shares = (x * 100).floor_div(x.sum(keep(1)));
    let plan = Plan::new([("y", shares + shares.max(keep(1)))]).unwrap();
    assert!(!plan.executable.program.rows.is_empty());
    let mut table = Array2::from_elem((40_000, 3), 2_i64);
    assert_eq!(plan.feed("x", &table).run().unwrap().view::<i64>("y").unwrap()[[39_999, 2]], 66);
    table[[30_001, 1]] = -4;
    let error = plan.feed("x", &table).run().unwrap_err().to_string();
    assert!(error.contains("[30001, 0]"), "{error}");
}
