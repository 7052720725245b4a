//! How columns of numbers become few bytes: varints of differences, runs, and decimals that are exact.
//!
//! Reading trusts nothing: every length is checked and no input can make it panic; the caller bounds
//! how many numbers a column may have. Knows nothing of readings.

/// What is wrong with bytes that can't be read back.
pub(super) type Damage = &'static str;
type Read<T> = Result<T, Damage>;

/// Marks a column of numbers that are no short decimals and stand as eight bytes each.
const PLAIN: u8 = 255;
const POWERS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/// Whole numbers up to here have one exact float each.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// How a column of whole numbers is expected to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trend {
    /// Around where it was: differences are written.
    Level,
    /// On with the same step, as a clock does: differences of differences are written.
    Steady,
}

/// Seven bits a byte, the low ones first.
pub(super) fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Whole numbers. A difference of zero is followed by how many more zeros come.
pub(super) fn put_ints(out: &mut Vec<u8>, trend: Trend, numbers: impl IntoIterator<Item = i64>) {
    let (mut last, mut step, mut zeros) = (0_i64, 0_i64, 0_u64);
    for (i, n) in numbers.into_iter().enumerate() {
        let difference = n.wrapping_sub(last);
        let off = difference.wrapping_sub(step);
        if trend == Trend::Steady && i > 0 {
            step = difference;
        }
        last = n;
        if off == 0 {
            zeros += 1;
            continue;
        }
        end_zeros(out, &mut zeros);
        // Zigzag: small numbers of either sign become small ones without.
        put_varint(out, ((off << 1) ^ (off >> 63)) as u64);
    }
    end_zeros(out, &mut zeros);
}

fn end_zeros(out: &mut Vec<u8>, zeros: &mut u64) {
    if *zeros > 0 {
        out.push(0);
        put_varint(out, *zeros - 1);
        *zeros = 0;
    }
}

/// Values that seldom change: each with the number of times that it stands.
pub(super) fn put_runs(out: &mut Vec<u8>, values: impl IntoIterator<Item = u64>) {
    let mut run: Option<(u64, u64)> = None;
    for value in values {
        run = match run {
            Some((v, times)) if v == value => Some((v, times + 1)),
            other => {
                end_run(out, other);
                Some((value, 1))
            }
        };
    }
    end_run(out, run);
}

fn end_run(out: &mut Vec<u8>, run: Option<(u64, u64)>) {
    if let Some((value, times)) = run {
        put_varint(out, value);
        put_varint(out, times);
    }
}

/// Finite floats, bit for bit: as whole numbers of the smallest decimal unit that is exact for all
/// of them, or plain.
pub(super) fn put_floats(out: &mut Vec<u8>, numbers: &[f64]) {
    match decimal(numbers) {
        Some((places, whole)) => {
            out.push(places);
            put_ints(out, Trend::Level, whole);
        }
        None => {
            out.push(PLAIN);
            numbers.iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
        }
    }
}

fn decimal(numbers: &[f64]) -> Option<(u8, Vec<i64>)> {
    let mut places = 0;
    for &n in numbers {
        while scaled(n, *POWERS.get(places)?).is_none() {
            places += 1;
        }
    }
    // A number that was exact with fewer places nearly always is with more, but only this proves it.
    let power = POWERS[places];
    let whole = numbers.iter().map(|&n| scaled(n, power)).collect::<Option<_>>()?;
    Some((u8::try_from(places).ok()?, whole))
}

fn scaled(n: f64, power: f64) -> Option<i64> {
    let units = n * power;
    if units.abs() >= EXACT {
        return None;
    }
    let whole = (units + 0.5_f64.copysign(units)) as i64;
    ((whole as f64 / power).to_bits() == n.to_bits()).then_some(whole)
}

/// Reads what the functions above wrote.
#[derive(Debug)]
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> Read<u8> {
        let (&first, rest) = self.0.split_first().ok_or("it ends too early")?;
        self.0 = rest;
        Ok(first)
    }

    pub(super) fn bytes(&mut self, length: u64) -> Read<&'a [u8]> {
        let length = usize::try_from(length).map_err(|_| "a length is impossible")?;
        let (head, rest) = self.0.split_at_checked(length).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn varint(&mut self) -> Read<u64> {
        let mut n = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err("a number is too long")
    }

    pub(super) fn ints(&mut self, trend: Trend, count: usize) -> Read<Vec<i64>> {
        let mut numbers = Vec::with_capacity(count);
        let (mut last, mut step, mut zeros) = (0_i64, 0_i64, 0_u64);
        while numbers.len() < count {
            let off = if zeros > 0 {
                zeros -= 1;
                0
            } else {
                let n = self.varint()?;
                if n == 0 {
                    zeros = self.varint()?;
                }
                (n >> 1) as i64 ^ -((n & 1) as i64)
            };
            let difference = off.wrapping_add(step);
            if trend == Trend::Steady && !numbers.is_empty() {
                step = difference;
            }
            last = last.wrapping_add(difference);
            numbers.push(last);
        }
        if zeros == 0 { Ok(numbers) } else { Err("a run is too long") }
    }

    pub(super) fn runs(&mut self, count: usize) -> Read<Vec<u64>> {
        let mut values = Vec::with_capacity(count);
        while values.len() < count {
            let (value, times) = (self.varint()?, self.varint()?);
            let left = count - values.len();
            let times = usize::try_from(times).ok().filter(|t| (1..=left).contains(t)).ok_or("a run is too long")?;
            values.resize(values.len() + times, value);
        }
        Ok(values)
    }

    pub(super) fn floats(&mut self, count: usize) -> Read<Vec<f64>> {
        match self.byte()? {
            PLAIN => {
                let bytes = self.bytes(count as u64 * 8)?;
                Ok(bytes.as_chunks().0.iter().map(|&eight| f64::from_le_bytes(eight)).collect())
            }
            places => {
                let power = *POWERS.get(usize::from(places)).ok_or("a number of decimals is unknown")?;
                Ok(self.ints(Trend::Level, count)?.into_iter().map(|n| n as f64 / power).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn floats_back(numbers: &[f64]) -> (Vec<u64>, usize) {
        let mut out = vec![];
        put_floats(&mut out, numbers);
        let mut reader = Reader(&out);
        let back = reader.floats(numbers.len()).unwrap();
        assert!(reader.is_empty());
        (back.into_iter().map(f64::to_bits).collect(), out.len())
    }

    #[test]
    fn short_decimals_take_a_byte_or_two_and_come_back_bit_for_bit() {
        let numbers: Vec<f64> = (0..1000_i32).map(|i| f64::from(700 + i % 13) / 100.0).collect();
        let (bits, size) = floats_back(&numbers);
        assert_eq!(bits, numbers.iter().map(|n| n.to_bits()).collect::<Vec<_>>());
        assert!(size < 1010, "{size}");
    }

    #[test]
    fn what_is_no_short_decimal_comes_back_all_the_same() {
        let hard = [-0.0, 0.0, 1.0 / 3.0, f64::MIN_POSITIVE, f64::MAX, -1e300, 9_007_199_254_740_993.0];
        assert_eq!(floats_back(&hard).0, hard.map(f64::to_bits));
        for one in hard {
            assert_eq!(floats_back(&[one]).0, [one.to_bits()]);
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_come_back(numbers: Vec<i64>, small in prop::collection::vec(-2_i64..3, 0..40)) {
            for column in [numbers, small] {
                for trend in [Trend::Level, Trend::Steady] {
                    let mut out = vec![];
                    put_ints(&mut out, trend, column.iter().copied());
                    let mut reader = Reader(&out);
                    prop_assert_eq!(&reader.ints(trend, column.len()).unwrap(), &column);
                    prop_assert!(reader.is_empty());
                }
            }
        }

        #[test]
        fn runs_come_back(values in prop::collection::vec(0_u64..3, 0..50)) {
            let mut out = vec![];
            put_runs(&mut out, values.iter().copied());
            prop_assert_eq!(Reader(&out).runs(values.len()).unwrap(), values);
        }

        #[test]
        fn floats_come_back(bits: Vec<u64>, cents in prop::collection::vec(-99_999_i32..99_999, 0..50)) {
            let wild: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
            let tame: Vec<f64> = cents.into_iter().map(|c| f64::from(c) / 100.0).collect();
            for numbers in [wild, tame] {
                prop_assert_eq!(floats_back(&numbers).0, numbers.iter().map(|n| n.to_bits()).collect::<Vec<_>>());
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes: Vec<u8>, count in 0_usize..2000) {
            let _ = Reader(&bytes).ints(Trend::Steady, count);
            let _ = Reader(&bytes).runs(count);
            let _ = Reader(&bytes).floats(count);
        }
    }
}
