use super::{FILE, PAGE, Results, Usage, hostile, kept, million, with_results};
use crate::machine::Machine;
use crate::page::{json, read};

const EXAMPLE: &str = "by hand\n<!-- written by make hostile from here -->\nold\n\
                    <!-- written by make hostile up to here -->\nbetween\n\
                    <!-- written by make million from here -->\nold\n\
                    <!-- written by make million up to here -->\nby hand, too\n";

fn usage(descriptors: usize) -> Usage {
    Usage {
        descriptors,
        private_kib: 2048,
        shared_bytes: 4096,
    }
}

fn attacked(ours: bool) -> hostile::Outcome {
    hostile::Outcome {
        module: "ctl".to_owned(),
        ours,
        listeners: vec![hostile::ListenerOutcome {
            transport: "UDP".to_owned(),
            requests: 12_345,
            answers: 9_000,
            asked: 20,
            answered: 19,
            wrong: 0,
        }],
        ended: if ours { 0 } else { 7 },
        hung: u64::from(!ours),
        before: Some(usage(8)),
        after: ours.then(|| usage(9)),
        lines: hostile::Lines::default(),
        failures: vec!["it leaks".to_owned()]
            .into_iter()
            .filter(|_| ours)
            .collect(),
    }
}

fn asked(ours: bool) -> million::Outcome {
    million::Outcome {
        module: "ctl".to_owned(),
        ours,
        requests: 1_000_000,
        connections: 77,
        samples: (1..=if ours { 11 } else { 3 })
            .map(|it| it * 1000)
            .collect(),
        before: usage(8),
        after: ours.then(|| usage(8)),
        ..million::Outcome::default()
    }
}

fn results() -> Results {
    Results {
        hostile: Some(hostile::Run {
            machine: Machine::example(),
            seconds: 600,
            seed: 42,
            outcomes: vec![attacked(true), attacked(false)],
        }),
        million: Some(million::Run {
            machine: Machine::example(),
            requests: 1_000_000,
            outcomes: vec![asked(true), asked(false)],
        }),
    }
}

#[test]
fn results_come_back_from_their_file_as_they_were() {
    let results = results();
    let read: Results = serde_json::from_str(&json(&results)).expect("it is JSON");
    assert_eq!(read, results);
}

#[test]
fn the_page_keeps_its_text_and_shows_new_results() {
    let page = with_results(EXAMPLE, &results());
    assert!(page.starts_with("by hand\n<!--") && page.ends_with("-->\nby hand, too\n"));
    assert!(
        page.contains("-->\nbetween\n<!--") && !page.contains("old"),
        "{page}"
    );
    for shown in [
        "commit 0123456789ab",
        "600 s, seed 42: 12,345 requests to ours and 12,345 to the C modules.",
        "| ctl | ours | never | never | 8 → 9 | 2,048 → 2,048 | 4 → 4 | 0 | 0 |",
        "| ctl | C | **7 times** | **once** | started again | started again | started again |",
        "| ctl | UDP | ours | 12,345 | 9,000 | 20 | 19 |",
        "Ours failed:\n\n- ctl: it leaks\n",
        "| `ctl` | ours | 1,000,000 | 77 | 0 | 0 | 8 → 8 |",
        "| 10,000 | 11,000 | +9000 |",
        "| `ctl` | C | 1,000 | 2,000 | 3,000 | ended |",
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
    assert_eq!(with_results(&page, &results()), page);
}

#[test]
fn the_page_shows_what_the_file_says() {
    let page = read(PAGE);
    let kept = kept();
    let advice = "make proof-report writes it anew";
    assert!(page == with_results(&page, &kept), "{PAGE}: {advice}");
    assert_eq!(read(FILE), json(&kept));
}
