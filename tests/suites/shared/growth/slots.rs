//! How evenly records lie over the slots of Redis Cluster.

use super::{long, record_keys};

/// The adapter's own file, so that the names counted here are those that it writes.
#[path = "../../../../adapters/redis/src/row.rs"]
mod row;

/// Nodes of a cluster, each with its part of the slots, one after the other.
const CLUSTERS: [usize; 4] = [3, 6, 12, 48];

#[test]
fn records_lie_over_the_slots_as_evenly_as_chance() {
    let records = if long() { 10_000_000 } else { 1_000_000 };
    let mut slots = vec![0_u32; usize::from(row::SLOTS)];
    for key in record_keys(records) {
        slots[usize::from(row::slot(&row::name(key)))] += 1;
    }
    let all = f64::from(row::SLOTS);
    let mean = slots.iter().copied().map(f64::from).sum::<f64>() / all;
    let squares = slots.iter().map(|n| (f64::from(*n) - mean).powi(2));
    let deviation = (squares.sum::<f64>() / all).sqrt();
    let (least, most) = (slots.iter().min().unwrap(), slots.iter().max().unwrap());
    println!(
        "{records} records over {all} slots: {least} to {most}, mean {mean:.2}, standard \
         deviation {deviation:.2}; Poisson: {:.2}",
        mean.sqrt()
    );
    for nodes in CLUSTERS {
        by_node(&slots, nodes);
    }
    // Chi squared, with 16,383 degrees of freedom, has that mean and this deviation.
    let chi = all * deviation.powi(2) / mean;
    let off = (chi - (all - 1.0)) / (2.0 * (all - 1.0)).sqrt();
    println!("chi squared {chi:.0}: {off:.2} deviations from chance");
    assert!(off.abs() < 4.0, "{off:.2} deviations from chance");
    let far = (f64::from(*most) - mean).max(mean - f64::from(*least)) / mean.sqrt();
    assert!(far < 6.0, "a slot lies {far:.2} deviations from the mean");
}

fn by_node(slots: &[u32], nodes: usize) {
    let shares: Vec<u32> = (0..nodes)
        .map(|n| {
            let part = n * slots.len() / nodes..(n + 1) * slots.len() / nodes;
            slots[part].iter().sum()
        })
        .collect();
    let even = shares.iter().sum::<u32>() / u32::try_from(nodes).expect("a few nodes");
    let least = shares.iter().min().expect("a node");
    let most = shares.iter().max().expect("a node");
    let percent = |share: u32| (f64::from(share) / f64::from(even) - 1.0) * 100.0;
    println!(
        "  {nodes} nodes: {least} to {most}, {:+.2} % to {:+.2} % of an even share",
        percent(*least),
        percent(*most)
    );
}
