//! Random patterns and texts for the tests.

/// Numbers that look random and are the same every time (xorshift).
pub(super) struct Generator(pub(super) u64);

impl Generator {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    pub(super) fn pick<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }

    pub(super) fn pattern(&mut self, depth: usize, groups: &mut usize, plain: bool) -> String {
        let branches = 1 + self.below(6) / 4;
        let branch = |this: &mut Self, groups: &mut usize| {
            (0..=this.below(3))
                .map(|_| this.piece(depth, groups, plain))
                .collect::<String>()
        };
        (0..branches)
            .map(|_| branch(self, groups))
            .collect::<Vec<_>>()
            .join("|")
    }

    fn piece(&mut self, depth: usize, groups: &mut usize, plain: bool) -> String {
        const QUANTIFIERS: &[&str] = &[
            "", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,2}", "*?", "+?", "??", "{1,3}?",
        ];
        let atoms: &[&str] = &[
            "a", "b", "c", ".", "[ab]", "[^a]", r"\w", r"\s", " ", "A", r"\b", "^", "$",
        ];
        let kind = self.below(if plain { 12 } else { 18 });
        if kind < 8 || depth == 0 {
            let atom = self.pick(atoms);
            let quantifier = if [r"\b", "^", "$"].contains(&atom) {
                ""
            } else {
                self.pick(QUANTIFIERS)
            };
            let possessive = !plain
                && quantifier.ends_with(['*', '+', '?'])
                && quantifier.len() == 1
                && self.below(5) == 0;
            return format!("{atom}{quantifier}{}", if possessive { "+" } else { "" });
        }
        match kind {
            8..10 => {
                *groups += 1;
                format!(
                    "({}){}",
                    self.pattern(depth - 1, groups, plain),
                    self.pick(QUANTIFIERS)
                )
            }
            10 | 11 => format!(
                "(?:{}){}",
                self.pattern(depth - 1, groups, plain),
                self.pick(QUANTIFIERS)
            ),
            12 => format!("(?={})", self.pattern(depth - 1, groups, plain)),
            13 => format!("(?!{})", self.pattern(depth - 1, groups, plain)),
            14 => format!("(?>{})", self.pattern(depth - 1, groups, plain)),
            15 => format!(
                "(?<={})",
                self.pick(&["a", "ab|c", "b|.c", "^a", "[ab]{1,2}", r"\b"])
            ),
            16 => format!(
                "(?<!{})",
                self.pick(&["a", "ab|c", "b|.c", "^a", "[ab]{1,2}", r"\b"])
            ),
            _ if *groups > 0 => format!(r"\{}", 1 + self.below((*groups).min(9))),
            _ => "c".to_owned(),
        }
    }

    pub(super) fn text(&mut self) -> String {
        (0..self.below(12))
            .map(|_| self.pick(&["a", "b", "c", "A", " ", "\n", "ab", "aab"]))
            .collect()
    }
}
