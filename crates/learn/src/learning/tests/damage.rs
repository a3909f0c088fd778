//! What is damaged on the disk.

use super::*;

#[test]
fn damage_costs_what_it_hit_and_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let mut first = store(&settings);
    for number in 0..10 {
        first
            .learn(&example(number), class(number % 2 == 0), &source("ann", 1))
            .unwrap();
    }
    first.commit().unwrap();
    drop(first);
    let path = directory.path().join("labels");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let again = store(&settings);
    assert_eq!(again.labels().len(), 9);
    assert!(again.damaged() > 0);
    drop(again);
    std::fs::write(directory.path().join("weights"), b"nonsense").unwrap();
    assert!(
        info(&settings).unwrap().is_some(),
        "a damaged snapshot is passed over"
    );
}
