//! Requests that nobody would write. They are made from good ones and from the corpus
//! of the fuzzers, and the same seed makes the same ones.

use fastrand::Rng;

/// What is inserted into a request: NUL, pieces of UTF-8 and of formats, brackets,
/// escapes, line ends.
const FRAGMENTS: &[&[u8]] = &[
    b"\0",
    b"\0\0\0\0",
    b"\xff\xfe",
    b"\xc3",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\xed\xa0\x80",
    "\u{e4}\u{20ac}\u{1f600}".as_bytes(),
    b"%s%n%x%p",
    b"\\u0000",
    b"\\ud800",
    b"\\\"",
    b"\"",
    b"{",
    b"}",
    b"[[[[",
    b"]",
    b":",
    b"::",
    b",",
    b"\n",
    b"\r\n\r\n",
    b"\\",
    b"'",
    b"\t ",
    b"$(",
];

/// Numbers that are near a limit.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "127",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "-2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775809",
    "18446744073709551616",
    "1e400",
    "0.000000000000000000000000001",
    "00000000000000000000000000000000000000000007",
    "0x7fffffff",
];

/// The lengths of blocks that are repeated or inserted to make a request huge.
const HUGE: [usize; 5] = [1 << 10, 4 << 10, 16 << 10, 60 << 10, 1 << 20];

/// Makes requests out of those that it was given.
pub(crate) struct Mutator {
    seeds: Vec<Vec<u8>>,
    longest: usize,
    rng: Rng,
}

impl Mutator {
    /// A mutator of `seeds`, of which there must be at least one. It makes no request
    /// that is longer than `longest`.
    pub(crate) fn new(seeds: Vec<Vec<u8>>, longest: usize, seed: u64) -> Self {
        assert!(!seeds.is_empty(), "something to start from");
        Self {
            seeds,
            longest,
            rng: Rng::with_seed(seed),
        }
    }

    /// The source of all that is random.
    pub(crate) fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// One of the seeds, unchanged.
    pub(crate) fn good(&mut self) -> Vec<u8> {
        let mut request = self.seeds[self.rng.usize(..self.seeds.len())].clone();
        request.truncate(self.longest);
        request
    }

    /// The next request. Some are left unchanged, most are changed at one to four
    /// places.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let request = self.good();
        match self.rng.u8(..8) {
            0 => request,
            _ => self.changed(request),
        }
    }

    /// The request, changed at one to four places.
    pub(crate) fn changed(&mut self, mut request: Vec<u8>) -> Vec<u8> {
        for _ in 0..self.rng.usize(1..=4) {
            self.change(&mut request);
        }
        request.truncate(self.longest);
        request
    }

    fn change(&mut self, request: &mut Vec<u8>) {
        match self.rng.u8(..32) {
            0..=6 => self.flip(request),
            7..=9 => self.cut(request),
            10..=12 => self.remove(request),
            13..=15 => self.splice(request),
            16..=17 => self.repeat(request),
            18..=21 => self.other_number(request),
            22..=24 => self.other_length(request),
            25..=29 => self.insert(request),
            30 => self.exchange(request),
            _ => self.swell(request),
        }
    }

    /// Inverts bits.
    fn flip(&mut self, request: &mut [u8]) {
        if request.is_empty() {
            return;
        }
        for _ in 0..self.rng.usize(1..=4) {
            let at = self.rng.usize(..request.len());
            request[at] ^= 1 << self.rng.u8(..8);
        }
    }

    fn cut(&mut self, request: &mut Vec<u8>) {
        let len = self.rng.usize(..=request.len());
        request.truncate(len);
    }

    fn remove(&mut self, request: &mut Vec<u8>) {
        let (start, end) = self.block(request.len(), 64);
        request.drain(start..end);
    }

    /// Joins the start of this request and the end of another.
    fn splice(&mut self, request: &mut Vec<u8>) {
        self.cut(request);
        let other = self.good();
        let from = self.rng.usize(..=other.len());
        request.extend_from_slice(&other[from..]);
    }

    fn repeat(&mut self, request: &mut Vec<u8>) {
        let (start, end) = self.block(request.len(), 64);
        // Repetitions are often few and seldom many.
        let most = self.rng.u32(1..12);
        let times = 1 << self.rng.u32(..most);
        let room = self.longest.saturating_sub(request.len());
        let times = times.min(room / (end - start).max(1));
        let block = request[start..end].repeat(times);
        request.splice(end..end, block);
    }

    /// Replaces a number that is written in digits.
    fn other_number(&mut self, request: &mut Vec<u8>) {
        let starts: Vec<usize> = (0..request.len())
            .filter(|&at| request[at].is_ascii_digit())
            .filter(|&at| at == 0 || !request[at - 1].is_ascii_digit())
            .collect();
        let Some(&start) = self.rng.choice(&starts) else {
            return;
        };
        let digits = request[start..].iter().take_while(|it| it.is_ascii_digit());
        let end = start + digits.count();
        let number = NUMBERS[self.rng.usize(..NUMBERS.len())];
        request.splice(start..end, number.bytes());
    }

    /// Replaces one to four bytes by a number near a limit, because binary formats
    /// write lengths so.
    fn other_length(&mut self, request: &mut [u8]) {
        let (start, end) = self.block(request.len(), 4);
        let number: u32 = match self.rng.u8(..5) {
            0 => 0,
            1 => u32::MAX,
            2 => i32::MAX as u32,
            3 => request.len() as u32 + 1,
            _ => self.rng.u32(..),
        };
        let bytes = number.to_be_bytes();
        request[start..end].copy_from_slice(&bytes[4 - (end - start)..]);
    }

    fn insert(&mut self, request: &mut Vec<u8>) {
        let at = self.rng.usize(..=request.len());
        let fragment = FRAGMENTS[self.rng.usize(..FRAGMENTS.len())];
        request.splice(at..at, fragment.iter().copied());
    }

    fn exchange(&mut self, request: &mut [u8]) {
        if request.is_empty() {
            return;
        }
        let (start, end) = self.block(request.len(), 32);
        let turn = self.rng.usize(..=end - start);
        request[start..end].rotate_left(turn);
    }

    /// Inserts the same byte or fragment until the request is huge.
    fn swell(&mut self, request: &mut Vec<u8>) {
        let room = self.longest.saturating_sub(request.len());
        // The largest are rare, because otherwise there would be time for nothing else.
        let largest = if self.rng.u8(..16) == 0 {
            HUGE.len()
        } else {
            3
        };
        let len = HUGE[self.rng.usize(..largest)].min(room);
        let fragment = match self.rng.bool() {
            true => FRAGMENTS[self.rng.usize(..FRAGMENTS.len())].to_vec(),
            false => vec![self.rng.u8(b' '..=b'~')],
        };
        let at = self.rng.usize(..=request.len());
        let block = fragment.repeat(len / fragment.len());
        request.splice(at..at, block);
    }

    /// The start and the end of a random block of at most `most` bytes.
    fn block(&mut self, len: usize, most: usize) -> (usize, usize) {
        let start = self.rng.usize(..=len);
        let end = start + self.rng.usize(..=most.min(len - start));
        (start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: usize = 5000;

    fn mutator(seed: u64) -> Mutator {
        let seeds = [&b"{\"id\":12,\"a\":[1,2]}"[..], b"\xa1\x01\x02", b""];
        Mutator::new(seeds.map(<[u8]>::to_vec).to_vec(), LONGEST, seed)
    }

    fn many(seed: u64) -> Vec<Vec<u8>> {
        let mut mutator = mutator(seed);
        (0..20_000).map(|_| mutator.next()).collect()
    }

    #[test]
    fn a_seed_makes_the_same_requests_again_and_another_makes_others() {
        assert!(many(7) == many(7));
        assert!(many(7) != many(8));
    }

    #[test]
    fn no_request_is_too_long() {
        let longest = many(1).iter().map(Vec::len).max();
        assert_eq!(longest, Some(LONGEST));
        let mut long = Mutator::new(vec![vec![b'x'; 2 * LONGEST]], LONGEST, 1);
        assert_eq!(long.good().len(), LONGEST);
        assert!((0..1000).all(|_| long.next().len() <= LONGEST));
    }

    #[test]
    fn every_kind_of_change_happens() {
        let all = many(1);
        let some = |holds: fn(&[u8]) -> bool| all.iter().any(|request| holds(request));
        assert!(some(|request| request == b"\xa1\x01\x02"));
        assert!(some(|request| request == b"{\"id\":12,"));
        assert!(some(|request| request.starts_with(b"{\"id\":1\xa1")
            || request.starts_with(b"{\"id\":\x01\x02")
            || request.ends_with(b"\x01\x02") && request.starts_with(b"{")));
        assert!(some(|request| request.starts_with(b"{\"id\":65536,")));
        assert!(some(|request| request.contains(&0)));
        assert!(some(|request| request.len() > 1024));
        assert!(some(|request| request
            .windows(3)
            .any(|it| it == b"\xff\xff\xff")));
    }
}
