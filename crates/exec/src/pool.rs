//! Memory that runs of a plan hand on to one another. Knows no op.

use std::sync::{Mutex, PoisonError};

use ndarray::{ArcArray, IxDyn};
use tamis_graph::Value;

use crate::raw::Zero;

/// From this size on, memory is kept: below, the allocator is as fast.
const KEPT: usize = 32 << 10;

/// How many lists of one type are kept.
const LISTS: usize = 16;

/// Lists that were allocated by a run and are in use no more. Their pages are
/// there already, which for a large result takes longer than computing it.
#[derive(Default)]
pub(crate) struct Pool {
    lists: Mutex<Lists>,
}

/// The lists of each type, the longest unused first.
#[derive(Default)]
pub(crate) struct Lists {
    bool: Vec<Vec<bool>>,
    u8: Vec<Vec<u8>>,
    i32: Vec<Vec<i32>>,
    i64: Vec<Vec<i64>>,
    u64: Vec<Vec<u64>>,
    u128: Vec<Vec<u128>>,
    usize: Vec<Vec<usize>>,
    f32: Vec<Vec<f32>>,
    f64: Vec<Vec<f64>>,
}

/// Elements of which there are lists in a pool.
pub(crate) trait Pooled: Zero {
    fn lists_of(lists: &mut Lists) -> &mut Vec<Vec<Self>>;
}

macro_rules! pooled {
    ($($ty:ident),*) => {$(
        impl Pooled for $ty {
            fn lists_of(lists: &mut Lists) -> &mut Vec<Vec<$ty>> {
                &mut lists.$ty
            }
        }
    )*};
}

pooled!(bool, u8, i32, i64, u64, u128, usize, f32, f64);

impl Pool {
    /// A list of at least `len` elements that mean nothing, if one is there that is not much longer.
    pub(crate) fn take<T: Pooled>(&self, len: usize) -> Option<Vec<T>> {
        if len * size_of::<T>() < KEPT {
            return None;
        }
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let lists = T::lists_of(&mut lists);
        let fitting =
            lists.iter().enumerate().filter(|(_, list)| (len..=len.saturating_mul(2)).contains(&list.len()));
        let (place, _) = fitting.min_by_key(|(_, list)| list.len())?;
        Some(lists.remove(place))
    }

    /// Keeps a list for later runs.
    pub(crate) fn give<T: Pooled>(&self, list: Vec<T>) {
        if list.len() * size_of::<T>() < KEPT {
            return;
        }
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let lists = T::lists_of(&mut lists);
        if lists.len() == LISTS {
            lists.remove(0);
        }
        lists.push(list);
    }

    /// Keeps the elements of an array, unless somebody else still reads them.
    pub(crate) fn give_array<T: Pooled>(&self, array: ArcArray<T, IxDyn>) {
        if let Ok(array) = array.try_into_owned_nocopy() {
            self.give(array.into_raw_vec_and_offset().0);
        }
    }

    /// Keeps the elements of a value, unless somebody else still reads them.
    pub(crate) fn give_value(&self, value: Value) {
        match value {
            Value::Bool(array) => self.give_array(array),
            Value::U8(array) => self.give_array(array),
            Value::I32(array) => self.give_array(array),
            Value::I64(array) => self.give_array(array),
            Value::F32(array) => self.give_array(array),
            Value::F64(array) => self.give_array(array),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_serves_lengths_up_to_its_own() {
        let pool = Pool::default();
        pool.give(vec![0_u8; KEPT * 2]);
        assert!(pool.take::<u8>(KEPT * 2 + 1).is_none());
        assert!(pool.take::<f32>(KEPT).is_none());
        assert_eq!(pool.take::<u8>(KEPT).unwrap().len(), KEPT * 2);
        assert!(pool.take::<u8>(KEPT).is_none());
    }

    #[test]
    fn short_lists_and_too_many_are_let_go() {
        let pool = Pool::default();
        pool.give(vec![0_u8; KEPT - 1]);
        assert!(pool.lists.lock().unwrap().u8.is_empty());
        (0..LISTS + 3).for_each(|_| pool.give(vec![0_u8; KEPT]));
        assert_eq!(pool.lists.lock().unwrap().u8.len(), LISTS);
    }

    #[test]
    fn an_array_that_is_shared_is_not_taken() {
        let pool = Pool::default();
        let array = ndarray::ArrayD::<f64>::zeros(vec![KEPT]).into_shared();
        pool.give_array(array.clone());
        assert!(pool.take::<f64>(KEPT).is_none());
        pool.give_array(array);
        assert!(pool.take::<f64>(KEPT).is_some());
    }
}
