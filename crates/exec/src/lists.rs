//! A list of numbers for each of many things, all in one array. Knows not what the numbers mean.

/// The lists of the things 0, 1, 2, … Most are short, and one may be as long as all others
/// together: so they take two allocations, whatever their lengths.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lists {
    /// Where the list of each thing starts, and where the last one ends.
    bounds: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// No list yet.
    pub(crate) fn new() -> Lists {
        Lists { bounds: vec![0], items: Vec::new() }
    }

    /// The lists of `count` things, from pairs of a thing and an item, which `visit` calls its
    /// argument with, twice in the same order. A list has the order of its pairs (counting sort).
    pub(crate) fn grouped(count: usize, visit: impl Fn(&mut dyn FnMut(usize, usize))) -> Lists {
        let mut bounds = vec![0; count + 1];
        visit(&mut |thing, _| bounds[thing + 1] += 1);
        for thing in 0..count {
            bounds[thing + 1] += bounds[thing];
        }
        let mut items = vec![0; bounds[count] as usize];
        // Where the next item of each thing goes: in the end, where the next list starts.
        visit(&mut |thing, item| {
            items[bounds[thing] as usize] = item as u32;
            bounds[thing] += 1;
        });
        bounds.rotate_right(1);
        bounds[0] = 0;
        Lists { bounds, items }
    }

    /// Adds the list of the next thing.
    pub(crate) fn push(&mut self, items: impl IntoIterator<Item = usize>) {
        self.items.extend(items.into_iter().map(|item| item as u32));
        self.bounds.push(self.items.len() as u32);
    }

    pub(crate) fn get(&self, thing: usize) -> impl ExactSizeIterator<Item = usize> + '_ {
        let range = self.bounds[thing] as usize..self.bounds[thing + 1] as usize;
        self.items[range].iter().map(|item| *item as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_the_order_of_their_pairs() {
        let pairs = [(2, 7), (0, 5), (2, 6), (2, 7)];
        let grouped = Lists::grouped(4, |visit| pairs.iter().for_each(|(thing, item)| visit(*thing, *item)));
        let mut pushed = Lists::new();
        [&[5][..], &[], &[7, 6, 7], &[]].iter().for_each(|list| pushed.push(list.iter().copied()));
        assert_eq!(grouped, pushed);
        assert_eq!(grouped.get(2).collect::<Vec<_>>(), [7, 6, 7]);
        assert_eq!(grouped.get(3).len(), 0);
    }
}
