use super::*;

/// Types keys into a text with `|` for the cursor, beginning in normal mode. `^` before a letter is
/// Ctrl, `<` is Escape.
fn run(before: &str, keys: &str) -> String {
    let mut vim = Vim::default();
    shown(&mut vim, before, keys)
}

fn shown(vim: &mut Vim, before: &str, keys: &str) -> String {
    let mut editor = Editor::new(before.replace('|', ""));
    editor.place(before.find('|').unwrap());
    vim.mode = Mode::Normal;
    let mut keys = keys.chars();
    while let Some(key) = keys.next() {
        match (vim.mode, key) {
            (_, '<') => vim.normal(&mut editor),
            (Mode::Insert, key) => editor.insert(&key.to_string()),
            (Mode::Normal, '^') => {
                let letter = KeyCode::Char(keys.next().unwrap());
                vim.key(KeyEvent::new(letter, KeyModifiers::CONTROL), &mut editor);
            }
            (Mode::Normal, key) => {
                vim.key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE), &mut editor);
            }
        }
    }
    let mut after = editor.text().to_owned();
    after.insert(editor.cursor(), '|');
    after
}

fn check(cases: &[(&str, &str, &str)]) {
    for (before, keys, after) in cases {
        assert_eq!(run(before, keys), *after, "{before} {keys}");
    }
}

#[test]
fn motions_go_where_vim_goes() {
    check(&[
        ("one |two", "h", "one| two"),
        ("|one", "h", "|one"),
        ("on|e", "l", "on|e"),
        ("|one two, three", "w", "one |two, three"),
        ("one |two, three", "w", "one two|, three"),
        ("one |two, three", "W", "one two, |three"),
        ("one two, th|ree", "b", "one two, |three"),
        ("one two, |three", "b", "one two|, three"),
        ("one two, |three", "B", "one |two, three"),
        ("|one two", "e", "on|e two"),
        ("on|e two", "e", "one tw|o"),
        ("|one two three", "2w", "one two |three"),
        ("one |two", "0", "|one two"),
        ("|one two", "$", "one tw|o"),
        ("a\nb\n|c", "gg", "|a\nb\nc"),
        ("|a\nb\nc", "G", "a\nb\n|c"),
        ("|a\nb\nc", "2G", "a\n|b\nc"),
        ("abc\nde|f", "k", "ab|c\ndef"),
        ("abcd|e\nf", "j", "abcde\n|f"),
        ("|one two", "fw", "one t|wo"),
        ("|one two", "tw", "one |two"),
        ("one tw|o", "Fe", "on|e two"),
        ("|a.b.c.d", "f.;", "a.b|.c.d"),
        ("|a.b.c.d", "f.;,", "a|.b.c.d"),
        ("|", "whjklbe0$", "|"),
        ("|👩‍👩‍👧 x", "l", "👩‍👩‍👧| x"),
    ]);
}

#[test]
fn operators_take_what_vim_takes() {
    check(&[
        ("one |two three", "dw", "one |three"),
        ("one |two", "dw", "one| "),
        ("|one two three four", "d2w", "|three four"),
        ("|one two three four", "2dw", "|three four"),
        ("one t|wo three", "diw", "one | three"),
        ("one t|wo three", "daw", "one |three"),
        ("one |two three", "de", "one | three"),
        ("one two thr|ee", "db", "one two |ee"),
        ("one |two three", "d$", "one| "),
        ("one |two three", "D", "one| "),
        ("one |two", "d0", "|two"),
        ("a\n|b\nc", "dd", "a\n|c"),
        ("a\nb\n|c", "dd", "a\n|b"),
        ("|a\nb\nc", "2dd", "|c"),
        ("|a\nb\nc", "dj", "|c"),
        ("|a\nb\nc", "dG", "|"),
        ("|one", "x", "|ne"),
        ("on|e", "x", "o|n"),
        ("|one", "9x", "|"),
        ("one, |two", "dF,", "one|two"),
        ("|one two", "dtw", "|wo"),
        ("|a b\nc", "dw", "|b\nc"),
        ("a |b\nc", "dw", "a| \nc"),
        ("|one two", "dz", "|one two"),
    ]);
}

#[test]
fn what_was_cut_or_copied_is_put_in() {
    check(&[
        ("|one two", "dwp", "tone| wo"),
        ("|ab", "xp", "b|a"),
        ("|a\nb", "ddp", "b\n|a"),
        ("a\n|b", "ddP", "|b\na"),
        ("|a\nb", "yyp", "a\n|a\nb"),
        ("|one", "yiw$p", "oneon|e"),
        ("|ab", "x3p", "baa|a"),
        ("a |word", "yiwP", "a wor|dword"),
    ]);
}

#[test]
fn typing_begins_where_vim_begins_it() {
    check(&[
        ("o|ne", "iX<", "o|Xne"),
        ("o|ne", "aX<", "on|Xe"),
        ("  o|ne", "IX<", "  |Xone"),
        ("o|ne", "AX<", "one|X"),
        ("o|ne\ntwo", "oX<", "one\n|X\ntwo"),
        ("one\nt|wo", "OX<", "one\n|X\ntwo"),
        ("one |two three", "cwX<", "one |X three"),
        ("one |two", "ccX<", "|X"),
        ("one |two", "CX<", "one |X"),
        ("one |two", "sX<", "one |Xwo"),
        ("one t|wo", "ciwX<", "one |X"),
    ]);
}

#[test]
fn changes_are_undone_redone_and_repeated() {
    check(&[
        ("|one two", "dwu", "|one two"),
        ("|one two", "dwu^r", "|two"),
        ("|one two three", "dw.", "|three"),
        ("|a b c", "cwX<w.", "X |X c"),
        ("|a b c", "x2.", "| c"),
        ("|one\ntwo", "A!<j.", "one!\ntwo|!"),
        ("|aé", "~~", "A|É"),
        ("|abc", "rx", "|xbc"),
        ("|abc", "2rx", "x|xc"),
        ("|abc", "4rx", "|abc"),
        ("|a\n  b", "J", "a| b"),
    ]);
}

#[test]
fn unfinished_and_unknown_keys_do_no_harm() {
    let keys = "dcyrgftFT0123456789iwaWxXpPuUJ~DCSYs.;,GzZqQ@#%&*()[]{}|\\\"'`!?/:<^r^x";
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..2000 {
        let mut typed = String::new();
        for _ in 0..12 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            typed.push(keys.chars().nth(state as usize % keys.len()).unwrap());
        }
        if typed.ends_with('^') {
            typed.push('r');
        }
        run("one\n|👩‍👩‍👧 zwö, e\u{301}\n\nthree", &typed);
    }
}

#[test]
fn at_the_first_line_there_is_only_what_is_above_the_text() {
    let mut vim = Vim { mode: Mode::Normal, ..Vim::default() };
    let mut editor = Editor::new("a\nb");
    let mut press = |letter, editor: &mut Editor| {
        vim.key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE), editor)
    };
    assert_eq!(press('k', &mut editor), Done::Here);
    assert_eq!(press('k', &mut editor), Done::Above);
    assert_eq!(press('y', &mut editor), Done::Here);
    assert_eq!(press('y', &mut editor), Done::Copied);
    assert_eq!(press('Q', &mut editor), Done::No);
}
