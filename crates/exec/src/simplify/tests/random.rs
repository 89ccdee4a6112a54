//! Programs that nobody would write: they and their simplest forms give the same
//! results.

use tamis_graph::{DType, Expr, Graph, keep, where_};

use super::{Inputs, check_runs, simple};

/// A linear congruential generator (Knuth's constants); its high bits are good enough.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn of<'g>(&mut self, pool: &[Expr<'g>]) -> Expr<'g> {
        // Mostly what is new, so that programs grow deep.
        let back = self.below(pool.len()).min(self.below(pool.len()));
        pool[pool.len() - 1 - back]
    }
}

/// Tensors to go on with: floats, integers and masks, all `[n]`, and floats `[n, 3]`.
struct Pools<'g> {
    floats: Vec<Expr<'g>>,
    integers: Vec<Expr<'g>>,
    masks: Vec<Expr<'g>>,
    tables: Vec<Expr<'g>>,
}

fn grow<'g>(pools: &mut Pools<'g>, random: &mut Random) {
    let (x, y, m) = (random.of(&pools.floats), random.of(&pools.floats), random.of(&pools.masks));
    let (i, j, k) = (random.of(&pools.integers), random.of(&pools.integers), random.of(&pools.masks));
    let literal = [0.0, -0.0, 1.0, 2.0, -1.0][random.below(5)];
    let kept = |x: Expr<'g>| x.boolean_mask(m);
    let (table, other) = (random.of(&pools.tables), random.of(&pools.tables));
    match random.below(44) {
        0 => pools.floats.push(x + y),
        1 => pools.floats.push(literal * x),
        2 => pools.floats.push(x - literal),
        3 => pools.floats.push((-x).abs()),
        4 => pools.floats.push(where_(m, x, y)),
        5 => pools.floats.push(where_(!m, x, literal)),
        6 => pools.floats.push(where_(m, where_(m, x, y), literal)),
        7 => pools.floats.push(kept(x * 2.0 + y).unmask(m, literal)),
        8 => pools.floats.push((kept(x) - kept(y)).unmask(m, x)),
        9 => pools.floats.push(x.masked_assign(m, kept(y) / literal)),
        10 => pools.floats.push(x.scatter_nd_set(m.argwhere(), y.gather(m.flatnonzero(), 0))),
        11 => pools.floats.push(x - kept(y).sum(..)),
        12 => pools.floats.push(x * kept(y).mean(..)),
        13 => pools.floats.push(x + y.masked(m).max(..)),
        14 => pools.floats.push(kept(x).sort(0).unmask(m, literal) + y),
        15 => pools.floats.push(where_(k, x, kept(x).boolean_mask(kept(k)).sum(..))),
        16 => pools.floats.push(i.cast(DType::F64) + m.cast(DType::U8).cast(DType::F64)),
        17 => pools.floats.push(x.gather(i, 0)),
        18 => pools.floats.push(x.unsqueeze(1).broadcast_to([x.dim(0), 2.into()]).exp().sum(1)),
        19 => pools.integers.push(i * m + (i * 0)),
        20 => pools.integers.push(i.floor_div(j)),
        21 => pools.integers.push(i - kept(j).sum(..).cast(DType::I32)),
        22 => pools.integers.push(where_(m, i, literal as i32 as i64)),
        23 => pools.integers.push(kept(i * 1).unmask(m, 0) + (m & k).count_nonzero(..).cast(DType::I32)),
        24 => pools.masks.push(x.gt(y)),
        25 => pools.masks.push(kept(x).gt(literal).unmask(m, false)),
        26 => pools.masks.push(m & !k),
        27 => pools.masks.push(kept(k).any(..) | m),
        28 => pools.masks.push(where_(m, k, literal > 0.0)),
        29 => pools.masks.push(i.ge(j) | kept(x).is_nan().all(..)),
        30 => pools.masks.push(kept(table).gt(0.5).all(1).unmask(m, false)),
        31 => pools.floats.push((table.sum(1) * literal).cast(DType::F64)),
        32 => pools.floats.push(x - kept(table).sum(..).cast(DType::F64)),
        33 => pools.floats.push(x + table.boolean_mask(table.gt(other)).mean(..).cast(DType::F64)),
        34 => pools.tables.push(table + other),
        35 => pools.tables.push(where_(m.unsqueeze(1), table, literal)),
        36 => pools.tables.push(table * x.cast(DType::F32).unsqueeze(1)),
        37 => pools.tables.push((kept(table) - other.masked(m).mean(0)).unmask(m, other)),
        38 => pools.tables.push(table - kept(other).mean(keep(0))),
        39 => pools.tables.push(table + table.transpose().boolean_mask_axis(m, 1).prod(1)),
        40 => pools.tables.push(table.masked_assign(m, kept(other * literal))),
        41 => pools
            .tables
            .push(table.flatten().boolean_mask(other.gt(0.0).flatten()).unmask(other.gt(0.0), other)),
        42 => pools.tables.push(table + x.cast(DType::F32).unsqueeze(1).broadcast_to(table.shape()).sum(0)),
        _ => pools.tables.push(table.maximum(kept(other).gt(literal).any(0).cast(DType::F32))),
    }
}

#[test]
fn random_programs_keep_their_bits_and_errors() {
    let mut rewritten = 0;
    for seed in 0..200 {
        let graph = Graph::new();
        let inputs = Inputs::new(&graph);
        let mut pools = Pools {
            floats: vec![inputs.x, inputs.y],
            integers: vec![inputs.i, inputs.j],
            masks: vec![inputs.a, inputs.b],
            tables: vec![inputs.rows],
        };
        let mut random = Random(seed);
        for _ in 0..4 + random.below(25) {
            grow(&mut pools, &mut random);
        }
        graph.check().unwrap();
        let mask = random.of(&pools.masks);
        let float = random.of(&pools.floats);
        for root in
            [float, float.boolean_mask(mask), random.of(&pools.integers), mask, random.of(&pools.tables)]
        {
            rewritten += usize::from(simple(root).id() != root.id());
            // Of several errors another may come first; a plan reports the user's
            // first.
            check_runs(root, |_| ());
        }
    }
    assert!(rewritten > 500, "{rewritten} of 1000 programs were rewritten");
}
