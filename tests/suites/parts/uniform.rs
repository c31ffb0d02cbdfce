//! Whether counts are those of a fair draw.

/// Chi-squared values that a fair draw exceeds once in a thousand times (`SciPy`'s
/// `chi2.ppf(0.999, df)`), for 9, 999 and 54 degrees of freedom.
pub(crate) const ONE_IN_A_THOUSAND: [f64; 3] = [27.877, 1142.848, 91.872];

/// How far the counts of things that are to be equally likely are from being the same.
pub(crate) fn chi_squared(counts: &[u32]) -> f64 {
    let all: u32 = counts.iter().sum();
    let expected = f64::from(all) / f64::from(u32::try_from(counts.len()).expect("a few"));
    let square = |count: &u32| (f64::from(*count) - expected).powi(2) / expected;
    counts.iter().map(square).sum()
}
